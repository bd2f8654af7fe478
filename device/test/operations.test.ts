// SPDX-License-Identifier: BSD-3-Clause
// The operations the core uses and the interpreter's limits, on every build of it: this machine's binding, the boards'
// interpreter as a native program and on RV32, and that for Thumb-1 on an emulated chip.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Wasm3 } from "../node/wasm3.ts";
import { DATA, MEMORY_BYTES, operationCases, type Table } from "./operations/cases.ts";
import { controlCases } from "./operations/control.ts";
import { limitCases } from "./operations/limits.ts";
import { hasRv32, native, RV32 } from "./replay/machine.ts";
import { Replay } from "./replay/replay.ts";
import { buildThumbProgram, EmulatedInterpreter, hasThumbCompiler } from "./thumb/emulated.ts";

const TABLES: Readonly<Record<string, Table>> = {
  "single operations": operationCases(),
  "control, calls, variables, bulk memory": controlCases(),
  limits: limitCases(),
};
const SETTINGS = { heap: 131_072, memoryLimit: MEMORY_BYTES, stack: 2048, codeLimit: 16_384 };

/** The text of every case that came out otherwise. */
function differences(
  table: Table,
  run: (name: string, args: readonly bigint[]) => bigint | string,
) {
  const wrong: string[] = [];
  for (const { name, args, wanted } of table.cases) {
    const got = run(name.slice(0, name.indexOf(" ")), args);
    if (got !== wanted) wrong.push(`${name}(${args.join(", ")}) = ${got}, not ${wanted}`);
  }
  return wrong;
}

describe.each(Object.entries(TABLES))("%s", (_, table) => {
  const module = table.module(DATA);

  it("on this machine's binding", () => {
    const instance = Wasm3.load(module, {
      stackBytes: SETTINGS.stack,
      memoryLimit: SETTINGS.memoryLimit,
      codeLimit: 2 * SETTINGS.codeLimit,
      imports: {},
    });
    const types = new Map(table.functions.map((f) => [f.export, f.params ?? []]));
    const wrong = differences(table, (name, args) => {
      const given = args.map((arg, i) => (types.get(name)?.[i] === 0x7e ? arg : Number(arg)));
      try {
        return BigInt(instance.call(name, ...given) ?? 0);
      } catch (error) {
        return String(error).replace(/^(Wasm3Trap: \w+|Error: \w+ cannot be compiled): /, "");
      }
    });
    instance.close();
    expect(wrong).toEqual([]);
  });
});

/** The table as replay.c reads it. */
const linesOf = ({ cases }: Table) =>
  cases.flatMap(({ name, args, wanted }) => [
    ["C", name.slice(0, name.indexOf(" ")), ...args].join(" "),
    typeof wanted === "string" ? `! ${wanted}` : `= ${wanted}`,
  ]);

const MACHINES = [native(), ...(hasRv32() ? [RV32] : [])].map((m) => [m.name, m] as const);

describe.each(MACHINES)("on the boards' interpreter as a %s", (_, machine) => {
  let replay: Replay;
  beforeAll(() => {
    replay = new Replay(machine);
  }, 60_000);
  afterAll(() => replay.close());

  it.each(Object.entries(TABLES))("%s", (_, table) => {
    replay.play(["P all", ...linesOf(table)], SETTINGS, table.module(DATA));
  });
});

describe.skipIf(!hasThumbCompiler())("on the boards' interpreter for Thumb-1", () => {
  let chip: EmulatedInterpreter;
  beforeAll(() => {
    chip = new EmulatedInterpreter(buildThumbProgram(SETTINGS));
  }, 60_000);
  afterAll(() => {
    chip.run("interpreter_close");
  });

  it.each(Object.entries(TABLES))(
    "%s",
    (_, table) => {
      chip.open(table.module(DATA));
      const wrong = differences(table, (name, args) => {
        const end = chip.call(name, args);
        return "trap" in end ? end.trap : end.result;
      });
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});
