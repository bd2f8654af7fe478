// SPDX-License-Identifier: BSD-3-Clause
// A store of 100 000 records, and the verbs that go through all of it, asked for by many at once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
import { type ApkamKeys, newApkamKeys } from "../server/apkamKeys.ts";
import { payloadOf } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { challengeOf, World } from "../server/world.ts";
import { growthDuring } from "./residentMemory.ts";

const RECORDS = 100_000;
const AT_ONCE = 8;
const MANY = 10_000;
const MAX_GROWTH = 64 * 1_048_576;
const NAME = "k".repeat(100);

describe("an atServer with 100 000 records", () => {
  let world: World;
  let folder: string;
  let server: ServerProcess;
  let id: string;
  const keys: ApkamKeys = newApkamKeys();
  let lines: Line[] = [];

  const enrolled = async (): Promise<Line> => {
    const line = await world.connect(server.port);
    lines.push(line);
    const challenge = challengeOf(await line.ask("from:@many"));
    await line.ask(`pkam:enrollmentId:${id}:${keys.sign(challenge)}`);
    return line;
  };

  async function enroll(): Promise<void> {
    const owner = await server.owner();
    const request = {
      ...{ appName: "app", deviceName: "device", namespaces: { __manage: "rw", "*": "rw" } },
      ...{ apkamPublicKey: keys.publicKey, encryptedAPKAMSymmetricKey: "SYM" },
    };
    const reply = await owner.ask(`enroll:request:${JSON.stringify(request)}`);
    id = (payloadOf(reply) as { enrollmentId: string }).enrollmentId;
    const approval = {
      enrollmentId: id,
      encryptedDefaultEncryptionPrivateKey: "ENC",
      encryptedDefaultSelfEncryptionKey: "SELF",
    };
    await owner.ask(`enroll:approve:${JSON.stringify(approval)}`);
    owner.close();
  }

  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-many-"));
    server = new ServerProcess(world, "@many", folder);
    await server.start();
    await server.activate();
    await enroll();
    server.stop();
    await server.exit();
    const store = await openLmdbStore(server.store);
    for (let from = 0; from < RECORDS; from += MANY) {
      await store.write((writer) => {
        for (let i = from; i < from + MANY; i++) {
          writer.put(`${NAME}${i}.demo@many`, { value: `${i}`, metadata: {} }, "*");
        }
      });
    }
    await store.close();
    await server.start();
  });
  afterEach(() => {
    for (const line of lines) line.close();
    lines = [];
  });
  afterAll(async () => {
    server.stop();
    await server.exit();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["stats"],
    ["stats:15"],
    ["stats:3:nothing"],
    ["keys:get:self"],
    ["enroll:list"],
    ["sync:from:-1:limit:100000"],
    ["sync:from:-1:nothing"],
    ["config:block:show"],
    ["scan"],
    ["scan:cl"],
    ["notify:status:none"],
  ])("answers %s to many at once", async (command) => {
    const asking = await Promise.all(Array.from({ length: AT_ONCE }, enrolled));
    const other = await enrolled();
    let answers: string[] = [];
    let done = false;
    const growth = await growthDuring(server.pid ?? 0, async () => {
      const all = Promise.all(asking.map((line) => line.ask(command))).then((a) => {
        answers = a;
        done = true;
      });
      while (!done) {
        expect(await other.ask("noop:0")).toBe("data:ok\n@many@");
      }
      await all;
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    for (const answer of answers) expect(answer).toMatch(/^data:/);
  });

  it("tells of the latest commit of each key, once", async () => {
    const line = await enrolled();
    const [{ value }] = payloadOf(await line.ask("stats:15")) as [{ value: string }];
    const latest = Object.entries(JSON.parse(value) as Record<string, [number, string]>);
    const ours = latest.filter(([key]) => key.startsWith(NAME));
    expect(ours).toHaveLength(RECORDS);
    const [[, [first]] = ["", [0]]] = ours;
    for (const [i, [, entry]] of ours.entries()) expect(entry).toEqual([Number(first) + i, "*"]);
    expect(payloadOf(await line.ask("stats:15:nothing"))).toMatchObject([{ id: "15" }]);
  });
});
