// SPDX-License-Identifier: BSD-3-Clause
// People who go on with their work: an owner and two peers who notify each other, and count what arrives.
import { setTimeout as delay } from "node:timers/promises";
import type { AtClient } from "../../../host/client/atClient.ts";

const MESSAGES_PER_SECOND = 5;
/** Longest wait for the last messages, ms. */
const LAST_MILLIS = 60_000;
const NAME = "exchange.bench";

export type Exchanged = {
  /** ms from the call of notify to the arrival, a message each. */
  readonly latencies: readonly number[];
  readonly sent: number;
  /** Messages that never came, by number; empty when all is well. */
  readonly missing: readonly number[];
  /** Messages that came more than once. */
  readonly doubled: readonly number[];
  /** Whatever a sender or a monitor complained of. */
  readonly complaints: readonly string[];
};

/** Messages among an owner and peers, 5 a second, until the signal; resolves when the last one has come or is given up. */
export async function exchange(
  owner: AtClient,
  peers: readonly AtClient[],
  signal: AbortSignal,
): Promise<Exchanged> {
  const sentAt = new Map<number, number>();
  const latencies: number[] = [];
  const arrived = new Set<number>();
  const doubled: number[] = [];
  const complaints: string[] = [];
  const complain = (error: unknown): void => {
    complaints.push(error instanceof Error ? error.message : String(error));
  };
  const take = (value: unknown): void => {
    const number = Number(value);
    const sent = sentAt.get(number);
    if (sent === undefined) return;
    if (arrived.has(number)) doubled.push(number);
    else latencies.push(performance.now() - sent);
    arrived.add(number);
  };
  const monitors = [owner, ...peers].map((client) =>
    client.monitor({
      regex: NAME,
      onNotification: ({ value }) => take(value),
      onError: complain,
    }),
  );
  await Promise.all(monitors.map(({ ready }) => ready));
  const routes = peers.flatMap((peer) => [
    [owner, peer],
    [peer, owner],
  ]);
  const sending = new Set<Promise<unknown>>();
  for (let number = 0; !signal.aborted; number++) {
    const [from, to] = routes[number % routes.length] ?? [];
    if (from === undefined || to === undefined) throw new Error("an exchange needs peers");
    sentAt.set(number, performance.now());
    const sent = from
      .notify(`${to.atSign}:${NAME}${from.atSign}`, String(number), { ttl: 3_600_000 })
      .catch(complain)
      .finally(() => sending.delete(sent));
    sending.add(sent);
    await delay(1000 / MESSAGES_PER_SECOND);
  }
  await Promise.all(sending);
  const late = performance.now() + LAST_MILLIS;
  while (arrived.size < sentAt.size && performance.now() < late) await delay(50);
  await Promise.all(monitors.map((monitor) => monitor.close()));
  const missing = [...sentAt.keys()].filter((number) => !arrived.has(number));
  return { latencies, sent: sentAt.size, missing, doubled, complaints };
}
