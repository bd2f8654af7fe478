// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { stage2Checksum } from "../emulator/rp2040/bootRom.ts";
import { secondStageChecksum, uf2, withSecondStageChecksum } from "../make/images.mjs";

describe("the second stage's checksum", () => {
  it("is CRC-32/MPEG-2: 0x0376e6e7 of the digits 1 to 9", () => {
    const digits = Buffer.from("123456789");
    expect(secondStageChecksum(digits)).toBe(0x0376_e6e7);
    expect(stage2Checksum(digits)).toBe(0x0376_e6e7);
  });

  it("stands in the last four bytes, little-endian", () => {
    const stage = Buffer.alloc(256);
    stage.write("code");
    const whole = withSecondStageChecksum(stage);
    expect(whole.length).toBe(256);
    expect(whole.readUInt32LE(252)).toBe(secondStageChecksum(stage.subarray(0, 252)));
    expect(whole.subarray(0, 252)).toEqual(stage.subarray(0, 252));
  });

  it("is refused where there is no room for it", () => {
    expect(() => withSecondStageChecksum(Buffer.alloc(257))).toThrow(RangeError);
    expect(() => withSecondStageChecksum(Buffer.alloc(256, 1))).toThrow(RangeError);
  });
});

describe("a UF2 file", () => {
  it("holds the image in numbered blocks of 256 bytes for the RP2040", () => {
    const image = Buffer.from(Array.from({ length: 300 }, (_, i) => i & 0xff));
    const file = uf2(image, { address: 0x1000_0000, family: 0xe48b_ff56 });
    expect(file.length).toBe(2 * 512);
    const words = (block: number) =>
      Array.from({ length: 8 }, (_, i) => file.readUInt32LE(block * 512 + i * 4));
    expect(words(0)).toEqual([
      0x0a32_4655, 0x9e5d_5157, 0x2000, 0x1000_0000, 256, 0, 2, 0xe48b_ff56,
    ]);
    expect(words(1).slice(3, 7)).toEqual([0x1000_0100, 256, 1, 2]);
    expect(file.readUInt32LE(508)).toBe(0x0ab1_6f30);
    expect(file.readUInt32LE(1020)).toBe(0x0ab1_6f30);
    expect(file.subarray(32, 288)).toEqual(image.subarray(0, 256));
    expect(file.subarray(544, 588)).toEqual(image.subarray(256));
    expect(file.subarray(588, 1020).every((byte) => byte === 0)).toBe(true);
  });
});
