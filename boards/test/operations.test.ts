// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Core } from "../sim/core.ts";
import { parseCommand } from "../sim/greenhouse.ts";
import { Operations } from "../sim/operations.ts";
import { STATUS_NAMES } from "../sim/status.ts";
import { ScriptedCore } from "./scriptedCore.ts";

describe("waiting operations", () => {
  const reading = (n: number) =>
    ({ kind: "notify", key: "k", value: String(n), droppable: true }) as const;

  it("drops the oldest reading beyond the limit, counts it, and never a reply", async () => {
    const core = new ScriptedCore();
    const operations = new Operations(new Core(core), 3);
    operations.submit({ kind: "notify", key: "k", value: "reply" });
    const outcomes = [1, 2, 3, 4].map((n) => operations.submit(reading(n)));
    expect(operations.dropped).toBe(2);
    expect((await outcomes[0])?.dropped).toBe(true);
    expect((await outcomes[1])?.dropped).toBe(true);
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

describe("a command", () => {
  it.each([
    ["no json", null, "the command is not JSON"],
    ["[1]", null, "id must be a number or a string of at most 64 characters"],
    ["null", null, "the command is not a JSON object"],
    [
      '{"id":{},"set":"interval","ms":200}',
      null,
      "id must be a number or a string of at most 64 characters",
    ],
    ['{"id":1,"set":"reset","ms":200}', 1, 'set must be "interval"'],
    ['{"id":1,"set":"interval","ms":"200"}', 1, "ms must be a whole number"],
    ['{"id":1,"set":"interval","ms":200.5}', 1, "ms must be a whole number"],
    ['{"id":1,"set":"interval","ms":199}', 1, "ms must be 200 to 3600000"],
    ['{"id":1,"set":"interval","ms":3600001}', 1, "ms must be 200 to 3600000"],
  ])("%s is refused", (text, id, error) => {
    expect(parseCommand(text)).toEqual({ id, error });
  });

  it.each([200, 3_600_000])("of %s ms is accepted", (ms) => {
    expect(parseCommand(JSON.stringify({ id: "a", set: "interval", ms }))).toEqual({
      id: "a",
      intervalMs: ms,
    });
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
