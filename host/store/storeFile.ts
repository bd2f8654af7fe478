// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
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

/** Reads every entry in a process of its own: reading a page that is gone ends a process. */
function isReadable(folder: string): boolean {
  const lmdb = createRequire(import.meta.url).resolve("lmdb");
  const program = `
    const { open } = require(${JSON.stringify(lmdb)});
    const root = open({ path: process.argv[1], readOnly: true, maxDbs: 64 });
    for (const name of [...root.getKeys()]) {
      const entries = root.openDB({ name, encoding: "binary" }).getRange();
      for (const { value } of entries) value.length;
    }`;
  return spawnSync(process.execPath, ["-e", program, folder], { stdio: "ignore" }).status === 0;
}

/**
 * Looks at the file of a store before it is opened: LMDB takes an empty file for a new store, and its process dies when
 * it reads behind the end of one that was cut off. Throws StoreError with a sentence.
 */
export function checkStoreFile(folder: string): void {
  const path = join(folder, "data.mdb");
  if (!existsSync(path)) return;
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size === 0) {
      throw new StoreError(
        `${path} is empty: restore a backup, or remove it to begin with an empty store`,
      );
    }
    const head = Buffer.alloc(MAX_PAGE + META_BYTES);
    const length = readSync(file, head, 0, head.length, 0);
    const meta = latestMeta(head.subarray(0, length));
    if (meta === undefined) {
      throw new StoreError(`${path} is no store, or its beginning is damaged: restore a backup`);
    }
    // A sound file may be shorter than its last page says, when the pages at its end were never used.
    const whole = (meta.lastPage + 1n) * BigInt(meta.pageSize);
    if (BigInt(size) < whole && !isReadable(folder)) {
      throw new StoreError(
        `${path} is cut off: ${size} bytes are there, ${whole} belong to it; restore a backup`,
      );
    }
  } finally {
    closeSync(file);
  }
}
