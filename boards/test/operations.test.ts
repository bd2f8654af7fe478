// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Core } from "../../device/js/core.ts";
import { Operations } from "../../device/js/operations.ts";
import { STATUS_NAMES } from "../../device/js/status.ts";
import { ScriptedCore } from "./scriptedCore.ts";

describe("waiting operations", () => {
  const reading = (n: number) => ({ kind: "notify", key: "k", value: String(n) }) as const;

  it("are kept in order up to a limit; the one beyond it is told Busy", async () => {
    const core = new ScriptedCore();
    const operations = new Operations(new Core(core), 3);
    const outcomes = [1, 2, 3, 4].map((n) => operations.submit(reading(n)));
    expect((await outcomes[3])?.status).toBe(-2);
    operations.startNext();
    expect(operations.isRunning).toBe(true);
  });

  it("settles a request the core refuses and goes on with the next", async () => {
    const core = new ScriptedCore();
    const operations = new Operations(new Core(core));
    const long = operations.submit({ kind: "put", key: "k".repeat(256), value: "" });
    operations.submit(reading(1));
    operations.startNext();
    expect((await long).status).toBe(-4);
    expect(operations.isRunning).toBe(true);
  });
});

describe("the names of statuses", () => {
  it("are those of the core, in its order", () => {
    const source = readFileSync(new URL("../../core/status.ts", import.meta.url), "utf8");
    const listed = [...source.matchAll(/^ {2}(\w+) = -(\d+),$/gm)];
    expect(listed.map(([, name]) => name)).toEqual([...STATUS_NAMES]);
    expect(listed.map(([, , number]) => Number(number))).toEqual(STATUS_NAMES.map((_, i) => i + 1));
  });
});
