// SPDX-License-Identifier: BSD-3-Clause
// Errors that nothing in a server caught: it outlives them, and ends where it can't go on.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LastResort, MAX_FAULTS_AN_HOUR } from "../../cli/process/lastResort.ts";
import { issueCertificate } from "../../crypto/certificates.ts";
import { StoreProbe } from "../../server/running/readiness.ts";
import { openMemoryStore } from "../../store/memory.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));

/** Loaded into a server's process: fails there at each SIGUSR2, in the ways that FAULTS lists. */
const PRELOADED = `
const ways = {
  thrown: () => setTimeout(() => { throw new TypeError("of the secret value"); }),
  rejected: () => { Promise.reject(new RangeError("of the secret value")); },
  noError: () => { Promise.reject("the secret value"); },
  noFile: () => setTimeout(() => {
    throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  }),
  noMemory: () => setTimeout(() => new ArrayBuffer(2 ** 48)),
  noHeap: () => { const all = []; for (;;) all.push(new Array(100_000).fill({})); },
};
const faults = process.env.FAULTS.split(",");
process.on("SIGUSR2", () => ways[faults.shift()]());
`;

describe("an atServer", () => {
  let world: World;
  let folder: string;
  const running: ServerProcess[] = [];
  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-last-resort-"));
    writeFileSync(join(folder, "preloaded.cjs"), PRELOADED);
  });
  afterAll(async () => {
    for (const server of running) server.kill();
    for (const server of running) await server.exit();
    await world.close();
    rmSync(folder, { recursive: true });
  });

  async function started(atSign: string, faults: string, flags = ""): Promise<ServerProcess> {
    const env = {
      FAULTS: faults,
      NODE_OPTIONS: `--require ${join(folder, "preloaded.cjs")} ${flags}`,
    };
    const more = ["--metrics-port", "0"];
    const server = new ServerProcess(world, atSign, join(folder, atSign), env, more);
    running.push(server);
    await server.start();
    return server;
  }

  function fail(server: ServerProcess): void {
    if (server.pid !== undefined) process.kill(server.pid, "SIGUSR2");
  }

  const times = (server: ServerProcess, text: string): number => server.log.split(text).length - 1;

  it("logs where an error came from, without its words, and goes on", async () => {
    const ways = ["thrown", "rejected", "noError", "noFile"];
    const server = await started("@goeson", ways.join(","));
    await server.activate();
    const owner = await server.owner();
    for (const [count] of ways.entries()) {
      fail(server);
      await expect
        .poll(() => times(server, "unexpected error; the server goes on"))
        .toBe(count + 1);
      expect(await owner.ask("noop:0")).toBe("data:ok\n@goeson@");
      const ready = await fetch(`http://127.0.0.1:${server.metricsPort}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([200, "ready\n"]);
    }
    expect(server.log).toContain('"name":"TypeError","at":["at Timeout');
    expect(server.log).not.toContain("secret");
    expect(server.log).not.toContain("EMFILE");
    server.stop();
    expect(await server.exit()).toBe(0);
  });

  it("ends with a sentence after more errors within an hour than it outlives", async () => {
    const all = Array.from({ length: MAX_FAULTS_AN_HOUR + 1 }, () => "thrown");
    const server = await started("@toomany", all.join(","));
    for (let count = 1; count <= MAX_FAULTS_AN_HOUR; count++) {
      fail(server);
      await expect.poll(() => times(server, "unexpected error; the server goes on")).toBe(count);
    }
    fail(server);
    expect(await server.exit()).toBe(1);
    expect(server.log).toMatch(/^atmicro: more than 20 unexpected errors within an hour: /m);
  });

  it("ends with a sentence when there is no memory left", async () => {
    const server = await started("@nomemory", "noMemory");
    fail(server);
    expect(await server.exit()).toBe(1);
    expect(server.log).toMatch(/^atmicro: out of memory: the server ends; /m);
  });

  it("ends when its heap is full: V8 says so, and leaves no way to say it better", async () => {
    const server = await started("@noheap", "noHeap", "--max-old-space-size=64");
    fail(server);
    expect(await server.exit()).not.toBe(0);
    expect(server.log).toContain("JavaScript heap out of memory");
  });
});

describe("an atDirectory", () => {
  let world: World;
  let folder: string;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-last-resort-"));
  });
  afterAll(async () => {
    child?.kill("SIGKILL");
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it("outlives an error too", async () => {
    mkdirSync(join(folder, "d"));
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    writeFileSync(join(folder, "preloaded.cjs"), PRELOADED);
    writeFileSync(join(folder, "c.pem"), tls.certificate);
    writeFileSync(join(folder, "k.pem"), tls.privateKey);
    const args = [
      ...["directory", "serve", "--port", "0", "--store", join(folder, "d")],
      ...["--certificate", join(folder, "c.pem"), "--private-key", join(folder, "k.pem")],
    ];
    const serving = spawn(process.execPath, [ATMICRO, ...args], {
      env: {
        ...process.env,
        FAULTS: "rejected",
        NODE_OPTIONS: `--require ${join(folder, "preloaded.cjs")}`,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = serving;
    let log = "";
    serving.stderr.on("data", (chunk) => {
      log += chunk;
    });
    const [text] = await once(serving.stdout, "data");
    const { port } = JSON.parse(String(text));
    serving.kill("SIGUSR2");
    await expect.poll(() => log).toContain("unexpected error; the server goes on");
    const line = await world.connect(port);
    expect(await line.ask("nobody")).toBe("null\r\n@");
    serving.kill("SIGTERM");
    expect(await once(serving, "close")).toEqual([0, null]);
  });
});

describe("the limit of errors", () => {
  it("counts those of the last hour, also when the clock goes back", () => {
    let now = 10_000_000;
    const judge = new LastResort(pino({ level: "silent" }), () => now);
    const take = (count: number): (string | undefined)[] =>
      Array.from({ length: count }, () => judge.take(new Error("x")));
    expect(new Set(take(MAX_FAULTS_AN_HOUR))).toEqual(new Set([undefined]));
    now += 3_600_000;
    expect(new Set(take(MAX_FAULTS_AN_HOUR))).toEqual(new Set([undefined]));
    now -= 5_000_000;
    expect(new Set(take(MAX_FAULTS_AN_HOUR))).toEqual(new Set([undefined]));
    expect(take(1)).toEqual([expect.stringContaining("the server ends")]);
  });

  it("ends at once for a store that failed for good", () => {
    const judge = new LastResort(pino({ level: "silent" }));
    const error = new Error("MDB_PANIC: Update of meta page failed or environment had fatal error");
    expect(judge.take(error)).toContain("the store failed for good");
  });

  it("isn't cut short by words that somebody sent", () => {
    const judge = new LastResort(pino({ level: "silent" }));
    for (const quoted of ["MDB_PANIC: x", "Array buffer allocation failed", "ENOMEM"]) {
      expect(judge.take(new SyntaxError(`unexpected "${quoted}"`))).toBeUndefined();
    }
    expect(judge.take(Object.assign(new Error("x"), { code: "ENOMEM" }))).toContain(
      "out of memory",
    );
  });
});

it("is ready after an error only if the store can be read then", async () => {
  const store = openMemoryStore();
  const probe = new StoreProbe(store, () => 1);
  expect(await probe.failure()).toBeUndefined();
  store.record = () => {
    throw new Error("MDB_BAD_TXN");
  };
  expect(await probe.failure()).toBeUndefined();
  probe.doubt();
  expect(await probe.failure()).toBe("the store can't be read or written");
});
