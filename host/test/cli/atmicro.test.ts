// SPDX-License-Identifier: BSD-3-Clause
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import type { Io } from "../../cli/terminal/command.ts";
import { formatKeyFile, readKeyFile, writeKeyFile } from "../../crypto/keyFile.ts";
import { formatAddress } from "../../net/address.ts";
import { alpha } from "../client/identities.ts";
import { challenge, loggedIn, type Script, ScriptedWorld } from "../client/scriptedServer.ts";

let folder: string;
let world: ScriptedWorld | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "atmicro-cli-"));
});
afterEach(async () => {
  await world?.close();
  world = undefined;
  await rm(folder, { recursive: true });
});

type Outcome = { readonly code: number; readonly out: string[]; readonly err: string[] };

async function atmicro(
  args: readonly string[],
  given: { env?: Record<string, string>; stdin?: string; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    stdout: (line) => out.push(line),
    stderr: (line) => err.push(line),
    stdin: async () => given.stdin ?? "",
    env: { HOME: folder, ...given.env },
    signal: given.signal ?? new AbortController().signal,
  };
  return { code: await run(args, io), out, err };
}

/** Starts a scripted world; resolves to the options that lead there as @alpha. */
async function scripted(script: Script): Promise<string[]> {
  world = await ScriptedWorld.start(script);
  const { directory, authority } = world.network;
  const ca = join(folder, "ca.pem");
  const keys = join(folder, "alpha.atKeys");
  await writeFile(ca, authority ?? "");
  await writeKeyFile(keys, alpha);
  return ["-a", "@alpha", "-k", keys, "--ca", ca, "--directory", formatAddress(directory)];
}

const commands = [
  ["demo"],
  ["up"],
  ["server"],
  ["server", "backup"],
  ["server", "restore"],
  ["server", "config", "print"],
  ["directory", "serve"],
  ["directory", "set"],
  ["directory", "get"],
  ["directory", "remove"],
  ["directory", "import"],
  ["activate"],
  ["otp"],
  ["enroll"],
  ["approve", "list"],
  ["approve", "accept"],
  ["approve", "deny"],
  ["approve", "revoke"],
  ["keys"],
  ["fingerprint"],
  ["put"],
  ["get"],
  ["scan"],
  ["delete"],
  ["notify"],
  ["monitor"],
];

describe("the help", () => {
  it("lists the commands and the exit codes", async () => {
    const { code, out, err } = await atmicro(["--help"]);
    expect(code).toBe(0);
    expect(err).toEqual([]);
    const text = out.join("\n");
    for (const [name = ""] of commands) expect(text).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(text).toContain("Exit codes: 0 done, 1 internal, 2 usage, 3 no device");
  });

  it.each(commands)("of %s %s has an example", async (...command) => {
    const { code, out } = await atmicro([...command, "--help"]);
    expect(code).toBe(0);
    expect(out.join("\n")).toMatch(new RegExp(`Example:\\s+atmicro ${command.join(" ")} `));
  });
});

describe("usage errors exit with 2", () => {
  it.each([
    [["nonsense"], "unknown command 'nonsense'"],
    [["put"], "missing required argument 'key'"],
    [["put", "--ttl", "x", "k", "v"], "a whole number from 0"],
    [["get", "a@alpha", "--timeout", "0"], "a whole number from 1 to 3600"],
    [["scan", "--frobnicate"], "unknown option '--frobnicate'"],
    [["scan", "-a", "@a b"], "invalid @sign"],
    [["approve", "accept"], "missing required argument"],
    [["approve", "list", "--status", "odd"], "Allowed choices are pending"],
    [["enroll", "-a", "@a", "-k", "f", "--app", "x", "--device", "y"], "--namespace"],
    [
      ["enroll", "-a", "@a", "-k", "f", "--app", "x", "--device", "y", "--namespace", "z"],
      "write name:r or name:rw",
    ],
    [["scan"], "who are you? Name your atSign with --atsign or in ATMICRO_ATSIGN"],
  ] as const)("%j", async (args, message) => {
    const { code, out, err } = await atmicro(args);
    expect(code).toBe(2);
    expect(out).toEqual([]);
    expect(err.join("\n")).toContain(message);
  });
});

describe("failures say cause and remedy, without a stack", () => {
  it("no key file: 9", async () => {
    const { code, err } = await atmicro(["scan", "-a", "@alice"]);
    const path = join(folder, ".atsign", "keys", "@alice_key.atKeys");
    expect(code).toBe(9);
    expect(err).toEqual([
      `atmicro: ${path} is not there: activate @alice first, or name its key file with --keys`,
    ]);
  });

  it("a damaged key file: 9, and --debug shows where", async () => {
    const keys = join(folder, "bad.atKeys");
    await writeFile(keys, "{");
    const quiet = await atmicro(["keys", "-a", "@alice", "-k", keys]);
    expect(quiet.code).toBe(9);
    expect(quiet.err).toHaveLength(1);
    const loud = await atmicro(["--debug", "keys", "-a", "@alice", "-k", keys]);
    expect(loud.err[0]).toBe(quiet.err[0]);
    expect(loud.err[1]).toContain("keyFile.ts");
  });

  it("no server: 8", async () => {
    const options = await scripted(() => "hang up");
    await world?.close();
    const { code, err } = await atmicro(["scan", ...options]);
    world = undefined;
    expect(code).toBe(8);
    expect(err[0]).toMatch(/^atmicro: cannot connect to localhost:\d+: nothing listens there/);
  });

  it.each([
    ["error:AT0401-Exception: pkam authentication failed", 9],
    ["error:AT0027:enrollment_id: 1 is revoked", 9],
  ])("a login answered with %s: %i", async (answer, expected) => {
    const options = await scripted((line) =>
      line.startsWith("from:") ? `data:${challenge("@alpha")}\n@` : `${answer}\n@`,
    );
    expect((await atmicro(["scan", ...options])).code).toBe(expected);
  });

  it.each([
    ["error:AT0015-key not found : none", 10],
    ["error:AT0009-UnAuthorized client in request : no", 9],
    ["error:AT0003-Invalid syntax : no", 2],
    ["error:AT0010-Internal server error : no", 1],
  ])("a request answered with %s: %i", async (answer, expected) => {
    const options = await scripted(loggedIn(() => `${answer}\n@alpha@`));
    const { code, err } = await atmicro(["delete", "x.demo@alpha", ...options]);
    expect(code).toBe(expected);
    expect(err).toHaveLength(1);
  });

  it("silence: 42", async () => {
    const options = await scripted(loggedIn(() => "silence"));
    const { code } = await atmicro(["scan", ...options, "--timeout", "1"]);
    expect(code).toBe(42);
  });
});

describe("the commands", () => {
  it("put and get: text for people, one line of JSON for machines", async () => {
    let stored = "";
    const options = await scripted(
      loggedIn((line) => {
        if (line.startsWith("update:")) {
          stored = line.slice(line.indexOf(" ") + 1);
          return "data:5\n@alpha@";
        }
        const record = { key: "public:x.demo@alpha", data: stored, metaData: { ttl: 60000 } };
        return `data:${JSON.stringify(record)}\n@alpha@`;
      }),
    );
    const put = await atmicro(["put", "public:x.demo@alpha", ...options, "--ttl", "60000"], {
      stdin: "from a pipe\n",
    });
    expect(put).toEqual({ code: 0, out: ["public:x.demo@alpha written (commit 5)"], err: [] });
    const get = await atmicro(["get", "public:x.demo@alpha", ...options]);
    expect(get.out).toEqual(["from a pipe"]);
    const json = await atmicro(["get", "public:x.demo@alpha", ...options, "--json"]);
    expect(json.out.map((line) => JSON.parse(line))).toEqual([
      {
        key: "public:x.demo@alpha",
        value: "from a pipe",
        encrypted: false,
        metadata: { ttl: 60000 },
      },
    ]);
  });

  it("monitor: ends after --count, or when the user asks", async () => {
    const line = (id: string): string =>
      `notification: ${JSON.stringify({
        id,
        from: "@bravo",
        to: "@alpha",
        key: "@alpha:x.demo@bravo",
        value: "clear",
        operation: "update",
        epochMillis: 0,
        isEncrypted: false,
      })}\n`;
    const options = await scripted(
      loggedIn((_, connection) => {
        for (const id of ["1", "2", "3"]) connection.write(line(id));
        return "silence";
      }),
    );
    const count = ["--count", "2", "--accept-plaintext"];
    const counted = await atmicro(["monitor", ...options, ...count]);
    expect(counted).toEqual({
      code: 0,
      out: Array(2).fill(
        "1970-01-01T00:00:00.000Z  @bravo  update  @alpha:x.demo@bravo  (plaintext) clear",
      ),
      err: [],
    });
    const stopped = new AbortController();
    const asked = world?.server.next(/^monitor/).then(() => stopped.abort());
    const ended = await atmicro(["monitor", ...options], { signal: stopped.signal });
    await asked;
    expect(ended.code).toBe(0);
  });

  it("keys: tells what a file holds, and no secret", async () => {
    const keys = join(folder, "alpha.atKeys");
    await writeKeyFile(keys, alpha);
    const { code, out } = await atmicro(["keys", "-a", "alpha", "-k", keys, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out[0] ?? "")).toEqual({
      atSign: "@alpha",
      login: "RSA-2048",
      loginKey: expect.stringMatching(/^[0-9a-f]{16}$/),
      encryptionKey: expect.stringMatching(/^[0-9a-f]{16}$/),
      enrollmentId: alpha.enrollmentId,
    });
    const secrets = Object.values(JSON.parse(formatKeyFile(alpha)));
    for (const secret of secrets) {
      if (secret !== alpha.enrollmentId) expect(out[0]).not.toContain(secret);
    }
  });

  it("fingerprint: what a device is told to know the atSign's key by", async () => {
    const keys = join(folder, "alpha.atKeys");
    await writeKeyFile(keys, alpha);
    const shown = await atmicro(["fingerprint", "-a", "@alpha", "-k", keys]);
    expect(shown).toMatchObject({ code: 0, out: ["5m63-60tn-mf51-ccq0-rv4g"] });
    const { out } = await atmicro(["fingerprint", "-a", "@alpha", "-k", keys, "--json"]);
    expect(JSON.parse(out[0] ?? "")).toEqual({ atSign: "@alpha", fingerprint: shown.out[0] });
  });

  it("activate: reads the secret from a file or the environment, writes 0600, never over a file", async () => {
    const options = await scripted(
      loggedIn((line) =>
        line.startsWith("enroll:request:")
          ? 'data:{"enrollmentId":"first","status":"approved"}\n@alpha@'
          : "data:1\n@alpha@",
      ),
    );
    const file = join(folder, "new", "@alpha_key.atKeys");
    options[options.indexOf("-k") + 1] = file;
    const none = await atmicro(["activate", ...options]);
    expect(none.code).toBe(2);
    expect(none.err[0]).toContain("no CRAM secret: put it into ATMICRO_CRAM_SECRET");
    const env = { ATMICRO_CRAM_SECRET: "secret" };
    const done = await atmicro(["activate", ...options, "--key-algorithm", "p256"], { env });
    expect(done.code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readKeyFile(file, "@alpha")).pkamPublicKey).toMatch(/^04[0-9a-f]{128}$/);
    expect(world?.server.lines.at(-1)).toBe("delete:privatekey:at_secret");
    const before = await readFile(file, "utf8");
    const again = await atmicro(["activate", ...options], { env });
    expect(again.code).toBe(4);
    expect(again.err[0]).toContain("exists already and is never overwritten");
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("otp: prints the passcode, sets a lasting one from standard input", async () => {
    const options = await scripted(
      loggedIn({
        "otp:get": "data:AB12CD",
        "otp:put:LASTING1": "data:ok",
        "otp:put:LASTING123": "data:ok",
      }),
    );
    expect((await atmicro(["otp", ...options])).out).toEqual(["AB12CD"]);
    const set = await atmicro(["otp", "--set", ...options], { stdin: "LASTING1\n" });
    expect(set.out).toEqual(["the lasting passcode is set"]);
    expect(set.err.join("\n")).toContain(
      "warning: a lasting passcode of 8 characters can be guessed",
    );
    const long = await atmicro(["otp", "--set", ...options], { stdin: "LASTING123\n" });
    expect(long.out).toEqual(["the lasting passcode is set"]);
    expect(long.err.join("\n")).not.toContain("warning");
  });
});
