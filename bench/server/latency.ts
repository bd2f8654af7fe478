// SPDX-License-Identifier: BSD-3-Clause
// Notify end to end beside a bare TLS relay with the same legs.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quantile, rounded, spread } from "./measuring/figures.ts";
import { issueInto } from "./measuring/peerProgram.ts";
import { openLink, RELAY_LISTEN, readUntil } from "./measuring/rawLink.ts";
import type { RowResult } from "./measuring/rows.ts";
import { type Setting, startOwn } from "./measuring/setting.ts";

const ROUNDS = 7;
const WARM_UP = 300;
const PER_ROUND = 200;
const PAYLOAD_BYTES = 200;

/** Sends one message; gives the ms until its receiver had it, and resolves when its sender was answered too. */
type Trip = () => Promise<number>;

/** A value as text, of `PAYLOAD_BYTES` bytes. */
const payload = (): string => randomBytes(PAYLOAD_BYTES / 2).toString("hex");

async function times(trip: Trip, count: number): Promise<number[]> {
  const millis: number[] = [];
  for (let i = 0; i < count; i++) millis.push(await trip());
  return millis;
}

async function withRelay<T>(setting: Setting, use: (trip: Trip) => Promise<T>): Promise<T> {
  const program = fileURLToPath(new URL("./relay.js", import.meta.url));
  const folder = join(setting.folder, "relay");
  const tls = await issueInto(folder, setting.authority);
  const trusted = setting.authority.certificate;
  const files = [tls.certificate, tls.privateKey, tls.authority];
  const last = await startOwn("the last relay", [program, ...files], trusted);
  const first = await startOwn("the first relay", [program, ...files, String(last.port)], trusted);
  const sender = await openLink(first);
  const receiver = await openLink(last);
  receiver.write(RELAY_LISTEN);
  await readUntil(receiver, RELAY_LISTEN);
  const used = await use(async () => {
    const arrived = readUntil(receiver, "\n");
    const start = performance.now();
    sender.write(`${payload()}\n`);
    await arrived;
    return performance.now() - start;
  });
  sender.destroy();
  receiver.destroy();
  await first.close();
  await last.close();
  return used;
}

async function withNotify<T>(setting: Setting, use: (trip: Trip) => Promise<T>): Promise<T> {
  const { alice, bob } = setting;
  let expected = "";
  let arrive: () => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  const monitor = bob.client.monitor({
    regex: "latency",
    onNotification: ({ value }) => (value === expected ? arrive() : undefined),
    onError: (error) => refuse(error),
  });
  await monitor.ready;
  const used = await use(async () => {
    expected = payload();
    const arrived = new Promise<void>((resolve, reject) => {
      arrive = resolve;
      refuse = reject;
    });
    const start = performance.now();
    const taken = alice.client.notify("@bob:latency.bench@alice", expected);
    const tripMillis = arrived.then(() => performance.now() - start);
    const millis = await tripMillis;
    const id = await taken;
    for (;;) if ((await alice.client.notifyStatus(id)) === "delivered") return millis;
  });
  await monitor.close();
  return used;
}

/** Window 1, 200 B of text, both atServers flushing to disk before they acknowledge; each notification after the one before it is noted as delivered. */
export function measureLatency(setting: Setting): Promise<RowResult> {
  return withRelay(setting, (relayed) =>
    withNotify(setting, async (notified) => {
      await times(relayed, WARM_UP);
      await times(notified, WARM_UP);
      const ratios: number[] = [];
      const ours: number[] = [];
      const relay: number[] = [];
      const p99: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const bare = quantile(await times(relayed, PER_ROUND), 0.5);
        const sample = await times(notified, PER_ROUND);
        const p50 = quantile(sample, 0.5);
        relay.push(bare);
        ours.push(p50);
        ratios.push(p50 / bare);
        p99.push(quantile(sample, 0.99));
      }
      return {
        rows: {
          notifyP50OverRelay: rounded(quantile(ratios, 0.5)),
          notifyP99Ms: rounded(quantile(p99, 0.5)),
        },
        details: {
          notifyP50OverRelay: spread(ratios),
          notifyP50Ms: spread(ours),
          relayP50Ms: spread(relay),
          notifyP99Ms: spread(p99),
        },
      };
    }),
  );
}
