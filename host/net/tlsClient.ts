// SPDX-License-Identifier: BSD-3-Clause
import { isIP } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Address } from "./address.ts";

/** PEM texts: whom the other side is believed by (absent: the system's roots), and what it is shown of this one. */
export interface TlsClientOptions {
  readonly authority?: string | undefined;
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
}

/** Opens TLS 1.2 or later; the chain and the host name are verified. Failures come as the socket's `error`. */
export function openTls({ host, port }: Address, tls: TlsClientOptions): TLSSocket {
  const { authority, certificate, privateKey } = tls;
  const options: ConnectionOptions = { host, port, minVersion: "TLSv1.2" };
  if (isIP(host) === 0) options.servername = host;
  if (authority !== undefined) options.ca = authority;
  if (certificate !== undefined) options.cert = certificate;
  if (privateKey !== undefined) options.key = privateKey;
  const socket = connect(options);
  socket.setNoDelay(true);
  return socket;
}
