// SPDX-License-Identifier: BSD-3-Clause
// A bare TLS relay: what arrives goes on to the next relay, or at the last one to whoever listens there.
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { openLink, RELAY_LISTEN } from "./measuring/rawLink.ts";

async function main(): Promise<void> {
  const [certificate, privateKey, authority, next] = process.argv.slice(2);
  if (certificate === undefined || privateKey === undefined || authority === undefined) {
    throw new Error(
      "usage: relay <certificate> <private key> <authority> [port of the next relay]",
    );
  }
  const trusted = readFileSync(authority, "utf8");
  const onward =
    next === undefined ? undefined : await openLink({ port: Number(next), authority: trusted });
  const listeners = new Set<TLSSocket>();
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(privateKey), noDelay: true },
    (socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => listeners.delete(socket));
      socket.on("data", (chunk) => {
        if (onward !== undefined) onward.write(chunk);
        else if (listeners.size === 0 && chunk.toString("latin1") === RELAY_LISTEN) {
          listeners.add(socket);
          socket.write(RELAY_LISTEN);
        } else for (const listener of listeners) listener.write(chunk);
      });
    },
  );
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ event: "listening", port })}\n`);
  });
  process.stdin.on("end", () => process.exit()).resume();
}

await main();
