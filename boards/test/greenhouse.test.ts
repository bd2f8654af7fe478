// SPDX-License-Identifier: BSD-3-Clause
// One behaviour for the greenhouse in C, compiled with sanitizers, and the one in TypeScript.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { TESTED } from "../../device/compilerFlags.mjs";
import type { Outcome, Request } from "../../device/js/operations.ts";
import { verdictOf } from "../../device/js/verdict.ts";
import { Greenhouse } from "../app/greenhouse/greenhouse.ts";
import { Bme280 } from "../emulator/bme280.ts";
import { DeviceClock } from "../emulator/clock.ts";
import {
  AIR,
  behaviours,
  INTERVAL_MS,
  NAMESPACE,
  type Operation,
  PEER,
  type Runner,
  SELF,
  type Step,
} from "./greenhouse/behaviour.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-greenhouse-"));
  const device = ["atKey.c", "decimal.c", "json.c", "peer.c", "text.c"].map(
    (name) => `device/${name}`,
  );
  const app = ["greenhouse/greenhouse.c", "sensors/bme280.c"].map((name) => `boards/app/${name}`);
  execFileSync(process.env.CC ?? "cc", [
    ...[...TESTED, `-I${path("")}`],
    ...[...device, ...app, "boards/test/greenhouse/harness.c"].map(path),
    ...["-o", join(folder, "greenhouse")],
  ]);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** The 256 registers of a BME280 in this air, in hexadecimal. */
function sensorRegisters(): string {
  const clock = new DeviceClock();
  const sensor = new Bme280({ celsius: AIR.temperatureC, percent: AIR.humidityPercent });
  sensor.powerOn(clock);
  for (const byte of [0xf2, 0x01, 0xf4, 0x23]) sensor.write(byte);
  clock.tick(1e9);
  sensor.write(0);
  sensor.start(true);
  return Buffer.from(Array.from({ length: 256 }, () => sensor.read())).toString("hex");
}

const hex = (bytes: Uint8Array | string) => Buffer.from(bytes as string).toString("hex") || "-";

function lineOf(step: Step): string {
  switch (step.kind) {
    case "ready":
      return `ready ${Number(step.isReady)}`;
    case "note": {
      const { key, value, from, isDelete, verdict } = step.note;
      return `note ${hex(key)} ${hex(value)} ${hex(from)} ${Number(isDelete)} ${verdict}`;
    }
    case "pass":
      return `pass ${step.ms}`;
    case "refuse":
      return `xrefuse ${step.count}`;
    case "finish":
      return `finish ${step.status}`;
  }
}

function operationOf(line: string): Operation {
  const [kind = "", key = "", ttl, value = ""] = line.split(" ");
  return { kind, key, ttlMs: Number(ttl), value: Buffer.from(value, "hex").toString("utf8") };
}

const inC: Runner = async (steps) => {
  const input = `${steps.map(lineOf).join("\n")}\n`;
  const text = execFileSync(join(folder, "greenhouse"), [sensorRegisters()], {
    input,
    encoding: "utf8",
  });
  const parts = text.split(/^\.\n/m).slice(0, -1);
  return parts.map((part) => part.split("\n").filter(Boolean).map(operationOf));
};

const outcome = (status: number): Outcome => ({
  ...{ status, value: new Uint8Array(), error: "" },
  verdict: verdictOf(0),
});

/** A device in memory for one application. */
class Bench {
  readonly atSign = SELF;
  readonly submitted: Operation[] = [];
  #refusals = 0;
  readonly #greenhouse = new Greenhouse({
    peer: PEER,
    namespace: NAMESPACE,
    intervalMs: INTERVAL_MS,
    measure: () => AIR,
  });
  #settle: ((outcome: Outcome) => void) | null = null;

  constructor() {
    this.#greenhouse.start(this);
  }

  report(): void {}

  reportStats(): void {}

  submit({ kind, key, value, ttlMs = 0 }: Request): Promise<Outcome> {
    if (this.#settle) throw new Error("an operation is submitted while another one runs");
    if (this.#refusals > 0) {
      this.#refusals--;
      return Promise.resolve(outcome(-4));
    }
    this.submitted.push({ kind, key, value, ttlMs });
    return new Promise((settle) => {
      this.#settle = settle;
    });
  }

  async take(step: Step): Promise<void> {
    if (step.kind === "ready") this.#greenhouse.stateChanged(step.isReady ? "ready" : "pausing");
    else if (step.kind === "pass") await vi.advanceTimersByTimeAsync(step.ms);
    else if (step.kind === "finish") this.#finish(step.status);
    else if (step.kind === "refuse") this.#refusals = step.count;
    else {
      const { isDelete, verdict, ...note } = step.note;
      const operation = isDelete ? "delete" : "update";
      this.#greenhouse.notified({ ...note, id: "1", operation, verdict: verdictOf(verdict) });
    }
    await vi.advanceTimersByTimeAsync(0);
  }

  stop(): void {
    this.#greenhouse.stop();
  }

  #finish(status: number): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(outcome(status));
  }
}

const inTypeScript: Runner = async (steps) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const bench = new Bench();
  try {
    const after: Operation[][] = [];
    for (const step of steps) {
      await bench.take(step);
      after.push(bench.submitted.splice(0));
    }
    return after;
  } finally {
    bench.stop();
    vi.useRealTimers();
  }
};

/** Readings are compared as what they say, replies as they are written. */
const compared = ({ value, ...operation }: Operation) =>
  operation.key.startsWith(`${PEER}:reply.`)
    ? { ...operation, value }
    : { ...operation, value: JSON.parse(value) };

describe.each<[string, Runner]>([
  ["in C", inC],
  ["in TypeScript", inTypeScript],
])("the greenhouse %s", (_, runner) => {
  it.each(behaviours)("$name", async ({ script }) => {
    const after = await runner(script.map(([step]) => step));
    expect(after.map((operations) => operations.map(compared))).toEqual(
      script.map(([, ...operations]) => operations.map(compared)),
    );
  });
});
