// SPDX-License-Identifier: BSD-3-Clause
// `npm run emulate`: the firmware on an emulated Pico in a local world, from enrolment to a power cut, and its RAM.
//   --verbose  the device's own log as well
//   --json     only the result: {"flashBytes":N,"phases":[{"name":"boot","peakBytes":N,"parts":{…}},…]}
// Ends with 0, or with 1 and what went wrong.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { shown } from "../device/js/printable.ts";
import { memoryTable } from "./memoryTable.ts";
import { PicoWorld } from "./picoWorld.ts";
import { live } from "./story.ts";

const { values: options } = parseArgs({
  options: { verbose: { type: "boolean" }, json: { type: "boolean" } },
});

const say = (text: string): void => {
  process.stdout.write(`${text.split("\n").map(shown).join("\n")}\n`);
};

async function emulate(folder: string): Promise<void> {
  const pico = await PicoWorld.start({
    folder: join(folder, "world"),
    onLine: (line, seconds) => {
      if (options.verbose) say(`${seconds.toFixed(2).padStart(9)} s    ${line}`);
    },
  });
  try {
    const phases = await live(pico, options.json ? () => {} : say);
    if (options.json) say(JSON.stringify({ flashBytes: pico.imageBytes, phases }));
    else say(`\n${memoryTable(phases, pico.imageBytes).join("\n")}`);
  } finally {
    await pico.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), "atmicro-emulate-"));
try {
  await emulate(folder);
} catch (error) {
  process.stderr.write(
    `atmicro: ${shown(error instanceof Error ? error.message : String(error))}\n`,
  );
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
