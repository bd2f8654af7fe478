// SPDX-License-Identifier: BSD-3-Clause
import { quantile, rounded, spread } from "../measuring/figures.ts";
import type { RowResult } from "../measuring/rows.ts";
import { hostileHour } from "./hostileHour.ts";

const MINUTES = 3;

/** Three minutes of attack; a message that got lost, or came twice, ends the measurement. */
export async function measureHostile(folder: string): Promise<RowResult> {
  const { latencies, missing, doubled, visitMillis, memory } = await hostileHour(folder, MINUTES);
  if (missing.length + doubled.length > 0) {
    throw new Error(`under attack ${missing.length} messages were lost, ${doubled.length} doubled`);
  }
  return {
    rows: { hostileP99Ms: rounded(quantile(latencies, 0.99)) },
    details: {
      hostileMs: spread(latencies),
      hostileLoginMs: spread(visitMillis),
      hostileRssBytes: spread(memory.map(({ rssBytes }) => rssBytes)),
      hostileWithoutStoreBytes: spread(
        memory.map(({ rssBytes, storeBytes }) => rssBytes - storeBytes),
      ),
    },
  };
}
