// SPDX-License-Identifier: BSD-3-Clause
// What is flashed: the second stage's checksum, and UF2 files.

/** CRC-32 of the RP2040's second stage (datasheet, 2.8.1.3.1): 0x04c11db7, most significant bit first, initially ones. @param {Uint8Array} bytes */
export function secondStageChecksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** The 256 bytes with the checksum of the first 252 in the last four. Throws RangeError when there is no room for it. @param {Uint8Array} stage */
export function withSecondStageChecksum(stage) {
  if (stage.length !== 256 || stage.subarray(252).some((byte) => byte !== 0)) {
    throw new RangeError("the second stage is more than 252 bytes");
  }
  const whole = Buffer.from(stage);
  whole.writeUInt32LE(secondStageChecksum(stage.subarray(0, 252)), 252);
  return whole;
}

const UF2 = { first: 0x0a324655, second: 0x9e5d5157, last: 0x0ab16f30, hasFamily: 0x2000 };
const UF2_PAYLOAD = 256;

/**
 * A UF2 file (github.com/microsoft/uf2) of an image for the chip of that family, to be written from the address on.
 * @param {Buffer} image
 * @param {{ address: number, family: number }} place
 */
export function uf2(image, { address, family }) {
  const blocks = Math.ceil(image.length / UF2_PAYLOAD);
  return Buffer.concat(
    Array.from({ length: blocks }, (_, n) => {
      const block = Buffer.alloc(512);
      const words = [
        UF2.first,
        UF2.second,
        UF2.hasFamily,
        address + n * UF2_PAYLOAD,
        UF2_PAYLOAD,
        n,
        blocks,
        family,
      ];
      words.forEach((word, i) => {
        block.writeUInt32LE(word, i * 4);
      });
      image.copy(block, 32, n * UF2_PAYLOAD, (n + 1) * UF2_PAYLOAD);
      block.writeUInt32LE(UF2.last, 508);
      return block;
    }),
  );
}
