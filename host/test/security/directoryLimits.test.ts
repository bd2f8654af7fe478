// SPDX-License-Identifier: BSD-3-Clause
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import {
  type DirectoryConfig,
  type RunningDirectory,
  startDirectory,
} from "../../directory/directory.ts";
import { Line } from "../server/line.ts";
import { World } from "../server/world.ts";

const FOUND = "localhost:7\r\n@";

describe("an atDirectory", () => {
  let world: World;
  let directory: RunningDirectory;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
    await world.directoryStore.set("@known", { host: "localhost", port: 7 });
  });
  afterEach(() => directory.close());
  afterAll(() => world.close());

  async function start(limits: Partial<DirectoryConfig>): Promise<void> {
    directory = await startDirectory({
      port: 0,
      tls: await issueCertificate(world.authority, { hosts: ["localhost"] }),
      store: world.directoryStore,
      log: pino({ level: "silent" }),
      now: () => now,
      ...limits,
    });
  }

  const open = (from?: string): Promise<Line> =>
    Line.open(directory.port, world.authority.certificate, undefined, from);

  it("gives a new connection the place of the longest idle one when it has as many as it may", async () => {
    await start({ maxConnections: 3 });
    const [first, second, third] = [await open("127.0.0.2"), await open(), await open()];
    now += 1;
    expect(await first.ask("known")).toBe(FOUND);
    expect(await third.ask("known")).toBe(FOUND);
    const fourth = await open();
    expect(await second.closed()).toBe("");
    for (const line of [first, third, fourth]) expect(await line.ask("known")).toBe(FOUND);
  });

  it("lets nobody who leaves take a place with them", async () => {
    await start({ maxConnections: 2 });
    const [first, second] = [await open(), await open()];
    second.close();
    await expect
      .poll(async () => JSON.stringify(await directory.metrics()))
      .toMatch(/"atmicro_connections".*?"value":1/);
    const third = await open();
    for (const line of [first, third]) expect(await line.ask("known")).toBe(FOUND);
  });

  it("closes a connection that was idle for its time", async () => {
    await start({ idleMillis: 50 });
    const [quiet, busy] = [await open(), await open()];
    now += 30;
    expect(await busy.ask("known")).toBe(FOUND);
    now += 30;
    expect(await quiet.closed()).toBe("");
    expect(await busy.ask("known")).toBe(FOUND);
    now += 51;
    expect(await busy.closed()).toBe("");
  });

  it("counts no empty line as a miss", async () => {
    const waits: number[] = [];
    const pause = async (millis: number): Promise<void> => {
      waits.push(millis);
    };
    await start({ pause });
    const line = await open();
    for (let i = 0; i < 5; i++) expect(await line.ask(i % 2 === 0 ? "" : " \r")).toBe("null\r\n@");
    expect(await line.ask("nobody")).toBe("null\r\n@");
    expect(await line.ask("")).toBe("null\r\n@");
    expect(waits).toEqual([]);
    expect(await line.ask("nobody")).toBe("null\r\n@");
    expect(waits).toHaveLength(1);
    expect(await line.ask("known")).toBe(FOUND);
  });
});
