// SPDX-License-Identifier: BSD-3-Clause
// Two servers on one store would both answer, and give the same commit ids.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { backUpStore } from "../../store/backup.ts";
import { StoreError } from "../../store/store.ts";
import { lockStore } from "../../store/storeLock.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));

/** A process id space of its own, as a container has. */
const OWN_PIDS = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=SIGTERM"];
const [unshare = "", ...unshareArgs] = OWN_PIDS;
const hasNamespaces = spawnSync(unshare, [...unshareArgs, "true"]).status === 0;

let world: World;
let root: string;
const running: ServerProcess[] = [];
beforeAll(async () => {
  world = await World.create();
  root = mkdtempSync(join(tmpdir(), "atmicro-two-"));
});
afterEach(async () => {
  for (const server of running.splice(0)) {
    server.kill();
    await server.exit();
  }
});
afterAll(async () => {
  await world.close();
  rmSync(root, { recursive: true });
});

interface How {
  env?: Record<string, string>;
  more?: readonly string[];
  within?: readonly string[];
}

let made = 0;
const fresh = (): string => join(root, String(made++));

function server(folder: string, { env = {}, more = [], within = [] }: How = {}): ServerProcess {
  const process = new ServerProcess(world, "@alice", folder, env, more, within);
  running.push(process);
  return process;
}

/** A folder with one program of those that a shell would find, and nothing else. */
function pathWith(name: string, script?: string): string {
  const folder = fresh();
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  if (script === undefined) {
    const found = spawnSync("which", [name], { encoding: "utf8" }).stdout.trim();
    symlinkSync(found, program);
  } else {
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
  }
  return folder;
}

describe("a second atServer on a store", () => {
  it("ends with 4 and says who has it; the first goes on, and a backup is made all the same", async () => {
    const folder = fresh();
    const first = server(folder);
    await first.start();
    await first.activate();
    const owner = await first.owner();
    const second = server(folder);
    const said = `served by process ${first.pid}, since 20`;
    await expect(second.start()).rejects.toThrow(said);
    expect(await second.exit()).toBe(4);
    expect(await owner.ask("update:x.demo@alice 1")).toMatch(/^data:\d+\n/);
    const { records } = await backUpStore(first.store, join(folder, "backup.mdb"));
    expect(records).toBeGreaterThan(3);
    first.stop();
    expect(await first.exit()).toBe(0);
    await second.start();
  });

  it("starts at once after the first was killed", async () => {
    const folder = fresh();
    const first = server(folder);
    await first.start();
    for (let round = 0; round < 2; round++) {
      const [before, after] = [running.at(-1), server(folder)];
      before?.kill();
      await after.start();
    }
  });

  it("is one of many that start together: one of them gets it", async () => {
    const folder = fresh();
    const servers = [1, 2, 3].map(() => server(folder));
    const outcomes = await Promise.allSettled(servers.map((each) => each.start()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(String(outcome.reason)).toContain("served by");
    }
  });

  it("in another container on the same volume is kept out too, and starts when the first is killed", async (context) => {
    if (!hasNamespaces) context.skip("unshare may make no process namespace here");
    const folder = fresh();
    const first = server(folder, { within: OWN_PIDS });
    await first.start();
    const second = server(folder, { within: OWN_PIDS });
    await expect(second.start()).rejects.toThrow(
      /served by process \d+ of \S+, another container or machine, since 20/,
    );
    expect(await second.exit()).toBe(4);
    const outside = server(folder);
    await expect(outside.start()).rejects.toThrow("another container or machine");
    first.kill();
    await first.exit();
    await second.start();
  });
});

describe("where a store can't be locked", () => {
  it("an atServer starts with --no-lock only", async () => {
    const folder = fresh();
    const env = { PATH: fresh() };
    const refused = server(folder, { env });
    await expect(refused.start()).rejects.toThrow(
      `${refused.store} can't be locked against a second server: neither flock nor perl is installed here; with --no-lock`,
    );
    expect(await refused.exit()).toBe(4);
    const served = server(folder, { env, more: ["--no-lock"] });
    await served.start();
    expect(served.log).toContain("the store isn't locked: --no-lock");
  });
});

describe("an atDirectory", () => {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  it("has its store alone as well; names are registered while it runs", async () => {
    const folder = fresh();
    mkdirSync(folder);
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    writeFileSync(join(folder, "c.pem"), tls.certificate);
    writeFileSync(join(folder, "k.pem"), tls.privateKey);
    const store = join(folder, "d");
    const args = [
      ...[ATMICRO, "directory", "serve", "--port", "0", "--store", store],
      ...["--certificate", join(folder, "c.pem"), "--private-key", join(folder, "k.pem")],
    ];
    const first = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(first);
    await once(first.stdout, "data");
    const second = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([second.status, second.stderr]).toEqual([
      4,
      expect.stringContaining(`${store} is served by process ${first.pid}, since `),
    ]);
    const set = [ATMICRO, "directory", "set", "@alice", "localhost:1", "--store", store];
    expect(spawnSync(process.execPath, set).status).toBe(0);
    first.kill("SIGKILL");
    const third = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(third);
    await once(third.stdout, "data");
  });
});

describe("the lock of a store", () => {
  const { PATH } = process.env;
  afterEach(() => {
    process.env.PATH = PATH;
  });

  it.each([
    ["flock", undefined],
    ["perl", undefined],
    // That of busybox, which has the same code for all that fails.
    [
      "flock",
      `exec /usr/bin/perl -e 'use Fcntl ":flock"; open(my $f, "+<&=", 3); exit(!flock($f, 6))'`,
    ],
  ])("is had by means of %s alone", async (name, script) => {
    const folder = fresh();
    process.env.PATH = pathWith(name, script);
    const lock = await lockStore(folder);
    await expect(lockStore(folder, 0)).rejects.toThrow(`served by process ${process.pid}, since`);
    process.env.PATH = PATH;
    await expect(lockStore(folder, 0)).rejects.toThrow(`served by process ${process.pid}, since`);
    lock.release();
  });

  it.each([
    ['echo "flock: 3: No locks available" >&2; exit 71', "flock: 3: No locks available"],
    ['echo "flock: Bad file descriptor" >&2; exit 1', "flock: Bad file descriptor"],
    ["exit 71", "flock ended with 71"],
  ])("is refused when it can't be had: %s", async (script, reason) => {
    process.env.PATH = pathWith("flock", script);
    const folder = fresh();
    const refused = lockStore(folder, 0);
    await expect(refused).rejects.toThrow(
      `${folder} can't be locked against a second server: ${reason};`,
    );
    await expect(refused).rejects.toMatchObject({ place: "busy" });
  });

  it("is the folder's, of its owner alone, and goes with its release", async () => {
    const folder = fresh();
    const lock = await lockStore(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "store.lock")).mode & 0o777).toBe(0o600);
    const again = lockStore(folder, 0);
    await expect(again).rejects.toThrow(StoreError);
    await expect(again).rejects.toMatchObject({ place: "busy" });
    lock.release();
    (await lockStore(folder)).release();
    expect(existsSync(join(folder, "store.lock"))).toBe(true);
  });

  it.each([
    ["", "is served by another process: stop that server first"],
    ["{", "is served by another process: stop that server first"],
    ['{"pid":"1"}', "is served by another process: stop that server first"],
  ])("says what is known of its holder: %j", async (text, said) => {
    const folder = fresh();
    const lock = await lockStore(folder);
    writeFileSync(join(folder, "store.lock"), text);
    await expect(lockStore(folder, 0)).rejects.toThrow(said);
    lock.release();
  });

  it("isn't taken through a symbolic link", async () => {
    const folder = fresh();
    mkdirSync(folder);
    const target = join(dirname(folder), "target");
    writeFileSync(target, "kept");
    symlinkSync(target, join(folder, "store.lock"));
    await expect(lockStore(folder)).rejects.toThrow(
      `the store in ${folder} can't be opened: ELOOP`,
    );
    expect(readFileSync(target, "utf8")).toBe("kept");
  });
});
