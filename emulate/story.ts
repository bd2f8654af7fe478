// SPDX-License-Identifier: BSD-3-Clause
// What an emulated device has to live through, step by step.
import type { MemoryPhase } from "./memory.ts";
import { PEER, type PicoWorld } from "./picoWorld.ts";

export class StoryFailed extends Error {}

/** "26.4 °C, 41 %" of a reading; without the sensor, "27.1 °C, the chip's own". */
function readingText(text: string): string {
  const { temperatureC, humidityPercent } = JSON.parse(text) as Record<string, unknown>;
  if (typeof temperatureC !== "number") {
    throw new StoryFailed(`the device sent a reading without a temperature: ${text}`);
  }
  return `${temperatureC} °C, ${typeof humidityPercent === "number" ? `${humidityPercent} %` : "the chip's own"}`;
}

async function confirmed(pico: PicoWorld, id: string, intervalMs: number): Promise<void> {
  const reply = JSON.parse(await pico.untilReceived("reply")) as Record<string, unknown>;
  if (reply.id === id && reply.ok === true && reply.intervalMs === intervalMs) return;
  throw new StoryFailed(`the device refused the command: ${JSON.stringify(reply)}`);
}

/** Who vouches for the last command, by the device's own log. */
function voucher(pico: PicoWorld): string {
  const isVouchedFor = pico.lines.includes(
    `a command is authenticated by the provisioned key of ${PEER}`,
  );
  return isVouchedFor
    ? `authenticated by ${PEER}'s key ${pico.fingerprint}`
    : "which nobody vouches for";
}

/** Enrolment, readings, a command, a cut link and a power cut; the RAM after each. Rejects with what went wrong. */
export async function live(
  pico: PicoWorld,
  tell: (step: string) => void,
): Promise<readonly MemoryPhase[]> {
  const phases: MemoryPhase[] = [];
  const seconds = () => (pico.emulator.deviceMs / 1000).toFixed(1);
  const done = (phase: string, text: string) => {
    phases.push(pico.memory(phase));
    tell(`${seconds().padStart(7)} s  ${text}`);
  };
  await pico.untilLine("state: directory");
  done("boot", "The firmware runs: 125 MHz, core.wasm under wasm3, its entropy tested");
  await pico.untilLine("state: enrolling");
  done("TLS handshake", "It found its atServer in the directory and reached it over TLS");
  await pico.untilLine("state: ready");
  done("enrol, login", "It made its own keys, was approved by its owner, and logged in");
  const first = readingText(await pico.untilReceived("reading"));
  await pico.untilReceived("latest");
  done("notify, put", `@alice decrypts its sensor's first reading: ${first}`);
  await pico.command("faster", 2_000);
  await confirmed(pico, "faster", 2_000);
  done("monitor, get", `It obeyed a command ${voucher(pico)}: a reading every 2 s`);

  const before = pico.lines.length;
  pico.network.isLinkUp = false;
  pico.network.reset();
  await pico.untilLine("state: pausing", before);
  pico.network.isLinkUp = true;
  await pico.untilLine("state: ready", before);
  await pico.untilReceived("reading");
  done("reconnect", "The cable was pulled and put back: it reconnected and goes on");

  // What is written next is what is known of the command: with the power gone it counts as not delivered, or is lost.
  pico.emulator.flash.arm({ operation: 1, bytes: 100 });
  await pico.command("slower", 4_000);
  await pico.untilPowerCut();
  tell(`${"".padStart(7)}    Power was cut in the middle of a flash page`);
  await pico.untilLine("enrolled");
  await pico.untilReceived("reading");
  await pico.command("slower", 4_000);
  await confirmed(pico, "slower", 4_000);
  const last = readingText(await pico.untilReceived("reading"));
  done("after power cut", `Still enrolled, it obeys, and sends: ${last}`);
  pico.unplugSensor();
  const own = readingText(await pico.untilReceived("reading"));
  tell(`${seconds().padStart(7)} s  Its sensor was unplugged: it sends ${own}`);
  return phases;
}
