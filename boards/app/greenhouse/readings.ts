// SPDX-License-Identifier: BSD-3-Clause
import { readdirSync, readFileSync } from "node:fs";
import { freemem, loadavg } from "node:os";
import { join } from "node:path";

/** What the simulated device measures: this machine. */
export type Measurement = {
  /** Load average of the last minute. */
  readonly load: number;
  readonly freeMemoryMiB: number;
  /** Degrees Celsius of the first thermal zone, or null where there is no zone. */
  readonly temperatureC: number | null;
  /** Milliseconds since 1970. */
  readonly at: number;
};

const THERMAL = "/sys/class/thermal";

function zones(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith("thermal_zone"))
      .sort();
  } catch {
    // Not Linux, or a container without it: there is no sensor.
    return [];
  }
}

/** The first thermal zone that can be read; Linux gives thousandths of a degree. */
export function temperature(folder = THERMAL): number | null {
  for (const zone of zones(folder)) {
    try {
      const milli = Number(readFileSync(join(folder, zone, "temp"), "utf8").trim() || Number.NaN);
      if (Number.isFinite(milli)) return milli / 1000;
    } catch {
      // A zone may be disabled and answers with an error; the next one may not.
    }
  }
  return null;
}

export function measure(): Measurement {
  return {
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    freeMemoryMiB: Math.round(freemem() / 2 ** 20),
    temperatureC: temperature(),
    at: Date.now(),
  };
}
