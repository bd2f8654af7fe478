// SPDX-License-Identifier: BSD-3-Clause
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import type { Line } from "./line.ts";
import { challengeOf, SECRET, World } from "./world.ts";

const ROUNDS = 4;
const WRITERS = 4;
const WRITES = 15;

const program = fileURLToPath(new URL("./killedServer.ts", import.meta.url));
const viteNode = createRequire(
  createRequire(import.meta.url).resolve("vitest/package.json"),
).resolve("vite-node/vite-node.mjs");

describe("an atServer killed without warning", () => {
  const path = mkdtempSync(join(tmpdir(), "atmicro-kill-"));
  let world: World;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    world = await World.create();
  });
  afterAll(async () => {
    child?.kill("SIGKILL");
    await world.close();
    rmSync(path, { recursive: true });
  });

  async function start(): Promise<number> {
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    const directory = { host: "localhost", port: world.directory.port };
    const settings = JSON.stringify({ path, tls, directory, secret: SECRET });
    child = spawn(process.execPath, [viteNode, program, settings], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.stdout === null) throw new Error("no stdout");
    const [port] = await once(child.stdout, "data");
    return Number(String(port));
  }

  async function login(port: number): Promise<Line> {
    const line = await world.connect(port);
    const challenge = challengeOf(await line.ask("from:@alice"));
    const digest = createHash("sha512")
      .update(SECRET + challenge)
      .digest("hex");
    expect(await line.ask(`cram:${digest}`)).toBe("data:success\n@alice@");
    return line;
  }

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  it("keeps every update and notification it acknowledged, and never gives a commit id twice", async () => {
    const values = new Map<string, string>();
    const notified: string[] = [];
    const commitIds = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const port = await start();
      const write = async (writer: number): Promise<void> => {
        const line = await login(port);
        for (let i = 0; i < WRITES; i++) {
          const key = `w${writer}n${i % 5}.demo@alice`;
          const value = `${round}-${i}`;
          const reply = await line.ask(`update:${key} ${value}`);
          const commitId = Number(/^data:(\d+)\n/.exec(reply)?.[1]);
          expect(commitIds.has(commitId)).toBe(false);
          commitIds.add(commitId);
          values.set(key, value);
        }
        const id = `n-${round}-${writer}`;
        expect(await line.ask(`notify:id:${id}:ttln:600000:@nobody:x.demo@alice:1`)).toBe(
          `data:${id}\n@alice@`,
        );
        notified.push(id);
        // The last one is still under way when the process dies: it may be there or not.
        line.send(`update:unacknowledged.demo@alice ${round}\n`);
      };
      await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
      await kill();
      const store = await openLmdbStore(path);
      for (const [key, value] of values) expect(store.record(key)?.value, key).toBe(value);
      for (const id of notified) expect(store.notification(id)?.id).toBe(id);
      expect(store.lastCommitId()).toBeGreaterThanOrEqual(Math.max(...commitIds));
      const ids = [...store.commitsAfter(-1)].map(({ commitId }) => commitId);
      expect(new Set(ids).size).toBe(ids.length);
      await store.close();
    }
    expect(commitIds.size).toBe(ROUNDS * WRITERS * WRITES);
  });
});
