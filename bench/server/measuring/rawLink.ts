// SPDX-License-Identifier: BSD-3-Clause
// A TLS connection as bare as a load generator needs it.
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { AtKeys } from "../../../host/crypto/keyFile.ts";
import { pkamCommand } from "../../../host/crypto/pkam.ts";

const LF = 0x0a;
/** What a connection to the last relay says first that wants to have what arrives there. */
export const RELAY_LISTEN = "listen\n";

export type Endpoint = { readonly port: number; readonly authority: string };

/** Connects to a server of this machine; its certificate is for `localhost`. */
export async function openLink({ port, authority }: Endpoint): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca: authority });
  await once(socket, "secureConnect");
  socket.setNoDelay(true);
  return socket;
}

/** Line feeds in a chunk. */
export function countLines(chunk: Uint8Array): number {
  let count = 0;
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) count += 1;
  return count;
}

/** Resolves to all that arrives until it ends with `end`. */
export function readUntil(socket: TLSSocket, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const closed = (): void => reject(new Error(`the connection ended after "${text}"`));
    const take = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (!text.endsWith(end)) return;
      socket.off("data", take);
      socket.off("close", closed);
      resolve(text);
    };
    socket.on("data", take);
    socket.on("close", closed);
  });
}

/** Connects to an atServer and logs its owner in. */
export async function openOwnerLink(endpoint: Endpoint, keys: AtKeys): Promise<TLSSocket> {
  const socket = await openLink(endpoint);
  await readUntil(socket, "@");
  socket.write(`from:${keys.atSign}\n`);
  const challenge = (await readUntil(socket, "\n@")).slice("data:".length, -"\n@".length);
  socket.write(`${pkamCommand(keys, challenge)}\n`);
  await readUntil(socket, `data:success\n${keys.atSign}@`);
  return socket;
}
