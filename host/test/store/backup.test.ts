// SPDX-License-Identifier: BSD-3-Clause
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "lmdb";
import { afterAll, describe, expect, it } from "vitest";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { backUpStore, restoreStore } from "../../store/backup.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { SCHEMA_VERSION, StoreError } from "../../store/store.ts";

const root = mkdtempSync(join(tmpdir(), "atmicro-backup-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;
const fresh = (): string => join(root, String(made++));

/** A store with 100 records, closed; gives its folder. */
async function filled(): Promise<string> {
  const folder = fresh();
  const store = await openLmdbStore(folder);
  await store.write((writer) => {
    for (let i = 0; i < 100; i++) {
      writer.put(`k${i}@x`, { value: `${i} ${"v".repeat(1_000)}`, metadata: { version: i } }, "*");
    }
    writer.put("private:p@x", { value: null, metadata: { expiresAt: 5 } });
    writer.logAccess({ atSign: "@bob", verb: "from", time: 1 });
  });
  await store.close();
  return folder;
}

const BUILT = fileURLToPath(new URL("../../../build/host/store/lmdb.js", import.meta.url));

const SPREAD = 8_000;

/**
 * Fills some 30 MB, then writes in one transaction after another two records, always equal, and others all over the file;
 * prints what is acknowledged.
 */
const WRITER = `
  import { openLmdbStore } from ${JSON.stringify(BUILT)};
  const store = await openLmdbStore(process.argv[1]);
  const value = (i) => i + " " + "v".repeat(3000);
  await store.write((writer) => {
    for (let i = 0; i < ${SPREAD}; i++) writer.put("k" + i + "@x", { value: value(0), metadata: {} });
  });
  for (let i = 0; ; i++) {
    await store.write((writer) => {
      const record = { value: String(i), metadata: { version: i } };
      writer.put("left@x", record, "*");
      for (let k = i % 100; k < ${SPREAD}; k += 100) writer.put("k" + k + "@x", { value: value(i), metadata: {} });
      writer.put("right@x", record, "*");
    });
    console.log(i);
  }`;

class Writer {
  acknowledged = -1;
  private readonly child: ChildProcess;

  constructor(folder: string) {
    this.child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    this.child.stdout?.on("data", (chunk) => {
      const lines = `${text}${chunk}`.split("\n");
      text = lines.pop() ?? "";
      if (lines.length > 0) this.acknowledged = Number(lines.at(-1));
    });
  }

  /** Resolves when this many more transactions were acknowledged. */
  async wait(more: number): Promise<void> {
    const until = this.acknowledged + more;
    while (this.acknowledged < until && this.child.stdout) await once(this.child.stdout, "data");
  }

  async end(): Promise<void> {
    const gone = once(this.child, "close");
    this.child.kill("SIGKILL");
    await gone;
  }
}

describe("a backup", () => {
  it("holds everything, in one file nobody else can read", async () => {
    const folder = await filled();
    const file = join(root, "alice.mdb");
    const summary = await backUpStore(folder, file);
    expect(summary).toEqual({
      bytes: statSync(file).size,
      records: 101,
      notifications: 0,
      commitId: 99,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const target = fresh();
    expect(await restoreStore(file, target)).toEqual(summary);
    expect(readdirSync(target)).toEqual(["data.mdb"]);
    expect(statSync(join(target, "data.mdb")).mode & 0o777).toBe(0o600);
    expect(statSync(target).mode & 0o777).toBe(0o700);
    const [before, after] = [await openLmdbStore(folder), await openLmdbStore(target)];
    expect([...after.records()]).toEqual([...before.records()]);
    expect([...after.commitsAfter(-1)]).toEqual([...before.commitsAfter(-1)]);
    expect([...after.accesses()]).toEqual([...before.accesses()]);
    expect(after.expired(10)).toEqual(["private:p@x"]);
    expect(await after.write((tx) => tx.put("n@x", { value: "", metadata: {} }, "*"))).toBe(100);
    await Promise.all([before.close(), after.close()]);
  });

  it("of an empty store is restored to an empty store", async () => {
    const folder = fresh();
    await (await openLmdbStore(folder)).close();
    const file = join(root, "empty.mdb");
    expect(await backUpStore(folder, file)).toMatchObject({ records: 0, commitId: -1 });
    const target = fresh();
    await restoreStore(file, target);
    const store = await openLmdbStore(target);
    expect(store.lastCommitId()).toBe(-1);
    await store.close();
  });

  it("made while another process writes is one moment, not before what was acknowledged", async () => {
    const folder = fresh();
    const writer = new Writer(folder);
    const backups: { file: string; least: number }[] = [];
    try {
      for (let i = 0; i < 4; i++) {
        await writer.wait(20);
        const file = join(root, `running${i}.mdb`);
        backups.push({ file, least: writer.acknowledged });
        await backUpStore(folder, file);
      }
    } finally {
      await writer.end();
    }
    for (const { file, least } of backups) {
      const target = fresh();
      await restoreStore(file, target);
      const store = await openLmdbStore(target);
      const left = Number(store.record("left@x")?.value);
      expect(left).toBeGreaterThanOrEqual(least);
      expect(store.record("right@x")?.value).toBe(String(left));
      expect(store.lastCommitId()).toBe(2 * left + 1);
      expect(store.commitOf("right@x")?.commitId).toBe(2 * left + 1);
      for (let k = 0; k < SPREAD; k++) {
        // The last transaction up to `left` that wrote this one.
        const last = Math.max(0, left - ((((left - k) % 100) + 100) % 100));
        expect(store.record(`k${k}@x`)?.value?.split(" ")[0]).toBe(String(last));
      }
      await store.close();
    }
  });

  it("tells how far it is", async () => {
    const folder = fresh();
    const store = await openLmdbStore(folder);
    await store.write((tx) => {
      for (let i = 0; i < 25_000; i++) tx.put(`k${i}@x`, { value: "v", metadata: {} });
    });
    await store.close();
    const read: number[] = [];
    const progress = (step: object): void => {
      if ("read" in step) read.push(Number(step.read));
    };
    await backUpStore(folder, join(root, "progress.mdb"), { progress });
    expect(read).toEqual([10_000, 20_000]);
  });
});

describe("refused, with nothing changed or left behind", () => {
  it("a folder without a store", async () => {
    const file = join(root, "none.mdb");
    const folder = fresh();
    await expect(backUpStore(folder, file)).rejects.toThrow(`there is no store in ${folder}`);
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(file)).toBe(false);
  });

  it("a backup file that is there", async () => {
    const folder = await filled();
    const file = join(root, "there.mdb");
    writeFileSync(file, "precious");
    await expect(backUpStore(folder, file)).rejects.toMatchObject({ code: "EEXIST" });
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(readdirSync(root).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("a store that is there", async () => {
    const folder = await filled();
    const file = join(root, "over.mdb");
    await backUpStore(folder, file);
    const before = readFileSync(join(folder, "data.mdb"));
    const restored = restoreStore(file, folder);
    await expect(restored).rejects.toThrow(`${folder} holds a store already`);
    await expect(restored).rejects.toMatchObject({ place: "taken" });
    expect(readFileSync(join(folder, "data.mdb")).equals(before)).toBe(true);
    rmSync(join(folder, "data.mdb"));
    await expect(restoreStore(file, folder)).rejects.toThrow("locked by a store that is gone");
    rmSync(join(folder, "lock.mdb"));
    writeFileSync(join(folder, "other"), "stays");
    await restoreStore(file, folder);
    expect(readdirSync(folder).sort()).toEqual(["data.mdb", "other"]);
  });

  it.runIf(existsSync("/proc/locks"))("a store a process has open, which is named", async () => {
    const folder = fresh();
    const writer = new Writer(folder);
    await writer.wait(1);
    const file = join(root, "open.mdb");
    await backUpStore(folder, file);
    await expect(restoreStore(file, folder)).rejects.toThrow(/is in use by process \d+: stop/);
    await writer.end();
    await expect(restoreStore(file, folder)).rejects.toThrow("holds a store already");
  });

  it("a store that a newer program wrote, and a backup of one", async () => {
    const folder = await filled();
    const file = join(root, "newer.mdb");
    const raw = open({ path: folder, maxDbs: 16 });
    await raw.openDB<number, string>({ name: "meta" }).put("schema", SCHEMA_VERSION + 1);
    await raw.close();
    const sentence = `has schema ${SCHEMA_VERSION + 1}, and this program understands schemas up to ${SCHEMA_VERSION}`;
    await expect(backUpStore(folder, file)).rejects.toThrow(sentence);
    expect(existsSync(file)).toBe(false);
    copyFileSync(join(folder, "data.mdb"), file);
    const target = fresh();
    await expect(restoreStore(file, target)).rejects.toThrow(`${file} ${sentence}`);
    expect(existsSync(target)).toBe(false);
  });

  it("what is no backup of an atServer", async () => {
    const file = join(root, "no.mdb");
    const target = join(fresh(), "deep", "er");
    const refuse = (sentence: string | RegExp) =>
      expect(restoreStore(file, target)).rejects.toThrow(sentence);
    await expect(restoreStore(file, target)).rejects.toMatchObject({ code: "ENOENT" });
    writeFileSync(file, "");
    await refuse(`${file} is empty: use another backup`);
    writeFileSync(file, "x".repeat(50_000));
    await refuse(`${file} is no store, or its beginning is damaged: use another backup`);
    rmSync(file);
    const whole = join(root, "whole.mdb");
    await backUpStore(await filled(), whole);
    copyFileSync(whole, file);
    truncateSync(file, Math.floor(statSync(file).size / 2));
    await refuse(/no\.mdb is cut off \(\d+ bytes are there, \d+ belong to it\): use another/);
    const directory = fresh();
    const names = await openDirectoryStore(directory);
    await names.set("@alice", { host: "host", port: 1 });
    await names.close();
    copyFileSync(join(directory, "data.mdb"), file);
    await refuse(`${file} holds nothing of an atServer`);
    await expect(restoreStore(root, target)).rejects.toThrow(`${root} is no file`);
    expect(existsSync(join(target, "..", ".."))).toBe(false);
  });

  it("a store whose file is damaged", async () => {
    const folder = await filled();
    truncateSync(join(folder, "data.mdb"), 9_000);
    const file = join(root, "damaged.mdb");
    await expect(backUpStore(folder, file)).rejects.toThrow(StoreError);
    await expect(backUpStore(folder, file)).rejects.toThrow("is cut off (9000 bytes are there");
    expect(existsSync(file)).toBe(false);
  });

  it("what is interrupted", async () => {
    const folder = await filled();
    const file = join(root, "interrupted.mdb");
    const signal = AbortSignal.abort();
    await expect(backUpStore(folder, file, { signal })).rejects.toThrow("was interrupted");
    await backUpStore(folder, file);
    const target = fresh();
    mkdirSync(target);
    await expect(restoreStore(file, target, { signal })).rejects.toThrow("was interrupted");
    expect(readdirSync(target)).toEqual([]);
    expect(readdirSync(root).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
