// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { isReadable } from "./isolated.ts";
import { StoreError } from "./store.ts";

/** Places in the two meta pages of an LMDB file (MDB_meta, behind the page's header of 24 bytes), little-endian. */
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TXN_ID_AT = 152;
const META_BYTES = 160;
const MAGIC = 0xbeefc0de;
const MIN_PAGE = 512;
const MAX_PAGE = 65_536;

interface Meta {
  pageSize: number;
  lastPage: bigint;
  txnId: bigint;
}

function parseMeta(page: Buffer): Meta | undefined {
  if (page.length < META_BYTES || page.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  const pageSize = page.readUInt32LE(PAGE_SIZE_AT);
  if (pageSize < MIN_PAGE || pageSize > MAX_PAGE || (pageSize & (pageSize - 1)) !== 0) {
    return undefined;
  }
  const lastPage = page.readBigUInt64LE(LAST_PAGE_AT);
  return { pageSize, lastPage, txnId: page.readBigUInt64LE(TXN_ID_AT) };
}

/** The later of the two metas that can be read. */
function latestMeta(head: Buffer): Meta | undefined {
  const first = parseMeta(head);
  const sizes = first === undefined ? [4_096, 8_192, 16_384, 32_768] : [first.pageSize];
  for (const size of sizes) {
    const second = parseMeta(head.subarray(size));
    if (second !== undefined && (first === undefined || second.txnId > first.txnId)) return second;
  }
  return first;
}

const EMPTY = "is empty";

/** What is wrong with the file of the store in a folder, said after the file's name; undefined when nothing is. */
export function damageOf(folder: string): string | undefined {
  const file = openSync(dataFile(folder), "r");
  try {
    const { size } = fstatSync(file);
    if (size === 0) return EMPTY;
    const head = Buffer.alloc(MAX_PAGE + META_BYTES);
    const length = readSync(file, head, 0, head.length, 0);
    const meta = latestMeta(head.subarray(0, length));
    if (meta === undefined) return "is no store, or its beginning is damaged";
    // A sound file may be shorter than its last page says, when the pages at its end were never used.
    const whole = (meta.lastPage + 1n) * BigInt(meta.pageSize);
    if (BigInt(size) >= whole || isReadable(folder)) return undefined;
    return `is cut off (${size} bytes are there, ${whole} belong to it)`;
  } finally {
    closeSync(file);
  }
}

/** The file LMDB keeps everything in. */
export function dataFile(folder: string): string {
  return join(folder, "data.mdb");
}

/**
 * Looks at the file of a store before it is opened: LMDB takes an empty file for a new store, and its process dies when
 * it reads behind the end of one that was cut off. Throws StoreError with a sentence.
 */
export function checkStoreFile(folder: string): void {
  if (!existsSync(dataFile(folder))) return;
  const damage = damageOf(folder);
  if (damage === undefined) return;
  const remedy =
    damage === EMPTY
      ? "restore a backup, or remove it to begin with an empty store"
      : "restore a backup";
  throw new StoreError(`${dataFile(folder)} ${damage}: ${remedy}`);
}
