// SPDX-License-Identifier: BSD-3-Clause
// Resident memory of an atServer: idle, and with as many connections as it takes.

import { setTimeout as pause } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { type Memory, memoryOf, spread } from "./measuring/figures.ts";
import { openOwnerLink } from "./measuring/rawLink.ts";
import type { RowResult } from "./measuring/rows.ts";
import type { Party, Setting } from "./measuring/setting.ts";

const RECORDS = 1_000;
const IDLE_CONNECTIONS = 5;
const SAMPLES = 10;
const SAMPLE_MILLIS = 1_000;
/** With the one of the other atServer: all that an atServer takes. */
const CONNECTIONS = 199;
const MONITORS = 50;
const MESSAGES_PER_SECOND = 100;
const LOAD_SECONDS = 60;
const TICK_MILLIS = 100;

async function openMany({ endpoint, keys }: Party, count: number): Promise<TLSSocket[]> {
  const links: TLSSocket[] = [];
  for (let i = 0; i < count; i++) {
    const link = await openOwnerLink(endpoint, keys);
    link.resume();
    links.push(link);
  }
  return links;
}

const closeAll = (links: readonly TLSSocket[]): void => {
  for (const link of links) link.destroy();
};

/** 1 000 records of 200 B were written, 5 connections are logged in; ten samples, one a second. */
export async function measureIdle({ bob }: Setting): Promise<RowResult> {
  const text = "i".repeat(200);
  for (let i = 0; i < RECORDS; i++) await bob.client.put(`idle${i}.bench@bob`, text);
  const links = await openMany(bob, IDLE_CONNECTIONS - 1);
  const samples: Memory[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await pause(SAMPLE_MILLIS);
    samples.push(memoryOf(bob.pid));
  }
  closeAll(links);
  const rss = samples.map(({ rssBytes }) => rssBytes);
  const anon = samples.map(({ anonBytes }) => anonBytes);
  return {
    rows: { idleRssBytes: Math.max(...rss), idleAnonBytes: Math.max(...anon) },
    details: { idleRssBytes: spread(rss), idleAnonBytes: spread(anon) },
  };
}

/** 200 connections, 50 of them monitors, 100 notifications a second for 60 s; the largest of 60 samples. */
export async function measureLoad({ alice, bob }: Setting): Promise<RowResult> {
  // The owner's own client is one of them.
  const links = await openMany(bob, CONNECTIONS - 1);
  const monitors = links.slice(0, MONITORS);
  let received = 0;
  for (const monitor of monitors) {
    monitor.on("data", () => {
      received += 1;
    });
    monitor.write("monitor:strict load\\.bench\n");
  }
  const [sender] = await openMany(alice, 1);
  const value = Buffer.alloc(150, "l").toString("base64");
  const line = `notify:update:messageType:key:isEncrypted:true:@bob:load.bench@alice:${value}\n`;
  const samples: Memory[] = [];
  const start = performance.now();
  for (let second = 0; second < LOAD_SECONDS; second++) {
    for (let tick = 0; tick < SAMPLE_MILLIS / TICK_MILLIS; tick++) {
      sender?.write(line.repeat((MESSAGES_PER_SECOND * TICK_MILLIS) / 1000));
      const due = second * SAMPLE_MILLIS + (tick + 1) * TICK_MILLIS;
      await pause(Math.max(0, start + due - performance.now()));
    }
    samples.push(memoryOf(bob.pid));
  }
  closeAll(links);
  sender?.destroy();
  if (received === 0) throw new Error("no monitor received anything");
  const rss = samples.map(({ rssBytes }) => rssBytes);
  const anon = samples.map(({ anonBytes }) => anonBytes);
  return {
    rows: { loadRssBytes: Math.max(...rss) },
    details: { loadRssBytes: spread(rss), loadAnonBytes: spread(anon) },
  };
}
