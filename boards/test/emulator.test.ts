// SPDX-License-Identifier: BSD-3-Clause
// The emulated chip punishes what silicon would punish. Programs here are a few Thumb instructions, assembled by hand.
import { describe, expect, it } from "vitest";
import { DeviceClock } from "../emulator/clock.ts";
import { Flash } from "../emulator/flash.ts";
import { stage2Checksum } from "../emulator/rp2040/bootRom.ts";
import { Rp2040Emulator } from "../emulator/rp2040/rp2040Emulator.ts";

const LDR_R0 = 0x4800;
const LDR_R1 = 0x4900;
const BKPT_STOP = 0xbe00 | 250;

/** An image whose second stage is these halfwords, with words behind them at the offset 0x40. */
function image(code: readonly number[], words: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  code.forEach((halfword, i) => {
    view.setUint16(i * 2, halfword, true);
  });
  words.forEach((word, i) => {
    view.setUint32(0x40 + i * 4, word, true);
  });
  view.setUint32(252, stage2Checksum(bytes.subarray(0, 252)), true);
  return bytes;
}

/** LDR rN from the word `index` behind the code, for the instruction at halfword `at`. */
const load = (register: number, at: number, index: number) =>
  register | ((0x40 + index * 4 - (((at * 2) & ~3) + 4)) >> 2);

const run = (bytes: Uint8Array) =>
  new Rp2040Emulator({ flash: new Flash(bytes) }).run({ deviceMs: 1_000 });

describe("the emulated RP2040", () => {
  it("runs the second stage from SRAM and stops at the mark", async () => {
    expect(await run(image([BKPT_STOP]))).toEqual({ kind: "stopped", code: 250 });
  });

  it("refuses a second stage with another checksum", async () => {
    const broken = image([BKPT_STOP]);
    broken[8] = 1;
    expect(await run(broken)).toMatchObject({
      kind: "fault",
      message: expect.stringContaining("the second stage's checksum is"),
    });
  });

  it.each<[string, number, number]>([
    ["read from address 20000001, which is not 32 bit aligned", 0x6800, 0x2000_0001],
    ["write of a word at 0x20000002", 0x6001, 0x2000_0002],
    ["read of a halfword at 0x20000001", 0x8801, 0x2000_0001],
    ["write of a halfword at 0x20000003", 0x8001, 0x2000_0003],
    ["Read from invalid memory address: 30000000", 0x6801, 0x3000_0000],
    ["Write to undefined address: 30000000", 0x6001, 0x3000_0000],
    ["read of 0x00000000, where there is nothing to read", 0x6801, 0],
    ["write to 0x00000000", 0x6001, 0],
    ["Read from invalid memory address: 10000100", 0x6801, 0x1000_0100],
    ["write to 0x10000100", 0x6001, 0x1000_0100],
  ])("ends with a message: %s", async (message, instruction, address) => {
    const end = await run(image([load(LDR_R0, 0, 0), instruction, BKPT_STOP], [address]));
    expect(end).toEqual({ kind: "fault", message: expect.stringContaining(message) });
  });

  it("ends when the device sleeps for ever, at the time allowed", async () => {
    expect(await run(image([0xbf30, 0xe7fd]))).toEqual({ kind: "time" });
  });

  it("restarts by the watchdog, which remembers why and its scratch", async () => {
    // r0 = WATCHDOG; when REASON is 0: SCRATCH0 = r1, CTRL = TRIGGER, for ever; else stop.
    const code = [
      load(LDR_R0, 0, 0),
      0x6882, // ldr r2, [r0, #8]
      0x2a00, // cmp r2, #0
      0xd104, // bne stop
      load(LDR_R1, 4, 1),
      0x60c1, // str r1, [r0, #12]
      load(LDR_R1, 6, 2),
      0x6001, // str r1, [r0]
      0xe7fe, // b .
      0x68c3, // stop: ldr r3, [r0, #12]
      BKPT_STOP,
    ];
    const words = [0x4005_8000, 0x1234_5678, 0x8000_0000];
    const emulator = new Rp2040Emulator({ flash: new Flash(image(code, words)) });
    expect(await emulator.run({ deviceMs: 1_000 })).toEqual({ kind: "stopped", code: 250 });
    expect(emulator.resets).toBe(1);
    expect(emulator.chip?.core.registers[2]).toBe(2);
    expect(emulator.chip?.core.registers[3]).toBe(0x1234_5678);
  });
});

describe("the flash", () => {
  it("clears bits by programming and sets them by erasing a sector", () => {
    const flash = new Flash();
    flash.program(256, new Uint8Array(256).fill(0x0f));
    flash.program(256, new Uint8Array(256).fill(0x0e));
    expect(flash.bytes.subarray(255, 258)).toEqual(Uint8Array.of(0xff, 0x0e, 0x0e));
    expect(() => flash.program(256, new Uint8Array(256).fill(0x10))).toThrow("would set bits");
    flash.erase(0, 4096);
    expect(flash.bytes[256]).toBe(0xff);
    expect(flash.log.map(({ kind, offset }) => `${kind} ${offset}`)).toEqual([
      "program 256",
      "program 256",
      "program 256",
      "erase 0",
    ]);
  });

  it("takes whole pages and sectors only", () => {
    const flash = new Flash();
    expect(() => flash.program(1, new Uint8Array(256))).toThrow("not whole units");
    expect(() => flash.program(0, new Uint8Array(255))).toThrow("not whole units");
    expect(() => flash.erase(256, 4096)).toThrow("not whole units");
    expect(() => flash.erase(2 * 1024 * 1024, 4096)).toThrow("not whole units");
  });

  it("loses power in the middle of the operation asked for, once", () => {
    const flash = new Flash();
    flash.arm({ operation: 2, bytes: 3 });
    flash.program(0, new Uint8Array(256));
    expect(() => flash.program(256, new Uint8Array(256))).toThrow("power was cut");
    expect([...flash.bytes.subarray(256, 260)]).toEqual([0, 0, 0, 0xff]);
    flash.program(512, new Uint8Array(256));
    expect(flash.bytes[512]).toBe(0);
  });
});

describe("the device's clock", () => {
  it("fires alarms in the order of their times, at their times", () => {
    const clock = new DeviceClock();
    const seen: [string, number][] = [];
    const late = clock.createAlarm(() => seen.push(["late", clock.nanos]));
    const early = clock.createAlarm(() => {
      seen.push(["early", clock.nanos]);
      if (seen.length < 3) early.schedule(10);
    });
    const never = clock.createAlarm(() => seen.push(["never", clock.nanos]));
    late.schedule(15);
    early.schedule(10);
    never.schedule(12);
    never.cancel();
    clock.tick(18);
    expect(seen).toEqual([
      ["early", 10],
      ["late", 15],
    ]);
    expect(clock.nanosToNextAlarm).toBe(2);
    clock.tick(2);
    expect(seen.at(-1)).toEqual(["early", 20]);
    expect(clock.nanosToNextAlarm).toBe(Number.POSITIVE_INFINITY);
  });
});
