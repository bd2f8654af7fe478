// SPDX-License-Identifier: BSD-3-Clause
// Durable updates at window 64 beside an append log that is flushed once for every 64 records.
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { median, rounded, spread } from "./measuring/figures.ts";
import { countLines, openOwnerLink } from "./measuring/rawLink.ts";
import type { RowResult } from "./measuring/rows.ts";
import type { Setting } from "./measuring/setting.ts";

const WINDOW = 64;
const ROUNDS = 7;
/** The server is to be warm: its code is compiled while it runs. */
const WARM_UP = 32_000;
const UPDATES = 6_400;
const RECORDS = 12_800;
const KEYS = 1_000;
const VALUE = randomBytes(150).toString("base64");

const line = (index: number): string => `update:u${index % KEYS}.bench@alice ${VALUE}\n`;

const perSecond = (count: number, start: number): number =>
  (count * 1000) / (performance.now() - start);

async function appendRecords(file: string): Promise<number> {
  const log = await open(file, "a", 0o600);
  try {
    const start = performance.now();
    for (let index = 0; index < RECORDS; index += WINDOW) {
      const batch = Array.from({ length: WINDOW }, (_, i) => line(index + i)).join("");
      await log.write(batch);
      await log.datasync();
    }
    return perSecond(RECORDS, start);
  } finally {
    await log.close();
  }
}

/** One connection, 64 updates on their way, 200 B values, 1 000 keys. */
export async function measureUpdates(setting: Setting): Promise<RowResult> {
  const { alice, folder } = setting;
  const link = await openOwnerLink(alice.endpoint, alice.keys);
  let next = 0;
  let total = 0;
  let missing = 0;
  let finish: () => void = () => undefined;
  const send = (count: number): void => {
    let text = "";
    for (let i = 0; i < count && next < total; i++) text += line(next++);
    if (text !== "") link.write(text);
  };
  link.on("data", (chunk: Buffer) => {
    const replies = countLines(chunk);
    missing -= replies;
    send(replies);
    if (missing === 0) finish();
  });
  const update = async (count: number): Promise<number> => {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      finish = resolve;
      next = 0;
      total = count;
      missing = count;
      send(WINDOW);
    });
    return perSecond(count, start);
  };
  const raw: number[] = [];
  const ours: number[] = [];
  const ratios: number[] = [];
  await update(WARM_UP);
  for (let round = 0; round < ROUNDS; round++) {
    const records = await appendRecords(join(folder, "raw.log"));
    const updates = await update(UPDATES);
    raw.push(records);
    ours.push(updates);
    ratios.push(updates / records);
  }
  link.destroy();
  return {
    rows: { updateOverRawLog: rounded(median(ratios)) },
    details: {
      updateOverRawLog: spread(ratios),
      rawRecordsPerSecond: spread(raw),
      updatesPerSecond: spread(ours),
    },
  };
}
