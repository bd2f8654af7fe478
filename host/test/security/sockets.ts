// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One of the addresses 127.0.0.2 to 127.0.0.255. */
export const loopbackAddress = (index: number): string => `127.0.0.${2 + (index % 254)}`;

/** A TCP connection that says nothing, from a loopback address. */
export async function silentSocket(port: number, from: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: from });
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Which of them the other side has ended, by their index, once `expected` of them are. */
export async function ended(sockets: readonly Socket[], expected: number): Promise<number[]> {
  const gone = (): number[] =>
    sockets.flatMap((socket, index) => (socket.closed || socket.readableEnded ? [index] : []));
  for (const socket of sockets) socket.resume();
  while (gone().length < expected) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return gone();
}
