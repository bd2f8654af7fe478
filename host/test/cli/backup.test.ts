// SPDX-License-Identifier: BSD-3-Clause
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import { openLmdbStore } from "../../store/lmdb.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "atmicro-cli-backup-"));
const filled = join(root, "alice");

beforeAll(async () => {
  const store = await openLmdbStore(filled);
  await store.write((writer) => {
    for (let i = 0; i < 10_000; i++) {
      writer.put(`k${i}@alice`, { value: "v".repeat(400), metadata: {} }, "*");
    }
  });
  await store.close();
});
afterAll(() => rmSync(root, { recursive: true }));

type Outcome = {
  readonly code: number;
  readonly out: string[];
  readonly err: string;
  readonly progress: string[];
};

async function atmicro(...args: string[]): Promise<Outcome> {
  const out: string[] = [];
  const progress: string[] = [];
  let err = "";
  const code = await run(["server", ...args], {
    stdout: (line) => out.push(line),
    stderr: (line) => {
      err += `${line}\n`;
    },
    progress: (line) => progress.push(line),
    stdin: async () => "",
    env: {},
    signal: new AbortController().signal,
  });
  return { code, out, err, progress };
}

describe("atmicro server backup and restore", () => {
  it("say what is in the backup, for people and for machines", async () => {
    const file = join(root, "alice.mdb");
    const made = await atmicro("backup", "--store", filled, "--to", file);
    const { size } = statSync(file);
    expect(made).toMatchObject({ code: 0, err: "" });
    const about = `10000 records, 0 notifications, last commit 9999, ${size} bytes; read again from end to end`;
    expect(made.out).toEqual([`${file}: ${about}`]);
    expect(made.progress).toContain("reading it again: 10000 entries");
    expect(made.progress.at(-1)).toBe("");
    const store = join(root, "restored");
    const restored = await atmicro("restore", "--from", file, "--store", store, "--json");
    expect(restored.out.map((line) => JSON.parse(line))).toEqual([
      { store, bytes: size, records: 10_000, notifications: 0, commitId: 9_999 },
    ]);
    const opened = await openLmdbStore(store);
    expect(opened.record("k9999@alice")?.value).toHaveLength(400);
    await opened.close();
  });

  it("make the folder a backup is to be in", async () => {
    const file = join(root, "new", "folder", "alice.mdb");
    expect((await atmicro("backup", "--store", filled, "--to", file)).code).toBe(0);
    expect(statSync(join(root, "new")).mode & 0o777).toBe(0o700);
  });

  it.each([
    [["backup", "--store", "NO", "--to", "new.mdb"], 10, "there is no store in "],
    [["backup", "--store", "alice", "--to", "taken"], 4, "taken exists already and is never"],
    [["backup", "--to", "new.mdb"], 2, "required option '--store <folder>' not specified"],
    [["backup", "--store", "alice"], 2, "required option '--to <file>' not specified"],
    [["restore", "--from", "NO", "--store", "new"], 10, "NO: no such file or folder"],
    [["restore", "--from", "taken", "--store", "new"], 1, "is no store, or its beginning"],
    [["restore", "--from", "taken", "--store", "alice"], 4, "alice holds a store already"],
    [["restore", "--from", "alice", "--store", "new"], 1, "alice is no file: name the one"],
    [["restore", "--from", "taken"], 2, "required option '--store <folder>' not specified"],
    [["@alice", "--store", "alice"], 2, "--certificate is missing"],
  ])("%j exits with %i", async (args, exitCode, message) => {
    writeFileSync(join(root, "taken"), "no backup");
    const named = args.map((arg) => (/^(NO|new|taken|alice)/.test(arg) ? join(root, arg) : arg));
    const { code, err } = await atmicro(...named);
    expect(err).toContain(message);
    expect(code).toBe(exitCode);
    expect(existsSync(join(root, "new.mdb"))).toBe(false);
    expect(readdirSync(root).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it.each(["backup", "restore"])("%s has help with an example", async (command) => {
    const { out } = await atmicro(command, "--help");
    expect(out.join("\n")).toContain(`Example:\n  atmicro server ${command} --`);
    expect((await atmicro("--help")).out.join("\n")).toContain(`  ${command} [options]`);
  });

  const hasLimits = spawnSync("prlimit", ["--version"]).status === 0;
  it.skipIf(!hasLimits)("say when the disk is full, and leave nothing there", async () => {
    const file = join(root, "whole.mdb");
    await atmicro("backup", "--store", filled, "--to", file);
    // A file that may not grow is met as a full disk is.
    const limited = (...args: string[]) =>
      spawnSync("prlimit", ["--fsize=1000000:", process.execPath, ATMICRO, "server", ...args], {
        encoding: "utf8",
      });
    const part = join(root, "part.mdb");
    const backup = limited("backup", "--store", filled, "--to", part);
    expect(backup.status).toBe(1);
    expect(backup.stderr).toMatch(
      /^atmicro: the store in \S+alice can't be copied to \S+: .*; \d+ bytes are free there\n$/,
    );
    const store = join(root, "part");
    const restore = limited("restore", "--from", file, "--store", store);
    expect(restore.status).toBe(1);
    expect(restore.stderr).toMatch(/whole\.mdb can't be copied to \S+part: .*; \d+ bytes are free/);
    expect(readdirSync(root).filter((name) => /^\.|^part/.test(name))).toEqual([]);
  });

  describe("ended in the middle", () => {
    const large = join(root, "large");
    beforeAll(async () => {
      const store = await openLmdbStore(large);
      await store.write((writer) => {
        for (let i = 0; i < 100_000; i++) writer.put(`k${i}@alice`, { value: "v", metadata: {} });
      });
      await store.close();
    });

    /** Starts atmicro, ends it by a signal when its copy's folder is in `folder`, and gives what it said and its code. */
    async function ended(folder: string, signal: NodeJS.Signals, ...args: string[]) {
      const child = spawn(process.execPath, [ATMICRO, "server", ...args]);
      let err = "";
      child.stderr.on("data", (chunk) => {
        err += chunk;
      });
      const gone = once(child, "close");
      while (!existsSync(folder) || !readdirSync(folder).some((name) => name.startsWith("."))) {
        await setImmediate();
      }
      child.kill(signal);
      const [code] = await gone;
      return { code, err };
    }

    it("by the user they leave nothing", async () => {
      const file = join(root, "interrupted", "large.mdb");
      const backup = ["backup", "--store", large, "--to", file];
      const { code, err } = await ended(dirname(file), "SIGINT", ...backup);
      expect(err).toContain("was interrupted; nothing of the copy is left");
      expect(code).toBe(1);
      expect(readdirSync(dirname(file))).toEqual([]);
    });

    it("as by a power cut they leave nothing under the name, and can be repeated", async () => {
      const file = join(root, "cut", "large.mdb");
      const backup = ["backup", "--store", large, "--to", file];
      await ended(dirname(file), "SIGKILL", ...backup);
      expect(existsSync(file)).toBe(false);
      expect((await atmicro(...backup)).code).toBe(0);
      const store = join(root, "cut", "restored");
      const restore = ["restore", "--from", file, "--store", store];
      await ended(store, "SIGKILL", ...restore);
      expect(existsSync(join(store, "data.mdb"))).toBe(false);
      expect((await atmicro(...restore)).out[0]).toContain("100000 records");
    });
  });
});
