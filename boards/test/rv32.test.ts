// SPDX-License-Identifier: BSD-3-Clause
// The emulated hart beside QEMU's: every 16-bit instruction, and the 32-bit ones with edge values and at random, valid or
// not; what each leaves in the registers, where it goes and why is the same.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bus, Hart, MAP_PAGE } from "../emulator/esp32c3/rv32.ts";
import { toolChain } from "../make/toolChain.mjs";

/** What QEMU's rv32 has and this hart hasn't. */
const EXTENSIONS = ["f", "d", "a", "zba", "zbb", "zbc", "zbs"];
const QEMU = "qemu-system-riscv32";
const isThere = spawnSync(QEMU, ["--version"]).status === 0;

/** Addresses of rv32/harness.S. */
const CODE = 0x8000_0000;
const SETS = 0x8080_0000;
const CASES = 0x8100_0000;
const FIELD = 0x8200_0000;
const FIELD_BYTES = 0x20_0000;
const PLACE = 0x8210_0000;
const UART = 0x1000_0000;
const FINISHER = 0x10_0000;

const EDGES = [
  ...[0, 1, 2, 5, 31, 32, 0xff, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000],
  ...[0x8000_0001, 0xffff_fffe, 0xffff_ffff, 0x5555_5555, 0xaaaa_aaaa, 0x1234_5678, 0xfedc_ba98],
];
const SEED = 20_261_127;

/** A generator of 32-bit numbers (xorshift), the same in every run. */
function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

interface Case {
  readonly word: number;
  readonly set: number;
}

const random = generator(SEED);
const below = (most: number) => random() % most;

/** Sets of registers: edge values in pairs and at random, then addresses beside the place. */
const EDGE_SETS = 64;
const edgeSets = Array.from({ length: EDGE_SETS }, (_, set) =>
  Array.from({ length: 32 }, (__, n) =>
    n % 3 === 2 ? random() : (EDGES[(n * 7 + set * 11 + below(4)) % EDGES.length] as number),
  ),
);
const POINTER_SETS = 4;
const pointerSets = Array.from({ length: POINTER_SETS }, (_, set) =>
  Array.from({ length: 32 }, (__, n) => PLACE + 0x8000 + ((n * 5 + set) % 9) - 4),
);
const sets = [...edgeSets, ...pointerSets];
const edgeSet = () => below(EDGE_SETS);
const pointerSet = () => EDGE_SETS + below(POINTER_SETS);

type Kind = "jump" | "memory" | "other" | "system";

function kindOf(word: number): Kind {
  if ((word & 3) === 3) {
    const op = word & 0x7f;
    if (op === 0x67) return "jump";
    if (op === 0x03 || op === 0x23) return "memory";
    // Also those of extensions that this hart hasn't, for registers as they are.
    return op === 0x73 ? "system" : "other";
  }
  const place = ((word & 3) << 3) | ((word & 0xffff) >> 13);
  if ([2, 6, 16 + 2, 16 + 6].includes(place)) return "memory";
  if (place === 16 + 4 && (word & 0x7c) === 0) return "jump";
  return "other";
}

/** Bits of a jump's or a branch's offset, without those of 2 bytes: to itself or its own middle it would never end. */
function isEndless(word: number): boolean {
  if ((word & 3) === 3) {
    if ((word & 0x7f) === 0x6f) return (word & 0xffdf_f000) === 0;
    return (word & 0x7f) === 0x63 && (word & 0xfe00_0e80) === 0;
  }
  const place = ((word & 3) << 3) | ((word & 0xffff) >> 13);
  if (place === 8 + 1 || place === 8 + 5) return (word & 0x1ffc) === 0;
  return (place === 8 + 6 || place === 8 + 7) && (word & 0x1c7c) === 0;
}

/** A load or store of what isn't there and isn't aligned: QEMU reports another address than the instruction's. */
function isAstray(word: number): boolean {
  const op = word & 0x7f;
  if ((op !== 0x03 && op !== 0x23) || ((word >>> 15) & 31) !== 0) return false;
  const offset = op === 0x03 ? word >>> 20 : word >>> 7;
  return (offset & ((1 << ((word >>> 12) & 3)) - 1)) !== 0;
}

const withSet = (word: number): Case => ({
  word,
  set: kindOf(word) === "other" ? edgeSet() : pointerSet(),
});

const short = Array.from({ length: 0x1_0000 }, (_, half) => half)
  .filter((half) => (half & 3) !== 3)
  .map((half) => withSet(half | 0x9002_0000));

/** Arithmetic with two registers: every operation of OP, valid or not, over the edge sets. */
const arithmetic = [0, 1, 2, 0x20, 0x21, 0x40].flatMap((f7) =>
  Array.from({ length: 8 }, (_, f3) => f3).flatMap((f3) =>
    edgeSets.flatMap((_, set) =>
      Array.from({ length: 8 }, () => {
        const registers = (below(32) << 20) | (below(32) << 15) | (below(32) << 7);
        return { word: (f7 << 25) | (f3 << 12) | registers | 0x33, set };
      }),
    ),
  ),
);

/** What RV32IMC has, but the system's. */
const OPCODES = [0x03, 0x0f, 0x13, 0x17, 0x23, 0x33, 0x37, 0x63, 0x67, 0x6f];
const long = Array.from({ length: 60_000 }, () => {
  const op = OPCODES[below(OPCODES.length)] as number;
  return withSet(((random() & ~0x7f) | op) >>> 0);
});
const foreignOpcodes = Array.from({ length: 32 }, (_, i) => (i << 2) | 3).filter(
  (op) => !OPCODES.includes(op) && op !== 0x73,
);
/** Opcodes that RV32IMC hasn't: floating point, atomics, 64 bits, custom ones. */
const foreign = Array.from({ length: 4_000 }, () => {
  const op = foreignOpcodes[below(foreignOpcodes.length)] as number;
  return { word: ((random() & ~0x7f) | op) >>> 0, set: edgeSet() };
});
const system = [0x0000_0073, 0x0010_0073].map((word) => ({ word, set: 0 }));

const all = [...short, ...arithmetic, ...long, ...foreign, ...system].filter(
  ({ word }) => !isEndless(word) && !isAstray(word),
);
/** Jumps first: they land on breakpoints that stores overwrite. */
const cases = [
  ...all.filter(({ word }) => kindOf(word) === "jump"),
  ...all.filter(({ word }) => ["other", "system"].includes(kindOf(word))),
  ...all.filter(({ word }) => kindOf(word) === "memory"),
];

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
const caseBytes = words([cases.length, ...cases.flatMap(({ word, set }) => [word, set])]);
const setBytes = words(sets.flat());

function build(folder: string): Uint8Array {
  const { cc, objcopy } = toolChain("riscv");
  const source = fileURLToPath(new URL("./rv32/harness.S", import.meta.url));
  const elf = join(folder, "harness.elf");
  const bin = join(folder, "harness.bin");
  const machine = ["-march=rv32imc_zicsr_zifencei", "-mabi=ilp32", "-nostdlib", "-nostartfiles"];
  execFileSync(cc, [...machine, "-Wl,-Ttext=0x80000000", "-Wl,-e,_start", source, "-o", elf]);
  execFileSync(objcopy, ["-O", "binary", elf, bin]);
  return readFileSync(bin);
}

async function inQemu(folder: string): Promise<Uint8Array> {
  const files = { "cases.bin": caseBytes, "sets.bin": setBytes };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const load = (name: string, address: number) =>
    ["-device", `loader,file=${join(folder, name)},addr=${address},force-raw=on`] as const;
  const out = join(folder, "out.bin");
  await promisify(execFile)(
    QEMU,
    [
      ...["-M", "virt", "-m", "64", "-bios", "none", "-display", "none", "-monitor", "none"],
      ...[
        "-cpu",
        `rv32,${EXTENSIONS.map((name) => `${name}=off`).join(",")}`,
        "-serial",
        `file:${out}`,
      ],
      ...load("harness.bin", CODE),
      ...load("cases.bin", CASES),
      ...load("sets.bin", SETS),
    ],
    { timeout: 120_000 },
  );
  return readFileSync(out);
}

/** The same program on the emulated hart: its output and how many instructions it took. */
function emulated(program: Uint8Array): { out: Uint8Array; instructions: number } {
  const parts = [
    { at: CODE, bytes: MAP_PAGE },
    { at: SETS, bytes: MAP_PAGE },
    { at: CASES, bytes: Math.ceil(caseBytes.length / MAP_PAGE) * MAP_PAGE },
    { at: FIELD, bytes: FIELD_BYTES },
  ];
  const memory = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes, 0));
  const out = new Uint8Array(cases.length * 4);
  let written = 0;
  let isOver = false;
  const bus: Bus = {
    load: () => undefined,
    store: (address, value) => {
      if (address === UART) out[written++] = value;
      isOver ||= address === FINISHER;
      if (isOver) hart.leave();
      return address === UART || address === FINISHER;
    },
    fetch: () => undefined,
    mark: () => {},
  };
  const hart = new Hart(memory, bus);
  let offset = 0;
  for (const { at, bytes } of parts) {
    for (let page = 0; page < bytes; page += MAP_PAGE) {
      for (const map of [hart.readable, hart.writable, hart.executable]) {
        map[(at + page) >>> 16] = offset + page;
      }
    }
    offset += bytes;
  }
  memory.set(program, hart.offset(CODE | 0));
  memory.set(setBytes, hart.offset(SETS | 0));
  memory.set(caseBytes, hart.offset(CASES | 0));
  hart.reset(CODE);
  while (!isOver) hart.run(10_000_000);
  expect(written).toBe(out.length);
  return { out, instructions: hart.instructions };
}

describe.skipIf(!isThere)("the emulated RV32IMC", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-rv32-"));
  let program: Uint8Array;
  beforeAll(() => {
    program = build(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("does what QEMU's does, instruction by instruction", async () => {
    const expected = await inQemu(folder);
    expect(expected.length).toBe(cases.length * 4);
    const { out } = emulated(program);
    const differing = cases.flatMap(({ word, set }, i) => {
      const same = [0, 1, 2, 3].every((byte) => out[i * 4 + byte] === expected[i * 4 + byte]);
      const shown = (word & 3) === 3 ? word : word & 0xffff;
      return same ? [] : [`${(shown >>> 0).toString(16)} with set ${set}`];
    });
    expect(differing.slice(0, 20)).toEqual([]);
  });
});
