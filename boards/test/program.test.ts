// SPDX-License-Identifier: BSD-3-Clause
// The device program as a process, from the compiled build that `npm test` makes first.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const built = (path: string) => fileURLToPath(new URL(`../../build/${path}`, import.meta.url));
const PROGRAM = built("boards/simulated/main.js");
const PASSCODE = "Q7X2ZK";

let folder = "";
let running: ChildProcessWithoutNullStreams[] = [];

beforeEach(() => {
  if (!existsSync(PROGRAM)) throw new Error("the build is missing; run npm run build");
  folder = mkdtempSync(join(tmpdir(), "atmicro-device-"));
  writeFileSync(join(folder, "ca.pem"), "");
});

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running = [];
  rmSync(folder, { recursive: true });
});

const CONFIGURATION = {
  atSign: "@greenhouse",
  directory: "localhost:1",
  ca: "ca.pem",
  store: "store",
  app: "greenhouse",
  device: "sim",
  namespaces: { greenhouse: "rw" },
  peer: "@alice",
  intervalMs: 1000,
};

function configure(changes: Readonly<Record<string, unknown>> = {}): string {
  const file = join(folder, "configuration.json");
  writeFileSync(file, JSON.stringify({ ...CONFIGURATION, ...changes }));
  return file;
}

type LifeEvent = Readonly<Record<string, unknown>>;

function start(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: "pipe" });
  running.push(child);
  const events: LifeEvent[] = [];
  const printed: string[] = [];
  const waiting: (() => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    printed.push(line);
    events.push(JSON.parse(line));
    for (const wake of waiting.splice(0)) wake();
  });
  child.stderr.on("data", (text) => printed.push(String(text)));
  const ended = once(child, "close").then(([code]) => {
    for (const wake of waiting.splice(0)) wake();
    return code as number | null;
  });
  /** The first event that `wanted` accepts. */
  const event = async (wanted: (event: LifeEvent) => boolean): Promise<LifeEvent> => {
    for (;;) {
      const found = events.find(wanted);
      if (found) return found;
      if (child.exitCode !== null) throw new Error(`the program ended:\n${printed.join("\n")}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { child, events, printed, ended, event };
}

/** A port at which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("the device program", () => {
  it("prints nothing of a file's that acts on a terminal", async () => {
    const ca = "a\u001b[2J\u009b\u202e\u2028b.pem";
    const { ended, events, printed } = start(configure({ ca }));
    expect(await ended).toBe(1);
    expect(printed.join("\n")).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}\u2028]/u);
    // What a program reads is the same.
    expect(String(events[0]?.message)).toContain(ca);
  });

  it.each([
    [[], "usage: node main.js"],
    [["a", "b"], "usage: node main.js"],
    [["a", "--interpreter", "jvm"], "usage: node main.js"],
  ])("with the arguments %j says how it is used", async (args, message) => {
    const { ended, events } = start(...args);
    expect(await ended).toBe(2);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: "error" });
    expect(events[0]?.message).toMatch(message);
  });

  it.each([
    [{ atSign: "greenhouse" }, "atSign must be an atSign such as @greenhouse"],
    [{ directory: "localhost" }, "directory must be host:port"],
    [{ intervalMs: 199 }, "intervalMs must be a whole number from 200 to 3600000"],
    [{ namespaces: { greenhouse: "r" } }, /^namespaces must be an object such as/],
    [{ app: "" }, "app must be a text"],
  ])("refuses the configuration %j", async (changes, message) => {
    const { ended, events } = start(configure(changes));
    expect(await ended).toBe(2);
    expect(events).toEqual([{ event: "error", message: expect.stringMatching(message) }]);
  });

  it("says that it needs a passcode, and ends with its figures", async () => {
    const { child, ended, events } = start(configure());
    child.stdin.end();
    expect(await ended).toBe(1);
    expect(events.map(({ event }) => event)).toEqual(["stats", "error", "stats"]);
    expect(events[1]?.message).toBe(
      "the device is not enrolled and was given no one-time passcode",
    );
  });

  it("tries the atDirectory, stops on SIGTERM, and keeps the passcode to itself", async () => {
    const directory = `localhost:${await freePort()}`;
    const { child, ended, events, event, printed } = start(configure({ directory }));
    child.stdin.write(`${PASSCODE}\n`);
    const error = await event(({ event }) => event === "error");
    expect(error.message).toBe(`link to ${directory}: nothing listens there`);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    const wasm = readFileSync(built("core.wasm"));
    expect(events.at(-1)).toMatchObject({
      event: "stats",
      coreSha256: createHash("sha256").update(wasm).digest("hex"),
      coreBytes: wasm.length,
      interpreter: "wasm3",
      linearMemoryBytes: 31_232,
      wasm3HeapBytes: expect.any(Number),
      linesSent: 0,
      linesReceived: 0,
    });
    expect(events[0]).toMatchObject({ event: "stats", linesSent: 0 });
    expect(events[1]).toEqual({ event: "state", state: "directory" });
    expect(printed.join("\n")).not.toContain(PASSCODE);
    expect(statSync(join(folder, "store")).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(join(folder, "store"))) {
      expect(statSync(join(folder, "store", name)).mode & 0o777).toBe(0o600);
    }
  });

  it("stops when standard input closes, also under V8", async () => {
    const directory = `localhost:${await freePort()}`;
    const { child, ended, events, event } = start(
      configure({ directory }),
      "--interpreter",
      "v8",
      "--accelerators",
    );
    child.stdin.write(`${PASSCODE}\n`);
    await event(({ event }) => event === "state");
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(events.at(-1)).toMatchObject({
      event: "stats",
      interpreter: "v8",
      linearMemoryBytes: 65_536,
      wasm3HeapBytes: null,
    });
  });
});
