// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createProgram, run } from "../../cli/atmicro.ts";
import type { Io } from "../../cli/terminal/command.ts";
import { shown } from "../../cli/terminal/output.ts";
import { generateAesKey } from "../../crypto/aesCtr.ts";
import { formatKeyFile, writeKeyFile } from "../../crypto/keyFile.ts";
import { rsaEncrypt } from "../../crypto/rsa.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { formatAddress } from "../../net/address.ts";
import { alpha } from "../client/identities.ts";
import { HostileWorld } from "./hostileWorld.ts";

const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

/** Clears the screen (C0 and C1 form), sets the title, turns the direction, goes back, begins lines. */
const EVIL =
  "a\u001b[2Jb\u009b2Jc\u001b]0;t\u0007d\u202ee\u2066f\rg\u2028h\u0085i\u007fj\u200fk\ud800l\tm";
/** The same where a line end can be carried. */
const EVIL_LINES = `${EVIL}\nforged line`;
const ACTS = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u;

let folder: string;
let world: HostileWorld;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-escaped-"));
});
afterEach(() => world?.close());
afterAll(() => rmSync(folder, { recursive: true }));

type Outcome = { readonly code: number; readonly text: string; readonly out: string };

const silent: Io = {
  stdout: () => undefined,
  stderr: () => undefined,
  stdin: async () => "",
  env: {},
  signal: new AbortController().signal,
};

async function atmicro(args: readonly string[], given: Partial<Io> = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    ...silent,
    stdout: (line) => out.push(line),
    stderr: (line) => err.push(line),
    ...given,
  };
  const code = await run(args, io);
  return { code, text: [...out, ...err].join("\n"), out: out.join("\n") };
}

/** The options that lead to the attacker's servers. */
async function start(): Promise<string[]> {
  world = await HostileWorld.start();
  const { directory, authority } = world.network;
  const ca = join(folder, "ca.pem");
  const keys = join(folder, `${world.server.address.port}.atKeys`);
  writeFileSync(ca, authority ?? "");
  await writeKeyFile(keys, alpha);
  return ["-a", "@alpha", "-k", keys, "--ca", ca, "--directory", formatAddress(directory)];
}

/** What a record's look-up answers. */
const record = (data: string, metaData: object): string =>
  `data:${JSON.stringify({ key: EVIL_LINES, data, metaData })}`;

const notification = {
  id: EVIL_LINES,
  from: "@bravo",
  to: EVIL_LINES,
  key: `@alpha:${EVIL_LINES}.demo@bravo`,
  operation: "delete",
  epochMillis: 0,
};

type Case = {
  /** Words of the command. */
  readonly command: readonly string[];
  readonly what: string;
  /** Sets the trap; gives the rest of the command line. */
  readonly args: () => Promise<string[]>;
  readonly given?: Partial<Io>;
};

/** An answer of the server to a command, as it is printed. */
function answered(
  command: readonly string[],
  args: readonly string[],
  line: RegExp,
  answer: string,
): Case {
  return {
    command,
    what: answer.startsWith("error") ? "an error" : "an answer",
    args: async () => {
      const options = await start();
      world.server.onCommand(line, () => answer);
      return [...args, ...options];
    },
  };
}

const jsonError = `error:${JSON.stringify({ errorCode: "AT0011", errorDescription: EVIL_LINES })}`;
const enrollments = {
  [`${EVIL_LINES}.new.enrollments.__manage@alpha`]: {
    appName: EVIL_LINES,
    deviceName: EVIL_LINES,
    namespace: { [EVIL_LINES]: "rw" },
    status: EVIL_LINES,
  },
};

const cases: readonly Case[] = [
  answered(["put"], ["public:a.demo@alpha", "x"], /^update/, jsonError),
  answered(["get"], ["public:a.demo@bravo"], /^plookup/, record(EVIL_LINES, {})),
  answered(["get"], ["a.demo@bravo"], /^lookup/, `error:AT0011-${EVIL}`),
  answered(
    ["get", "--meta"],
    ["public:a.demo@bravo"],
    /^plookup/,
    `data:${JSON.stringify({ createdBy: EVIL_LINES, appMetadata: { [EVIL]: EVIL } })}`,
  ),
  answered(["scan"], [], /^scan/, `data:${JSON.stringify([EVIL_LINES, "a"])}`),
  answered(["delete"], ["a.demo@alpha"], /^delete/, jsonError),
  answered(["notify"], ["@alpha:a.demo@alpha", "x"], /^notify/, `data:${EVIL}`),
  answered(["otp"], [], /^otp/, `data:${EVIL}`),
  answered(["approve", "list"], [], /^enroll:list/, `data:${JSON.stringify(enrollments)}`),
  answered(["approve", "accept"], ["1"], /^enroll:fetch/, jsonError),
  answered(["approve", "deny"], ["1"], /^enroll:deny/, jsonError),
  answered(["approve", "revoke"], ["1"], /^enroll:revoke/, jsonError),
  answered(["monitor"], [], /^monitor/, `error:AT0003-${EVIL}`),
  {
    command: ["monitor"],
    what: "a notification",
    args: async () => {
      const options = await start();
      world.server.onCommand(/^monitor/, () => `notification: ${JSON.stringify(notification)}`);
      return ["--count", "1", ...options];
    },
  },
  {
    command: ["approve", "accept"],
    what: "what is approved",
    args: async () => {
      const options = await start();
      const asked = Object.values(enrollments)[0];
      const encryptedAPKAMSymmetricKey = rsaEncrypt(generateAesKey(), alpha.encryptPublicKey);
      const request = JSON.stringify({ ...asked, encryptedAPKAMSymmetricKey });
      world.server.onCommand(/^enroll:fetch/, () => `data:${request}`);
      world.server.onCommand(/^enroll:approve/, () => "data:{}");
      return ["1", ...options];
    },
  },
  {
    command: ["activate"],
    what: "an error",
    args: async () => {
      const options = await start();
      options[3] = join(folder, `${world.server.address.port}.new`);
      world.server.onCommand(/^enroll:request/, () => jsonError);
      return options;
    },
    given: { env: { ATMICRO_CRAM_SECRET: "secret" } },
  },
  {
    command: ["enroll"],
    what: "the request's id",
    args: async () => {
      const [, , , , ...network] = await start();
      world.server.onCommand(/^lookup:publickey/, () => `data:${alpha.encryptPublicKey}`);
      const answer = { enrollmentId: EVIL_LINES, status: "pending" };
      world.server.onCommand(/^enroll:request/, () => `data:${JSON.stringify(answer)}`);
      world.server.onCommand(/^pkam/, () => `error:AT0025:${EVIL}`);
      const file = join(folder, `${world.server.address.port}.enrolled`);
      const what = ["--app", "a", "--device", "d", "--namespace", "n:rw"];
      return ["-a", "@alpha", "-k", file, ...what, ...network];
    },
    given: { env: { ATMICRO_OTP: "ABC123" } },
  },
  {
    command: ["keys"],
    what: "a key file",
    args: async () => {
      const file = join(folder, "evil.atKeys");
      writeFileSync(file, formatKeyFile({ ...alpha, enrollmentId: EVIL_LINES }), { mode: 0o600 });
      return ["-a", "@alpha", "-k", file];
    },
  },
  {
    command: ["fingerprint"],
    what: "the name of a key file that isn't there",
    args: async () => ["-a", "@alpha", "-k", join(folder, EVIL.replace(/\s/gu, ""))],
  },
  {
    command: ["directory", "import"],
    what: "a list",
    args: async () => {
      const file = join(folder, "names");
      writeFileSync(file, `@\u009b2Ja\u202e(b localhost:64\n`);
      return [file, "--store", join(folder, "imported")];
    },
  },
  {
    command: ["directory", "get"],
    what: "its store",
    args: async () => {
      const store = join(folder, "directory");
      const opened = await openDirectoryStore(store);
      await opened.set("@alpha", { host: "localhost", port: 64 });
      await opened.close();
      return [`@no${EVIL.replace(/\s/gu, "")}`, "--store", store];
    },
  },
  {
    command: ["server", "config", "print"],
    what: "a configuration",
    args: async () => {
      const file = join(folder, "evil.yaml");
      writeFileSync(file, `root_server:\n  url: ${JSON.stringify(EVIL_LINES)}\n`);
      return ["--config", file];
    },
  },
  {
    command: ["server", "restore"],
    what: "a backup",
    args: async () => {
      const file = join(folder, "evil.mdb");
      writeFileSync(file, EVIL_LINES.repeat(1000));
      return ["--from", file, "--store", join(folder, `store${EVIL}`)];
    },
  },
];

/** What can be typed, without options. */
function namesOf(command: Command, before = ""): string[] {
  const { commands } = command;
  const name = `${before} ${command.name()}`.trim();
  return commands.length === 0 ? [name] : commands.flatMap((child) => namesOf(child, name));
}

/** Commands that print what this program and its own children make, through the same functions. */
const OWN_TEXT = [
  "demo",
  "directory remove",
  "directory serve",
  "directory set",
  "server backup",
  "up",
];

describe("what comes from a server, a peer or a file doesn't act on the terminal", () => {
  it.each(cases.map((one) => [one.command.join(" "), one.what, one] as const))(
    "%s: %s",
    async (_command, _what, { command, args, given }) => {
      const outcome = await atmicro([...command, ...(await args())], given);
      expect(outcome.text.replaceAll("\n", "")).not.toMatch(ACTS);
      expect(outcome.text).toMatch(/\\u\{9b\}2J|^atmicro: /);
      for (const line of outcome.text.split("\n")) expect(line.startsWith("forged")).toBe(false);
    },
  );

  it("is tried with every command", async () => {
    const tried = new Set(
      cases.map(({ command }) => command.filter((w) => w !== "--meta").join(" ")),
    );
    const program = await createProgram(silent, []);
    const names = program.commands.flatMap((command) => namesOf(command));
    expect(names.filter((name) => !tried.has(name)).sort()).toEqual(OWN_TEXT);
  });

  it("stays exact with --json", async () => {
    const options = await start();
    world.server.onCommand(/^scan/, () => `data:${JSON.stringify([EVIL_LINES])}`);
    const { out } = await atmicro(["scan", "--json", ...options]);
    expect(out).not.toContain("\n");
    expect(JSON.parse(out)).toEqual([EVIL_LINES]);
  });

  it("is escaped where --debug shows causes, too", async () => {
    const options = await start();
    world.server.onCommand(/^scan/, () => jsonError);
    const { text } = await atmicro(["scan", "--debug", ...options]);
    expect(text).toContain("    at ");
    expect(text.replaceAll("\n", "")).not.toMatch(ACTS);
    expect(text).not.toMatch(/^forged/m);
  });

  it("is escaped in a server's log, which stays the same JSON", () => {
    const serving = path("build/host/cli/serving/serving.js");
    const program = `
      const { serverLog } = await import(${JSON.stringify(serving)});
      serverLog("info").info({ atSign: ${JSON.stringify(EVIL_LINES)} }, "met");
    `;
    const args = ["--input-type=module", "-e", `${program}`];
    const logged = execFileSync(
      "/bin/sh",
      ["-c", 'exec "$0" "$@" 2>&1', process.execPath, ...args],
      {
        encoding: "utf8",
      },
    );
    expect(logged.slice(0, -1)).not.toMatch(ACTS);
    expect(JSON.parse(logged)).toMatchObject({ atSign: EVIL_LINES, msg: "met" });
  });
});

describe("a shown text", () => {
  it("has nothing that acts, and what needs no escape is as it was", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "grapheme-ascii" }),
        (any, plain) => {
          expect(shown(any)).not.toMatch(ACTS);
          expect(shown(plain)).toBe(plain);
          expect(shown(shown(any))).toBe(shown(any));
        },
      ),
    );
    expect(shown("Größe 🌱 \\u{1b}")).toBe("Größe 🌱 \\u{1b}");
    expect(shown("\u001b[1m\n\u202e\ud83c")).toBe("\\u{1b}[1m\\u{a}\\u{202e}\\u{d83c}");
  });

  it("is the only thing that is printed: one file writes to the outputs", () => {
    const files = readdirSync(path("host/cli"), { recursive: true, encoding: "utf8" });
    const writers = files
      .filter((file) => file.endsWith(".ts"))
      .filter((file) =>
        /\bio\.std(?:out|err)\(|process\.std(?:out|err)\.write|console\./.test(
          readFileSync(path(`host/cli/${file}`), "utf8"),
        ),
      );
    // main.ts is what io stands for; atmicro.ts gives Commander's help to printHelp.
    expect(writers.sort()).toEqual(["atmicro.ts", "main.ts", "terminal/output.ts"]);
  });
});
