// SPDX-License-Identifier: BSD-3-Clause
// Who asks for much and doesn't read it: what an atServer holds for all of them together has a bound.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaults, MAX_BATCH_CHARACTERS } from "../../server/config/config.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import type { Line } from "../server/line.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";
import { growthDuring } from "./residentMemory.ts";
import { loopbackAddress } from "./sockets.ts";

const RECORDS = 60;
const VALUE_CHARACTERS = 3_000_000;
/** The budget, and what is in the making or waits for the garbage collector. */
const MAX_GROWTH = defaults.waitingOutputBytes + 40e6;
const READERS = 120;

const value = (index: number): string => String(index).padStart(VALUE_CHARACTERS, "v");
const tooLong = { error_code: "AT0022", error_message: "Illegal arguments" };

describe("an atServer whose answers are long", () => {
  let world: World;
  let folder: string;
  let server: ServerProcess;
  let lines: Line[] = [];

  const open = async (index: number): Promise<Line> => {
    const from = loopbackAddress(index);
    const line = await world.connect(server.port, undefined, from);
    lines.push(line);
    return line;
  };
  const owner = (): Promise<Line> => server.owner((line) => lines.push(line));
  const deaf = (line: Line, command: string): void => {
    line.socket.pause();
    line.send(`${command}\n`);
  };
  /** The owner is answered, as often as it takes for all who came before to have been answered too. */
  const served = async (line: Line): Promise<void> => {
    for (let i = 0; i < 200; i++) expect(await line.ask("noop:5")).toBe("data:ok\n@long@");
  };

  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-unread-"));
    server = new ServerProcess(world, "@long", folder);
    await server.start();
    await server.activate();
    server.stop();
    await server.exit();
    const store = await openLmdbStore(server.store);
    for (let i = 0; i < RECORDS; i++) {
      const key = `public:k${i}.demo@long`;
      await store.write((writer) => writer.put(key, { value: value(i), metadata: {} }));
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

  it("answers a batch of them as far as a line goes, and runs no more", async () => {
    const line = await owner();
    const other = await owner();
    const commands = Array.from({ length: RECORDS }, (_, id) => ({
      id,
      command: `llookup:public:k${id}.demo@long`,
    }));
    commands.push({ id: RECORDS, command: "update:never.demo@long x" });
    let answer = "";
    const growth = await growthDuring(server.pid ?? 0, async () => {
      answer = await line.ask(`batch:${JSON.stringify(commands)}`);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    const answers = JSON.parse(answer.slice("data:".length, answer.indexOf("\n")));
    const fit = Math.ceil(MAX_BATCH_CHARACTERS / VALUE_CHARACTERS);
    for (const [i, { id, response }] of answers.entries()) {
      expect(id).toBe(i);
      expect(response).toEqual(i < fit ? { data: value(i) } : tooLong);
    }
    expect(answers).toHaveLength(RECORDS + 1);
    expect(await other.ask("llookup:never.demo@long")).toMatch(/^error:AT0015-/);
  });

  it("runs what stands in a batch behind a long answer once that is read", async () => {
    const line = await owner();
    const commands = [
      { id: 1, command: "llookup:public:k1.demo@long" },
      { id: 2, command: "update:behind.demo@long x" },
    ];
    const answer = await line.ask(`batch:${JSON.stringify(commands)}`);
    expect(answer).toMatch(/"id":2,"response":\{"data":"\d+"\}\}\]\n@long@$/);
    expect(await line.ask("llookup:behind.demo@long")).toBe("data:x\n@long@");
  });

  it("holds a record once for all who don't read it", async () => {
    const other = await owner();
    const readers = await Promise.all(Array.from({ length: READERS }, (_, i) => open(i)));
    const growth = await growthDuring(server.pid ?? 0, async () => {
      for (const line of readers) deaf(line, "lookup:k0.demo@long");
      await served(other);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    const last = readers.at(-1) as Line;
    last.socket.resume();
    expect(await last.reply()).toBe(`data:${value(0)}\n@`);
  });

  it("gives up those without a login for an owner's answer", async () => {
    const other = await owner();
    const slow = await owner();
    const readers = await Promise.all(Array.from({ length: RECORDS }, (_, i) => open(i)));
    const growth = await growthDuring(server.pid ?? 0, async () => {
      deaf(slow, "llookup:public:k0.demo@long");
      for (const [i, line] of readers.entries()) deaf(line, `lookup:k${i}.demo@long`);
      await served(other);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    slow.socket.resume();
    expect(await slow.reply()).toBe(`data:${value(0)}\n@long@`);
    for (const line of readers) line.socket.resume();
    await expect.poll(() => readers.some(({ socket }) => socket.closed)).toBe(true);
  });

  it("gives up owners' connections that never read, and lets the newest finish", async () => {
    const other = await owner();
    const readers = await Promise.all(Array.from({ length: RECORDS }, owner));
    const growth = await growthDuring(server.pid ?? 0, async () => {
      for (const [i, line] of readers.entries()) deaf(line, `llookup:public:k${i}.demo@long`);
      await served(other);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    expect(await other.ask("llookup:public:k7.demo@long")).toBe(`data:${value(7)}\n@long@`);
  });

  it("holds a long notification once for all monitors that don't read it", async () => {
    const monitors = await Promise.all(Array.from({ length: 30 }, owner));
    const other = await owner();
    const growth = await growthDuring(server.pid ?? 0, async () => {
      for (const line of monitors) deaf(line, "monitor:selfNotifications");
      await served(other);
      await other.ask(`notify:update:@long:n.demo@long:${value(0)}`);
      await served(other);
    });
    expect(growth).toBeLessThan(MAX_GROWTH);
    const [line] = monitors as [Line];
    line.socket.resume();
    await expect.poll(() => line.rest.includes(`${value(0)}"`), { timeout: 10_000 }).toBe(true);
    // What was asked meanwhile isn't in the middle of it.
    expect(await other.ask("noop:0")).toBe("data:ok\n@long@");
  });
});
