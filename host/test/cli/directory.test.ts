// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { hasRedis, RedisServer } from "../directory/redisServer.ts";
import { Line } from "../server/line.ts";

const folder = mkdtempSync(join(tmpdir(), "atmicro-cli-directory-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Outcome = { readonly code: number; readonly out: string[]; readonly err: string };

async function atmicro(
  args: readonly string[],
  given: {
    env?: Record<string, string>;
    signal?: AbortSignal;
    onOut?: (line: string) => void;
  } = {},
): Promise<Outcome> {
  const out: string[] = [];
  let err = "";
  const code = await run(["directory", ...args], {
    stdout: (line) => {
      out.push(line);
      given.onOut?.(line);
    },
    stderr: (line) => {
      err += `${line}\n`;
    },
    stdin: async () => "",
    env: given.env ?? {},
    signal: given.signal ?? new AbortController().signal,
  });
  return { code, out, err };
}

/** Runs `serve` with more options and variables, until `end`, which gives the exit code. */
async function serve(
  more: readonly string[],
  env: Record<string, string> = {},
): Promise<{ port: number; authority: string; end(): Promise<number> }> {
  const authority = await createAuthority({ name: "test" });
  const tls = await issueCertificate(authority, { hosts: ["localhost"] });
  const files = { certificate: join(folder, "d.pem"), key: join(folder, "d.key") };
  writeFileSync(files.certificate, tls.certificate);
  writeFileSync(files.key, tls.privateKey, { mode: 0o600 });
  const ended = new AbortController();
  let listening: (line: string) => void = () => undefined;
  const started = new Promise<string>((resolve) => {
    listening = resolve;
  });
  const serving = atmicro(
    [
      ...["serve", "--port", "0", "--log-level", "silent"],
      ...["--certificate", files.certificate, "--private-key", files.key, ...more],
    ],
    { env, signal: ended.signal, onOut: (line) => listening(line) },
  );
  const { port } = JSON.parse(await started);
  const end = async (): Promise<number> => {
    ended.abort();
    return (await serving).code;
  };
  return { port, authority: authority.certificate, end };
}

/** What the commands do, whatever the store is. */
function directoryCommands(name: string, options: () => string[]): void {
  describe(`atmicro directory, ${name}`, () => {
    it("sets, gets, moves and removes", async () => {
      const set = ["set", "@alice", "host.example:6464"];
      expect(await atmicro([...set, ...options()])).toEqual({ code: 0, out: [], err: "" });
      expect((await atmicro(["get", "alice", ...options()])).out).toEqual(["host.example:6464"]);
      await atmicro(["set", "@alice", "[::1]:1", ...options()]);
      expect((await atmicro(["get", "@ALICE", ...options()])).out).toEqual(["[::1]:1"]);
      expect((await atmicro(["remove", "@alice", ...options()])).code).toBe(0);
      for (const command of ["get", "remove"]) {
        const { code, err } = await atmicro([command, "@alice", ...options()]);
        expect(code).toBe(10);
        expect(err).toContain("@alice is not in this atDirectory");
      }
    });

    it("answers machines with one line of JSON", async () => {
      const json = async (...args: string[]) => {
        const { out } = await atmicro([...args, "--json", ...options()]);
        return out.map((line) => JSON.parse(line));
      };
      const entry = { atSign: "@json", host: "host.example", port: 6464 };
      expect(await json("set", "@Json", "host.example:6464")).toEqual([entry]);
      expect(await json("get", "json")).toEqual([entry]);
      expect(await json("remove", "@json")).toEqual([{ atSign: "@json", removed: true }]);
      expect(await json("get", "json")).toEqual([]);
      const list = join(folder, "json.txt");
      writeFileSync(list, "@one h:1\n@two h:2\n");
      expect(await json("import", list)).toEqual([{ registered: 2 }]);
    });

    it("imports a list, all of it or, when a line is wrong, none", async () => {
      const list = join(folder, "names.txt");
      const lines = Array.from({ length: 2_500 }, (_, i) => `@name${i} host${i}.example:${i + 1}`);
      writeFileSync(list, `# a list\n\n${lines.join("\r\n")}\n`);
      const imported = await atmicro(["import", list, ...options()]);
      expect(imported).toEqual({ code: 0, out: ["2500 atSigns registered"], err: "" });
      for (const i of [0, 999, 1_000, 2_499]) {
        const { out } = await atmicro(["get", `@name${i}`, ...options()]);
        expect(out).toEqual([`host${i}.example:${i + 1}`]);
      }
      for (const [line, sentence] of [
        ["@second host", '"host" is not an address: write host:port'],
        ["@second bad_host!:1", '"bad_host!:1" is not an address: write host:port'],
        ["@sec@ond host:1", "invalid @sign"],
        ["@second host:3 more", 'is not "@atSign host:port"'],
        ["@second", 'is not "@atSign host:port"'],
      ]) {
        writeFileSync(list, `@first host:1\n${line}\n`);
        const { code, err } = await atmicro(["import", list, ...options()]);
        expect(err).toContain(`${list}:2`);
        expect(err).toContain(sentence);
        expect(code).toBe(2);
        expect((await atmicro(["get", "@first", ...options()])).code).toBe(10);
      }
    });

    it("serves what is set meanwhile", async () => {
      const { port, authority, end } = await serve(options());
      const line = await Line.open(port, authority);
      await atmicro(["set", "@served", "localhost:5", ...options()]);
      expect(await line.ask("served")).toBe("localhost:5\r\n@");
      line.close();
      expect(await end()).toBe(0);
    });
  });
}

directoryCommands("LMDB", () => ["--store", join(folder, "store")]);

describe.skipIf(!hasRedis)("with Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.close());

  directoryCommands("Redis", () => ["--redis", redis.url]);

  it("takes the password from a file or the environment", async () => {
    const locked = await RedisServer.start("--requirepass", "sesame");
    const file = join(folder, "password");
    writeFileSync(file, "sesame\n", { mode: 0o600 });
    const set = ["set", "@alice", "host:1", "--redis", locked.url];
    expect((await atmicro([...set, "--redis-password-file", file])).code).toBe(0);
    const get = ["get", "@alice", "--redis", locked.url];
    const env = { ATMICRO_REDIS_PASSWORD: "sesame" };
    expect((await atmicro(get, { env })).out).toEqual(["host:1"]);
    const { code, err } = await atmicro(get);
    expect(code).toBe(8);
    expect(err).toContain("NOAUTH");
    await locked.close();
  });
});

describe("atmicro directory serve", () => {
  const store = (): string[] => ["--store", join(folder, "limits")];
  const limits: [string, string[], Record<string, string>][] = [
    ["connections", ["--inbound-max-limit", "2"], {}],
    ["connections", [], { inbound_max_limit: "2" }],
    ["connections", ["--inbound-max-limit", "2"], { inbound_max_limit: "900" }],
    ["connections from one address", ["--unauthenticated-max-per-address", "2"], {}],
    ["connections from one address", [], { unauthenticated_max_per_address: "2" }],
  ];
  it.each(limits)("takes as many %s as %j and %j say", async (_what, flags, env) => {
    const { port, authority, end } = await serve([...flags, ...store()], env);
    const lines: Line[] = [];
    for (let i = 0; i < 3; i++) lines.push(await Line.open(port, authority));
    expect(await lines[0]?.closed()).toBe("");
    for (const line of lines.slice(1)) expect(await line.ask("nobody")).toBe("null\r\n@");
    for (const line of lines) line.close();
    expect(await end()).toBe(0);
  });

  it.each([
    [["--inbound-max-limit", "0"], {}, '--inbound-max-limit is "0": a whole number from 1'],
    [["--unauthenticated-max-per-address", "x"], {}, 'address is "x": a whole number from 1'],
    [[], { inbound_idletime_millis: "4999" }, 'is "4999": a whole number from 5000'],
  ])("refuses %j with %j", async (flags, env, message) => {
    const files = ["--certificate", "none", "--private-key", "none"];
    const { code, err } = await atmicro(["serve", ...files, ...flags, ...store()], { env });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe("atmicro directory", () => {
  it.each([
    [["set", "@a", "host"], 2, '"host" is not an address: write host:port'],
    [["set", "@a", "bad_host!:1"], 2, '"bad_host!:1" is not an address: write host:port'],
    [["set", "@a@", "host:1"], 2, "invalid @sign"],
    [["get", "@a@"], 2, "invalid @sign"],
    [["remove", "@a@"], 2, "invalid @sign"],
    [["get", "@a"], 2, "where is the directory? Name --store <folder> or --redis <url>"],
    [["get", "@a", "--redis", "redis://127.0.0.1:1"], 8, "can't be opened in Redis at 127.0.0.1:1"],
    [["get", "@a", "--redis", "http://x"], 2, "http:// is not Redis: write redis://host:port"],
    [["get", "@a", "--redis", "redis://u:p@x"], 2, "doesn't belong into its URL"],
    [["import", "/nowhere", "--store", "x"], 2, "the list /nowhere can't be read"],
  ])("%j exits with %i", async (args, exitCode, message) => {
    const { code, err } = await atmicro(args);
    expect(code).toBe(exitCode);
    expect(err).toContain(message);
  });
});
