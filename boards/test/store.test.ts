// SPDX-License-Identifier: BSD-3-Clause
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aes256, modExp } from "../../device/js/accelerators.ts";
import { boardHal, type LinearMemory } from "../../device/js/hal.ts";
import { FileStore } from "../../device/js/store.ts";

let parent = "";
let folder = "";

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "atmicro-store-"));
  folder = join(parent, "keys");
});

afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** 1 KiB of linear memory. */
function flatMemory(): LinearMemory & { readonly all: Buffer } {
  const all = Buffer.alloc(1024);
  return {
    all,
    read: (ptr, len) => new Uint8Array(all.subarray(ptr, ptr + len)),
    write: (ptr, x) => {
      all.set(x, ptr);
    },
  };
}

describe("the store of the simulated board", () => {
  it("keeps slots apart, replaces, erases and survives a restart", () => {
    const store = new FileStore(folder);
    expect(store.read(1)).toBeNull();
    store.write(1, bytes("first"));
    store.write(2, bytes("other"));
    store.write(1, bytes("second"));
    expect(new FileStore(folder).read(1)).toEqual(Buffer.from("second"));
    store.erase(1);
    store.erase(1);
    expect(store.read(1)).toBeNull();
    expect(store.read(2)).toEqual(Buffer.from("other"));
  });

  it("is readable by its owner alone", () => {
    new FileStore(folder).write(7, bytes("key"));
    expect(modeOf(folder)).toBe(0o700);
    expect(modeOf(join(folder, "slot-7"))).toBe(0o600);
  });

  it("ignores and removes what a power cut left unfinished", () => {
    new FileStore(folder).write(1, bytes("old"));
    writeFileSync(join(folder, "slot-1.tmp"), "hal", { mode: 0o644 });
    const store = new FileStore(folder);
    expect(store.read(1)).toEqual(Buffer.from("old"));
    expect(readdirSync(folder)).toEqual(["slot-1"]);
    store.write(1, bytes("new"));
    expect(store.read(1)).toEqual(Buffer.from("new"));
    expect(readdirSync(folder)).toEqual(["slot-1"]);
  });

  it("reports a failing disk and keeps the old value", () => {
    const store = new FileStore(folder);
    store.write(1, bytes("old"));
    mkdirSync(join(folder, "slot-1.tmp"));
    expect(() => store.write(1, bytes("new"))).toThrow();
    expect(store.read(1)).toEqual(Buffer.from("old"));
  });
});

describe("the board's functions", () => {
  const open = (accelerate = false) => {
    const lines: string[] = [];
    const memory = flatMemory();
    const store = new FileStore(folder);
    const hal = boardHal(memory, { store, accelerate, log: (line) => lines.push(line) });
    return { hal, memory, lines };
  };

  it("stores and reads through linear memory, within the room given", () => {
    const { hal, memory } = open();
    memory.write(0, bytes("secret"));
    expect(hal.store_read(1, 100, 10)).toBe(0);
    expect(hal.store_write(1, 0, 6)).toBe(0);
    expect(hal.store_read(1, 100, 5)).toBe(-5);
    expect(hal.store_read(1, 100, 6)).toBe(6);
    expect(memory.all.toString("utf8", 100, 106)).toBe("secret");
    expect(hal.store_write(1, 0, 0)).toBe(0);
    expect(hal.store_read(1, 100, 6)).toBe(0);
  });

  it("turns a failing store into StoreFailed and a line of the log", () => {
    const { hal, lines } = open();
    mkdirSync(join(folder, "slot-3"));
    expect(hal.store_read(3, 0, 10)).toBe(-20);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^E \(\d+\) board: reading slot 3: EISDIR/);
  });

  it("gives entropy, a clock that does not go back, and the core's log", () => {
    const { hal, memory, lines } = open();
    expect(hal.entropy(0, 64)).toBe(0);
    expect(memory.all.subarray(0, 64).equals(Buffer.alloc(64))).toBe(false);
    const first = hal.now_ms();
    expect(hal.now_ms() >= first).toBe(true);
    memory.write(200, bytes("ready"));
    hal.log(2, 200, 5);
    expect(lines[0]).toMatch(/^I \(\d+\) core: ready$/);
    expect(hal.accelerators()).toBe(0);
  });

  it("offers modular exponentiation and AES when asked to", () => {
    const { hal, memory } = open(true);
    expect(hal.accelerators()).toBe(3);
    memory.write(0, new Uint8Array(Buffer.from(AES_KEY, "hex")));
    memory.write(64, new Uint8Array(Buffer.from(AES_BLOCK + AES_BLOCK, "hex")));
    hal.accel_aes256(64, 64, 2, 0);
    expect(memory.all.toString("hex", 64, 96)).toBe(AES_RESULT + AES_RESULT);
    const n = new Uint8Array(128).fill(0xff);
    memory.write(128, n);
    memory.write(300, Uint8Array.of(...new Array(127).fill(0), 3));
    memory.write(500, Uint8Array.of(5));
    expect(hal.accel_mod_exp(600, 300, 500, 1, 128, 128)).toBe(0);
    expect(BigInt(`0x${memory.all.toString("hex", 600, 728)}`)).toBe(243n);
  });
});

// FIPS 197, appendix C.3.
const AES_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const AES_BLOCK = "00112233445566778899aabbccddeeff";
const AES_RESULT = "8ea2b7ca516745bfeafc49904b496089";

describe("the accelerators of node:crypto", () => {
  const toBytes = (x: bigint) =>
    new Uint8Array(Buffer.from(x.toString(16).padStart(256, "0"), "hex"));
  const toNumber = (x: Uint8Array) => BigInt(`0x${Buffer.from(x).toString("hex")}`);
  const reference = (x: bigint, e: bigint, n: bigint) => {
    let result = 1n;
    for (const bit of e.toString(2)) {
      result = (result * result) % n;
      if (bit === "1") result = (result * x) % n;
    }
    return result;
  };
  const n = 2n ** 1024n - 105n;

  it.each([
    [0n, 3n],
    [1n, 3n],
    [2n, 0n],
    [2n, 1n],
    [n - 1n, 3n],
    [n - 1n, 4n],
    [n - 2n, 65537n],
    [2n ** 1000n + 12345n, 2n ** 1023n - 987654321n],
  ])("computes %s ^ %s", (x, e) => {
    expect(toNumber(modExp(toBytes(x), toBytes(e), toBytes(n)))).toBe(reference(x, e, n));
  });

  it("encrypts the block of FIPS 197", () => {
    const block = aes256(Buffer.from(AES_BLOCK, "hex"), Buffer.from(AES_KEY, "hex"));
    expect(Buffer.from(block).toString("hex")).toBe(AES_RESULT);
  });
});
