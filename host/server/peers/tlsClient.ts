// SPDX-License-Identifier: BSD-3-Clause
import { isIP } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Address } from "../../net/address.ts";
import type { TlsIdentity } from "../config/config.ts";

/** Opens TLS 1.2 or later; the chain and the host name are verified. `present` shows the own certificate as a client. */
export function openTls(address: Address, tls: TlsIdentity, present: boolean): TLSSocket {
  const { host, port } = address;
  const options: ConnectionOptions = { host, port, minVersion: "TLSv1.2" };
  if (isIP(host) === 0) options.servername = host;
  if (tls.authority !== undefined) options.ca = tls.authority;
  if (present) {
    options.cert = tls.certificate;
    options.key = tls.privateKey;
  }
  const socket = connect(options);
  socket.setNoDelay(true);
  return socket;
}
