// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { isReadable } from "./isolated.ts";
import { StoreError } from "./store.ts";

/** Places in a page of an LMDB file (MDB_page), little-endian. */
const PAGE_NUMBER_AT = 0;
const FLAGS_AT = 18;
const HEADER_BYTES = 24;
const BRANCH = 0x01;
const LEAF = 0x02;
const META = 0x08;

/** Places in the two meta pages, which the file begins with (MDB_meta, behind the page's header). */
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_SIZE_AT = 48;
/** The trees of free pages and of databases (MDB_db): their flags, their depth and the page of their root. */
const TREES = [
  { flagsAt: 52, depthAt: 54, rootAt: 88 },
  { flagsAt: 100, depthAt: 102, rootAt: 136 },
] as const;
/** May differ: it says how a transaction was flushed. */
const OVERLAPPING_SYNC = 0x1000;
const LAST_PAGE_AT = 144;
const TXN_ID_AT = 152;
const META_BYTES = 160;
const MAGIC = 0xbeefc0de;
const MIN_PAGE = 512;
const MAX_PAGE = 65_536;
const MAX_DEPTH = 32;
/** The root of a tree without entries. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

interface Meta {
  /** What is the same in both: version, page size and the trees' flags. */
  format: string;
  pageSize: number;
  lastPage: bigint;
  txnId: bigint;
  /** Pages of the roots of its trees, without those that have no entries. */
  roots: bigint[];
}

function isPageSize(bytes: number): boolean {
  return bytes >= MIN_PAGE && bytes <= MAX_PAGE && (bytes & (bytes - 1)) === 0;
}

/** Roots of the trees a meta page names; undefined when it can't be. */
function rootsOf(page: Buffer, lastPage: bigint): bigint[] | undefined {
  const roots: bigint[] = [];
  for (const { depthAt, rootAt } of TREES) {
    const root = page.readBigUInt64LE(rootAt);
    const depth = page.readUInt16LE(depthAt);
    if ((root === NO_PAGE) !== (depth === 0) || depth > MAX_DEPTH) return undefined;
    if (root === NO_PAGE) continue;
    if (root < 2n || root > lastPage) return undefined;
    roots.push(root);
  }
  return roots;
}

/** Reads the meta page `number`, 0 or 1; undefined when it is not one. */
function parseMeta(page: Buffer, number: number): Meta | undefined {
  if (page.length < META_BYTES || page.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  if (page.readBigUInt64LE(PAGE_NUMBER_AT) !== BigInt(number)) return undefined;
  if ((page.readUInt16LE(FLAGS_AT) & META) === 0) return undefined;
  const pageSize = page.readUInt32LE(PAGE_SIZE_AT);
  if (!isPageSize(pageSize)) return undefined;
  const lastPage = page.readBigUInt64LE(LAST_PAGE_AT);
  const roots = rootsOf(page, lastPage);
  if (roots === undefined) return undefined;
  const flags = TREES.map(({ flagsAt }) => page.readUInt16LE(flagsAt) & ~OVERLAPPING_SYNC);
  const format = [page.readUInt32LE(VERSION_AT), pageSize, ...flags].join();
  return { format, pageSize, lastPage, txnId: page.readBigUInt64LE(TXN_ID_AT), roots };
}

/** Where the second meta page may be when the first doesn't tell. */
const PAGE_SIZES = [4_096, 8_192, 16_384, 32_768];

const NO_STORE = "is no store, or its beginning is damaged";
const HALF_DAMAGED =
  "has a damaged beginning: one of its two header pages can't be read, and what was written last may be gone";

/** The later of the two metas, or what is wrong with them: a sound file has both, also after a power cut. */
function latestMeta(head: Buffer): Meta | string {
  const first = parseMeta(head, 0);
  const sizes = first === undefined ? PAGE_SIZES : [first.pageSize];
  const second = sizes
    .map((size) => parseMeta(head.subarray(size), 1))
    .find((meta) => meta !== undefined);
  if (first === undefined && second === undefined) return NO_STORE;
  if (first === undefined || second === undefined) return HALF_DAMAGED;
  if (first.format !== second.format) return HALF_DAMAGED;
  return second.txnId > first.txnId ? second : first;
}

/** Whether a page is the root of a tree. */
function isRoot(file: number, number: bigint, { pageSize }: Meta): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  const length = readSync(file, header, 0, HEADER_BYTES, Number(number) * pageSize);
  if (length < HEADER_BYTES || header.readBigUInt64LE(PAGE_NUMBER_AT) !== number) return false;
  const flags = header.readUInt16LE(FLAGS_AT);
  return (flags & BRANCH) !== 0 || (flags & LEAF) !== 0;
}

/** Looks at a file that changes meanwhile. */
const MAX_LOOKS = 10;

const EMPTY = "is empty";
const NO_FILE = "is not a file";
const remedies: Readonly<Record<string, string>> = {
  [EMPTY]: "restore a backup, or remove it to begin with an empty store",
  [NO_FILE]: "move it away, or name another folder",
};

function readHead(file: number): Buffer {
  const head = Buffer.alloc(MAX_PAGE + META_BYTES);
  return head.subarray(0, readSync(file, head, 0, head.length, 0));
}

/** What is wrong with a file that begins with `head`. */
function judge(file: number, head: Buffer, folder: string): string | undefined {
  // Behind the head: a file grows before its header says so.
  const { size } = fstatSync(file);
  if (size === 0) return EMPTY;
  const meta = latestMeta(head);
  if (typeof meta === "string") return meta;
  // A sound file may be shorter than its last page says, when the pages at its end were never used.
  const whole = (meta.lastPage + 1n) * BigInt(meta.pageSize);
  if (BigInt(size) < whole && !isReadable(folder)) {
    return `is cut off (${size} bytes are there, ${whole} belong to it)`;
  }
  return meta.roots.every((root) => isRoot(file, root, meta))
    ? undefined
    : "is damaged: a page that leads to all others can't be read";
}

/** What is wrong with the file of the store in a folder, said after the file's name; undefined when nothing is. */
export function damageOf(folder: string): string | undefined {
  const file = openSync(dataFile(folder), "r");
  try {
    if (!fstatSync(file).isFile()) return NO_FILE;
    let head = readHead(file);
    for (let look = 1; ; look++) {
      const damage = judge(file, head, folder);
      if (damage === undefined || look === MAX_LOOKS) return damage;
      const again = readHead(file);
      // A server that writes at this moment may be in the middle of its header.
      if (again.equals(head)) return damage;
      head = again;
    }
  } finally {
    closeSync(file);
  }
}

/** The file LMDB keeps everything in. */
export function dataFile(folder: string): string {
  return join(folder, "data.mdb");
}

/**
 * Looks at the file of a store before it is opened: LMDB takes an empty file for a new store and a damaged header page for
 * none that was ever written, and its process dies when what it reads first is damaged or cut off. Throws StoreError with a
 * sentence.
 */
export function checkStoreFile(folder: string): void {
  if (!existsSync(dataFile(folder))) return;
  const damage = damageOf(folder);
  if (damage === undefined) return;
  const remedy = remedies[damage] ?? "restore a backup";
  throw new StoreError(`${dataFile(folder)} ${damage}: ${remedy}`);
}
