// SPDX-License-Identifier: BSD-3-Clause
// Flashes of the store with eight sectors, and a reader of its own for what they hold.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { crc32, type Provisioning } from "../js/provisioning.ts";

const PAGE = 256;
const HEAD = 12;

/**
 * provisioned: as it was written; enrolled: the first half alone; secondHalf, firstHalf: that one is the newer of two.
 * 32,768 bytes.
 */
export function eightSectors(
  name: "provisioned" | "enrolled" | "secondHalf" | "firstHalf",
): Buffer {
  const file = new URL("./vectors/eightSectors.json", import.meta.url);
  const { images } = JSON.parse(readFileSync(file, "utf8"));
  return gunzipSync(Buffer.from(images[name], "base64"));
}

/** Generation of the half in these bytes, 0: there is none. */
function generationOf(half: Buffer): number {
  return half.toString("latin1", 0, 3) === "atm" ? half.readUInt32LE(4) : 0;
}

/** The record at an offset: its number, its value and its length in bytes, a multiple of a page; null: there is none. */
function recordAt(half: Buffer, at: number) {
  if (half.toString("latin1", at, at + 4) !== "rec\u0001") return null;
  const length = half.readUInt16LE(at + 6);
  const value = half.subarray(at + HEAD, at + HEAD + length);
  const checked = Buffer.concat([half.subarray(at + 4, at + 8), value]);
  if (crc32(checked) !== half.readUInt32LE(at + 8)) return null;
  return {
    number: half.readUInt16LE(at + 4),
    value,
    bytes: PAGE * Math.ceil((HEAD + length) / PAGE),
  };
}

/** Values by number of the newest of the halves a store has. */
export function valuesOf(store: Buffer, halves = 2): Map<number, Buffer> {
  const size = store.length / halves;
  const parts = Array.from({ length: halves }, (_, i) => store.subarray(i * size, (i + 1) * size));
  const newest = parts.reduce((a, b) => (generationOf(b) > generationOf(a) ? b : a));
  const values = new Map<number, Buffer>();
  for (let at = PAGE; at + HEAD <= newest.length; ) {
    const record = recordAt(newest, at);
    if (record) values.set(record.number, record.value);
    at += record?.bytes ?? PAGE;
  }
  return values;
}

/** The pages a record of the store takes. */
function recordOf(number: number, value: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from("rec\u0001"), Buffer.alloc(8)]);
  head.writeUInt16LE(number, 4);
  head.writeUInt16LE(value.length, 6);
  head.writeUInt32LE(crc32(Buffer.concat([head.subarray(4, 8), value])), 8);
  const filling = (PAGE - ((HEAD + value.length) % PAGE)) % PAGE;
  return Buffer.concat([head, value, Buffer.alloc(filling, 0xff)]);
}

/** A store of eight sectors that holds these values in that half, the other one being erased. */
export function storeOfEight(values: ReadonlyMap<number, Buffer>, half: 0 | 1): Buffer {
  const store = Buffer.alloc(8 * 4096, 0xff);
  const head = Buffer.concat([Buffer.from("atms"), Buffer.alloc(8)]);
  head.writeUInt32LE(5, 4);
  head.writeUInt32LE(crc32(head.subarray(0, 8)), 8);
  const records = [...values].map(([number, value]) => recordOf(number, value));
  store.set(head, half * 4 * 4096);
  store.set(Buffer.concat(records), half * 4 * 4096 + PAGE);
  return store;
}

/** The certificate these devices trust, as PEM. */
function authority(): string {
  const der = valuesOf(eightSectors("provisioned")).get(17)?.subarray(2) ?? Buffer.alloc(0);
  return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** What another device is told. */
export const provisioning: Provisioning = {
  atSign: "@other",
  directory: "localhost:64",
  app: "other",
  device: "other",
  namespaces: { other: "rw" },
  peer: "@alice",
  intervalMs: 1000,
  authorities: authority(),
};
