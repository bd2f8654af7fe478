// SPDX-License-Identifier: BSD-3-Clause
// The hostile machine as a process of its own: every attack at once, and an atSign of the world that floods a peer.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type AtKeys, readKeyFile } from "../../../host/crypto/keyFile.ts";
import { type Endpoint, openOwnerLink } from "../measuring/rawLink.ts";
import { attacks, type Targets } from "./attacks.ts";

const FLOOD_MILLIS = 50;
const FLOOD_BYTES = 1_000;

/** Notifications for the attacked atSign, through the attacker's own atServer. */
async function flood(own: Endpoint, keys: AtKeys, to: string, signal: AbortSignal): Promise<void> {
  const link = await openOwnerLink(own, keys);
  link.on("error", () => link.destroy());
  link.resume();
  const metadata = "isEncrypted:true:ivNonce:AAAAAAAAAAAAAAAAAAAAAA==";
  const value = Buffer.alloc(FLOOD_BYTES, "f").toString("base64");
  for (let i = 0; !signal.aborted; i++) {
    link.write(
      `notify:update:ttln:${1e12}:${metadata}:${to}:flood${i}.bench${keys.atSign}:${value}\n`,
    );
    await delay(FLOOD_MILLIS);
  }
  link.destroy();
}

async function main(): Promise<void> {
  const [authorityFile, atSign, atServer, directory, attacker, own, keyFile] =
    process.argv.slice(2);
  if (!authorityFile || !atSign || !attacker || !keyFile) {
    throw new Error(
      "usage: attacker <authority> <atSign> <its port> <directory's port> <own atSign> <its port> <its key file>",
    );
  }
  const authority = readFileSync(authorityFile, "utf8");
  const endpoint = (port: string | undefined): Endpoint => ({ port: Number(port), authority });
  const targets: Targets = {
    atSign,
    atServer: endpoint(atServer),
    directory: endpoint(directory),
  };
  const stop = new AbortController();
  process.stdin.on("end", () => stop.abort()).resume();
  process.on("SIGTERM", () => stop.abort());
  const running = Object.values(attacks).map((attack) => attack(targets, stop.signal));
  running.push(flood(endpoint(own), await readKeyFile(keyFile, attacker), atSign, stop.signal));
  process.stdout.write(`${JSON.stringify({ event: "attacking" })}\n`);
  await Promise.all(running);
  process.exit();
}

await main();
