// SPDX-License-Identifier: BSD-3-Clause
import type { TLSSocket } from "node:tls";
import { formatAddress } from "../net/address.ts";
import type { Transport } from "../net/findAtServer.ts";
import { openTls } from "../net/tlsClient.ts";
import { AtError } from "../wire/errors.ts";

const UNKNOWN_AUTHORITY = "its certificate is of an unknown authority; name the CA file";

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there; check the address and that the server runs",
  ENOTFOUND: "the host name is unknown; check its spelling and the network",
  EAI_AGAIN: "the host name can't be resolved now; check the network",
  ECONNRESET: "the other side closed the connection during the TLS handshake",
  CERT_HAS_EXPIRED: "its certificate has expired; renew it",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; check the clocks",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
};

/** TLS 1.2 or 1.3 with the chain and the host name verified, against `authority` (PEM) or the system's roots. */
export function tlsTransport(options: { readonly authority?: string | undefined } = {}): Transport {
  return (address, timeoutMillis) =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = openTls(address, options);
      const place = formatAddress(address);
      const fail = (error: AtError): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const onError = (cause: NodeJS.ErrnoException): void => {
        const reason = reasons[cause.code ?? ""] ?? cause.message;
        fail(new AtError("AT0021", `cannot connect to ${place}: ${reason}`, { cause }));
      };
      const timer = setTimeout(
        () => fail(new AtError("AT0023", `${place} did not answer within ${timeoutMillis} ms`)),
        timeoutMillis,
      );
      socket.once("error", onError);
      socket.once("secureConnect", () => {
        clearTimeout(timer);
        socket.off("error", onError);
        resolve(socket);
      });
    });
}
