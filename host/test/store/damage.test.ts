// SPDX-License-Identifier: BSD-3-Clause
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { StoreError } from "../../store/store.ts";

const NOBODY = 65_534;
const root = mkdtempSync(join(tmpdir(), "atmicro-damage-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;

/** A store with some records, closed; gives its folder. */
async function filled(): Promise<string> {
  const folder = join(root, String(made++));
  const store = await openLmdbStore(folder);
  await store.write((writer) => {
    for (let i = 0; i < 200; i++) {
      writer.put(`k${i}@x`, { value: "v".repeat(1_000), metadata: {} }, "*");
    }
  });
  await store.close();
  return folder;
}

const dataOf = (folder: string): string => join(folder, "data.mdb");

const HALF =
  "has a damaged beginning: one of its two header pages can't be read, and what was written last may be gone: restore a backup";

function overwrite(path: string, at: number, length: number, value = 0): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(length, value), 0, length, at);
  closeSync(file);
}

/** The page of the root of all databases, as the later header page names it (MDB_meta). */
function rootOf(path: string): number {
  const pages = [0, 4_096].map((at) => readFileSync(path).subarray(at, at + 160));
  const [first, second] = pages.map((page) => page.readBigUInt64LE(152));
  const later = pages[(second ?? 0n) > (first ?? 0n) ? 1 : 0];
  return Number(later?.readBigUInt64LE(136));
}

/** Runs as somebody who owns nothing, so that permissions hold for root too. */
async function asNobody(action: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe("a damaged store is refused with a sentence and left as it is", () => {
  it.each([
    ["empty", (path: string) => truncateSync(path, 0), "is empty: restore a backup, or remove it"],
    [
      "not a store",
      (path: string) => writeFileSync(path, "x".repeat(200_000)),
      "is no store, or its beginning is damaged: restore a backup",
    ],
    [
      "shorter than its beginning",
      (path: string) => truncateSync(path, 100),
      "is no store, or its beginning is damaged: restore a backup",
    ],
    [
      "cut in half",
      (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2)),
      /is cut off \(\d+ bytes are there, \d+ belong to it\): restore a backup/,
    ],
    [
      "cut to its first pages",
      (path: string) => truncateSync(path, 8_192),
      /is cut off \(8192 bytes are there, \d+ belong to it\): restore a backup/,
    ],
    ["with a zeroed first header page", (path: string) => overwrite(path, 0, 4_096), HALF],
    ["with a zeroed second header page", (path: string) => overwrite(path, 4_096, 4_096), HALF],
    [
      "with both header pages zeroed",
      (path: string) => overwrite(path, 0, 8_192),
      "is no store, or its beginning is damaged: restore a backup",
    ],
    [
      "with garbage in its first header page",
      (path: string) => overwrite(path, 0, 160, 0xa5),
      HALF,
    ],
    ["with a header page of another format", (path: string) => overwrite(path, 53, 1, 0xff), HALF],
    ["with a root that can't be", (path: string) => overwrite(path, 4_096 + 136, 8, 0x7f), HALF],
    [
      "with a zeroed root",
      (path: string) => overwrite(path, rootOf(path) * 4_096, 4_096),
      "is damaged: a page that leads to all others can't be read: restore a backup",
    ],
  ])("%s", async (_, damage, sentence) => {
    const folder = await filled();
    damage(dataOf(folder));
    const before = readFileSync(dataOf(folder));
    const opened = openLmdbStore(folder);
    await expect(opened).rejects.toThrow(StoreError);
    await expect(opened).rejects.toThrow(sentence);
    await expect(openDirectoryStore(folder)).rejects.toThrow(sentence);
    expect(readFileSync(dataOf(folder)).equals(before)).toBe(true);
  });

  it("by the command line too", async () => {
    const folder = await filled();
    truncateSync(dataOf(folder), 0);
    const errors: string[] = [];
    const io = {
      stdout: () => undefined,
      stderr: (line: string) => errors.push(line),
      stdin: async () => "",
      env: {},
      signal: new AbortController().signal,
    };
    expect(await run(["directory", "get", "@alice", "--store", folder], io)).toBe(1);
    expect(errors.join("\n")).toBe(
      `atmicro: ${dataOf(folder)} is empty: restore a backup, or remove it to begin with an empty store`,
    );
  });
});

describe("a store", () => {
  it("is opened although the file is shorter than its last page, when nothing is missing", async () => {
    const folder = await filled();
    const store = await openLmdbStore(folder);
    await store.write((writer) => {
      writer.put("large@x", { value: "v".repeat(5_000_000), metadata: {} });
      writer.remove("large@x", false);
    });
    await store.close();
    expect(statSync(dataOf(folder)).size).toBeLessThan(5_000_000);
    const again = await openLmdbStore(folder);
    expect(again.record("k199@x")?.value).toHaveLength(1_000);
    await again.close();
  });

  it("is opened although something follows its last page", async () => {
    const folder = await filled();
    appendFileSync(dataOf(folder), "x".repeat(10_001));
    const store = await openLmdbStore(folder);
    expect(store.record("k199@x")?.value).toHaveLength(1_000);
    await store.write((writer) => writer.put("more@x", { value: "1", metadata: {} }));
    await store.close();
    const again = await openLmdbStore(folder);
    expect(again.record("more@x")?.value).toBe("1");
    await again.close();
  });

  it("in a folder that may not be written is refused", async () => {
    const folder = await filled();
    chmodSync(root, 0o755);
    chmodSync(dataOf(folder), 0o444);
    chmodSync(folder, 0o555);
    const inside = join(folder, "new");
    await asNobody(async () => {
      await expect(openLmdbStore(folder)).rejects.toThrow(
        `the store in ${folder} can't be opened: Permission denied`,
      );
      await expect(openLmdbStore(inside)).rejects.toThrow(
        new RegExp(`the store in ${inside} can't be opened: EACCES: permission denied`),
      );
      await expect(openDirectoryStore(inside)).rejects.toThrow("permission denied");
    });
    chmodSync(folder, 0o700);
  });

  it("where a file is in the way is refused", async () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    await expect(openLmdbStore(file)).rejects.toThrow(`the store in ${file} can't be opened: `);
    const folder = join(root, "taken");
    mkdirSync(dataOf(folder), { recursive: true });
    await expect(openLmdbStore(folder)).rejects.toThrow(
      `${dataOf(folder)} is not a file: move it away`,
    );
  });
});
