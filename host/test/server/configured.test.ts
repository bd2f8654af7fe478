// SPDX-License-Identifier: BSD-3-Clause
// The limits of an atServer process, set by flag, environment and file, at the limit and one beyond it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { issueCertificate } from "../../crypto/certificates.ts";
import { NEWCOMER_PLACES } from "../../server/connection/inbound.ts";
import { MAX_LINE_BYTES } from "../../wire/line.ts";
import { newApkamKeys } from "./apkamKeys.ts";
import { Line } from "./line.ts";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));

const file = {
  connection: { inbound_max_limit: 100, outbound_max_limit: 1 },
  hive: { protectedKeys: ["keep.demo<@atsign>", "public:shown.demo@limited"] },
  lookup: { depth_of_resolution: 2 },
  sync: { pageLimit: 3, bufferSize: 100_000 },
  stats: { top_keys: 1 },
  refreshJob: { runJobHour: 4 },
  testing: { testingMode: true },
};
/** Weaker than the flag, stronger than the file. */
const env = { inbound_max_limit: "50", maxEnrollRequestsAllowed: "2", syncBufferSize: "1000000" };
const INBOUND = 5;

describe("an atServer that is configured", () => {
  let world: World;
  let folder: string;
  let server: ServerProcess;

  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-configured-"));
    const path = join(folder, "server.yaml");
    writeFileSync(path, stringify(file));
    const flags = ["--config", path, "--inbound-max-limit", String(INBOUND)];
    server = new ServerProcess(world, "@limited", join(folder, "limited"), env, flags);
    await server.start();
    await server.activate();
  });
  afterAll(async () => {
    server.stop();
    expect(await server.exit()).toBe(0);
    await world.close();
    rmSync(folder, { recursive: true });
  });

  /** What the test leaves open would be missing in the next one's limit. */
  async function leave(...lines: Line[]): Promise<void> {
    for (const line of lines) line.send("@exit\n");
    await Promise.all(lines.map((line) => line.closed()));
  }

  it("takes as many connections as the flag says, tells one more, and lives", async () => {
    const lines: Line[] = [];
    const places = INBOUND + NEWCOMER_PLACES;
    for (let i = 0; i < places; i++) lines.push(await world.connect(server.port));
    const surplus = Line.connect(server.port, world.authority.certificate);
    expect(await surplus.closed()).toBe("error:AT0012-Inbound connection limit exceeded\n");
    for (const line of lines) expect(await line.ask("noop:0")).toBe("data:ok\n@");
    await leave(...lines.splice(-1));
    const next = await world.connect(server.port);
    expect(await next.ask("noop:0")).toBe("data:ok\n@");
    await leave(next, ...lines);
  });

  it("follows a changed limit at once", async () => {
    const owner = await server.owner();
    expect(await owner.ask("config:print:inboundMaxLimit")).toBe(`data:${INBOUND}\n@limited@`);
    expect(await owner.ask("config:set:inboundMaxLimit=1")).toBe("data:ok\n@limited@");
    const lines: Line[] = [];
    for (let i = 0; i < NEWCOMER_PLACES; i++) lines.push(await world.connect(server.port));
    const surplus = Line.connect(server.port, world.authority.certificate);
    expect(await surplus.closed()).toBe("error:AT0012-Inbound connection limit exceeded\n");
    expect(await owner.ask("config:reset:inboundMaxLimit")).toBe("data:ok\n@limited@");
    await leave(owner, await world.connect(server.port), ...lines);
  });

  it("takes a line of 10 240 000 bytes, refuses one byte more, and lives", async () => {
    const owner = await server.owner();
    const start = "update:big.demo@limited ";
    const value = "v".repeat(MAX_LINE_BYTES - start.length - 1);
    expect(`${start}${value}\n`).toHaveLength(10_240_000);
    expect(await owner.ask(`${start}${value}`)).toMatch(/^data:\d+\n@limited@$/);
    owner.send(`${start}${value}v\n`);
    expect(await owner.closed()).toMatch(
      /^error:AT0005-Buffer limit exceeded : InboundBuffer overflow: .*\n@limited@$/,
    );
    const again = await server.owner();
    expect(await again.ask("llookup:big.demo@limited")).toBe(`data:${value}\n@limited@`);
    expect(await again.ask("delete:big.demo@limited")).toMatch(/^data:\d+\n/);
    await leave(again);
  });

  it("answers sync with as many entries as the file says, in as many bytes as the environment says", async () => {
    const owner = await server.owner();
    const ids: number[] = [];
    const write = async (size: number): Promise<void> => {
      const reply = await owner.ask(`update:s${ids.length}.demo@limited ${"v".repeat(size)}`);
      ids.push(Number(/^data:(\d+)/.exec(reply)?.[1]));
    };
    const page = async (after: number): Promise<number[]> => {
      const reply = await owner.ask(`sync:from:${after}:limit:10`);
      const entries = JSON.parse(reply.slice("data:".length, -"\n@limited@".length));
      return entries.map(({ commitId }: { commitId: number }) => commitId);
    };
    for (let i = 0; i < 4; i++) await write(10);
    const before = Number(ids[0]) - 1;
    expect(await page(before)).toEqual(ids.slice(0, 3));
    // Larger than what the file allows, less than what the environment does; three of them are too much.
    ids.length = 0;
    for (let i = 0; i < 3; i++) await write(400_000);
    expect(await page(Number(ids[0]) - 1)).toEqual(ids.slice(0, 2));
    await leave(owner);
  });

  it("takes as many enrollment requests of a connection as the environment says", async () => {
    const owner = await server.owner();
    const request = (device: number): Promise<string> =>
      owner.ask(
        `enroll:request:${JSON.stringify({
          appName: "wavi",
          deviceName: `d${device}`,
          namespaces: { wavi: "rw" },
          encryptedAPKAMSymmetricKey: "S",
          apkamPublicKey: newApkamKeys().publicKey,
        })}`,
      );
    for (const device of [1, 2]) expect(await request(device)).toMatch(/^data:\{/);
    expect(await request(3)).toBe(
      "error:AT0011-Internal server exception : Enrollment requests have exceeded the limit within the specified time frame\n@limited@",
    );
    const other = await server.owner();
    expect(await other.ask("noop:0")).toBe("data:ok\n@limited@");
    await leave(owner, other);
  });

  it("follows as many references as the file says", async () => {
    const owner = await server.owner();
    await owner.ask("update:public:three.demo@limited atsign://two.demo@limited");
    await owner.ask("update:public:two.demo@limited atsign://one.demo@limited");
    await owner.ask("update:public:one.demo@limited atsign://none.demo@limited");
    await owner.ask("update:public:none.demo@limited end");
    const anyone = await world.connect(server.port);
    expect(await anyone.ask("lookup:two.demo@limited")).toBe("data:end\n@");
    expect(await anyone.ask("lookup:three.demo@limited")).toBe("data:null\n@");
    await leave(owner, anyone);
  });

  it("removes no key the file protects", async () => {
    const owner = await server.owner();
    for (const key of ["keep.demo", "public:shown.demo", "public:free.demo"]) {
      await owner.ask(`update:${key}@limited 1`);
    }
    for (const [key, name] of [
      ["keep.demo", "keep.demo"],
      ["public:shown.demo", "shown.demo"],
    ]) {
      expect(await owner.ask(`delete:${key}@limited`)).toBe(
        `error:AT0009-UnAuthorized client in request : Cannot delete protected key: '${name}@limited'\n@limited@`,
      );
      expect(await owner.ask(`llookup:${key}@limited`)).toBe("data:1\n@limited@");
    }
    expect(await owner.ask("delete:public:free.demo@limited")).toMatch(/^data:\d+\n/);
    await leave(owner);
  });

  it("has as many connections to others as the file says", async () => {
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    const mute = createServer({ cert: tls.certificate, key: tls.privateKey });
    const sockets = new Set<TLSSocket>();
    mute.on("secureConnection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => sockets.delete(socket));
      socket.write("@");
    });
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    for (const name of ["@mute", "@other"]) {
      await world.directoryStore.set(name, { host: "localhost", port });
    }
    const [first, second] = [await server.owner(), await server.owner()];
    const asked = once(mute, "secureConnection");
    const waiting = first.ask("plookup:x@mute");
    await asked;
    expect(await second.ask("plookup:x@other")).toBe(
      "error:AT0006-Outbound connection limit exceeded : max limit reached on outbound pool\n@limited@",
    );
    expect(await waiting).toMatch(/^error:AT0023-/);
    await leave(first, second);
    for (const socket of sockets) socket.destroy();
    mute.close();
    await once(mute, "close");
  });

  it("prints what it runs with", async () => {
    const child = spawn(
      process.execPath,
      [
        ATMICRO,
        ...["server", "config", "print", "--json", "--config", join(folder, "server.yaml")],
        ...["--inbound-max-limit", "5"],
      ],
      { env: { ...process.env, ...env } },
    );
    const { code, out } = await ended(child);
    expect(code).toBe(0);
    const printed = JSON.parse(out);
    expect(printed["connection.inbound_max_limit"]).toMatchObject({ value: 5, origin: "flag" });
    expect(printed["sync.bufferSize"]).toMatchObject({ value: 1_000_000, origin: "environment" });
    expect(printed["sync.pageLimit"]).toMatchObject({ value: 3, origin: "file" });
    expect(printed["stats.top_visits"]).toMatchObject({ value: 5, origin: "default" });
  });
});

async function ended(child: ChildProcess): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, "close");
  return { code, out, err };
}

describe("an atServer that can't be configured so", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "atmicro-misconfigured-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (args: string[], more: Record<string, string> = {}): ReturnType<typeof ended> =>
    ended(
      spawn(process.execPath, [ATMICRO, "server", "@alice", "--port", "0", ...args], {
        env: { ...process.env, ...more },
      }),
    );

  it.each<[string, string[], Record<string, string>, string]>([
    ["a flag", ["--sync-page-limit", "0"], {}, '--sync-page-limit is "0": a whole number from 1'],
    ["a variable", [], { autoNotify: "maybe" }, 'autoNotify is "maybe": true or false is needed'],
  ])("ends with what is wrong with %s", async (_what, args, more, message) => {
    const { code, out, err } = await start([...args, "--store", join(folder, "none")], more);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^atmicro: [^\n]*\n$/);
    expect(err).toContain(message);
  });

  it("ends with the name in the file that is unknown, and made nothing", async () => {
    const path = join(folder, "server.yaml");
    writeFileSync(path, "sync:\n  pageLimits: 5\n");
    const store = join(folder, "store");
    const { code, err } = await start(["--config", path, "--store", store]);
    expect(code).toBe(2);
    expect(err).toBe(
      `atmicro: ${path}: sync.pageLimits is no parameter; sync has pageLimit, bufferSize\n`,
    );
    expect(existsSync(store)).toBe(false);
  });
});
