// SPDX-License-Identifier: BSD-3-Clause
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { parseAddress } from "./address.ts";

/** What a link tells its owner, always after the call that caused it has returned. */
export interface LinkEvents {
  opened(): void;
  /** It never opened; `reason` is a sentence's end: "certificate has expired". */
  failed(reason: string): void;
  /** It was open and is no more; bytes received before can still be read. */
  closed(reason: string): void;
  /** Bytes can be read, or written again. */
  ready(): void;
}

export interface LinkOptions {
  /** Certificates to trust, PEM; no others are. */
  readonly ca: string | Buffer;
  /** Milliseconds a connection and its handshake may take. */
  readonly openTimeoutMs?: number;
}

/** A byte stream that never blocks. */
export interface Link {
  /** At most `max` received bytes; empty when there are none now. */
  read(max: number): Uint8Array;
  /** How many of the bytes it took: all, or none while it is full. */
  write(bytes: Uint8Array): number;
  /** Ends it; no listener is called any more. */
  close(): void;
}

const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not yet valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by no authority in the CA file",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by no authority in the CA file",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is signed by no authority in the CA file",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is signed by no authority in the CA file",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by no authority in the CA file",
  CERT_SIGNATURE_FAILURE: "its certificate's signature does not verify",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name",
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host name is not known",
  ETIMEDOUT: "it did not answer in time",
  ECONNRESET: "the other side broke the connection",
};

function reasonOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return REASONS[code] ?? error.message;
}

const OPEN_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 2_000;

class TlsLink implements Link {
  readonly #socket: TLSSocket;
  #events: LinkEvents | null;
  #open = false;

  constructor(host: string, port: number, options: LinkOptions, events: LinkEvents) {
    this.#events = events;
    // An IP address is no SNI name; Node then verifies the certificate against `host`.
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port, ca: options.ca, minVersion: "TLSv1.2", ...name });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(options.openTimeoutMs ?? OPEN_TIMEOUT_MS);
    socket.once("timeout", () => this.#end("it did not answer in time"));
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      this.#open = true;
      this.#events?.opened();
    });
    socket.on("readable", () => this.#events?.ready());
    socket.on("drain", () => this.#events?.ready());
    socket.on("error", (error) => this.#end(reasonOf(error)));
    socket.once("end", () => this.#end("the other side closed it"));
    socket.once("close", () => this.#end("the other side closed it"));
  }

  read(max: number): Uint8Array {
    const len = Math.min(max, this.#socket.readableLength);
    if (len <= 0) return new Uint8Array();
    return this.#socket.read(len) ?? new Uint8Array();
  }

  write(bytes: Uint8Array): number {
    if (!this.#socket.writable || this.#socket.writableNeedDrain) return 0;
    this.#socket.write(bytes);
    return bytes.length;
  }

  close(): void {
    this.#events = null;
    if (!this.#open) {
      this.#socket.destroy();
      return;
    }
    // What was written is sent before the connection ends, unless the other side no longer reads.
    this.#socket.setTimeout(CLOSE_TIMEOUT_MS, () => this.#socket.destroy());
    this.#socket.destroySoon();
  }

  #end(reason: string): void {
    const events = this.#events;
    this.#events = null;
    if (this.#open) events?.closed(reason);
    else events?.failed(reason);
    this.#socket.destroy();
  }
}

/** Opens a TLS link to "host:port", verifying chain, validity and host name. */
export function openLink(address: string, options: LinkOptions, events: LinkEvents): Link {
  const place = parseAddress(address);
  if (place) return new TlsLink(place.host, place.port, options, events);
  setImmediate(() => events.failed("the address is not host:port"));
  return { read: () => new Uint8Array(), write: () => 0, close: () => {} };
}
