// SPDX-License-Identifier: BSD-3-Clause
// What is put reads back equal, or is refused; through a real atServer, by the library and by the program.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import type { Io } from "../../cli/terminal/command.ts";
import { World } from "../../cli/world/world.ts";
import type { AtClient } from "../../client/atClient.ts";
import { formatAddress } from "../../net/address.ts";
import { newSeed, Random } from "../random.ts";

const PROGRAM = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "atmicro-values-"));
let world: World;
let alice: AtClient;
let bob: AtClient;

beforeAll(async () => {
  world = await World.start({ folder: join(folder, "world"), atSigns: ["@alice", "@bob"] });
  alice = await world.activate("@alice");
  bob = await world.activate("@bob");
});
afterAll(async () => {
  await alice.close();
  await bob.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

const scopes = ["note.demo@alice", "public:note.demo@alice", "@bob:note.demo@alice"] as const;

/** Reads what @alice put, as whoever may read it does. */
async function readBack(key: (typeof scopes)[number]): Promise<string | Uint8Array> {
  if (key.startsWith("@bob:")) return (await bob.get("note.demo@alice")).value;
  if (!key.startsWith("public:")) return (await alice.get(key)).value;
  const { value } = await bob.get(key, { verify: true, bypassCache: true });
  return value;
}

const texts: readonly string[] = [
  "null",
  " null",
  "undefined",
  "data:null",
  " leading",
  "trailing ",
  " ",
  "   ",
  "\t",
  "\n",
  "\r\n",
  "one\ntwo\r\nthree\n",
  "a\0b",
  "\0",
  "\u0001\u001b[2J\u007f\u0085",
  "\u2028line\u2029",
  "\ufeffmark",
  "\u00a0space\u3000",
  "@alice@",
  "a:b:c",
  "isEncrypted:true:x",
  "~NL~",
  "🌱🌱",
  "e\u0301",
  "b64:aGVsbG8=",
  "aGVsbG8=",
  '{"json":[1,null]}',
  "x".repeat(5_000),
];

describe.each(scopes)("%s", (key) => {
  it.each(texts.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    "%s comes back as it was",
    async (_, text) => {
      await alice.put(key, text);
      expect(await readBack(key)).toBe(text);
    },
  );

  it("bytes come back as they were", async () => {
    const random = new Random(newSeed());
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const samples = [all, random.bytes(300), random.bytes(1), random.bytes(2), random.bytes(4_096)];
    for (const bytes of [...samples, new Uint8Array(15), Buffer.from("null")]) {
      await alice.put(key, bytes);
      expect(Buffer.from(await readBack(key))).toEqual(Buffer.from(bytes));
    }
  });

  it("any text comes back as it was, or is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 20 }), async (text) => {
        fc.pre(text !== "");
        const put = alice.put(key, text);
        if (/\p{Surrogate}/u.test(text))
          await expect(put).rejects.toMatchObject({ code: "AT0022" });
        else {
          await put;
          expect(await readBack(key)).toBe(text);
        }
      }),
      { numRuns: 15 },
    );
  });

  it("half of a pair is refused", async () => {
    for (const text of ["\ud800", "a\udc00", "\udc00\ud800"]) {
      await expect(alice.put(key, text)).rejects.toMatchObject({
        code: "AT0022",
        message: expect.stringContaining("half of a surrogate pair"),
      });
    }
  });
});

describe("nothing", () => {
  it.each(["note.demo@alice", "@bob:note.demo@alice"] as const)("in %s comes back", async (key) => {
    for (const value of ["", new Uint8Array(0)]) {
      await alice.put(key, value);
      expect(await readBack(key)).toEqual(value);
    }
  });

  it("can't be public, and is refused", async () => {
    for (const value of ["", new Uint8Array(0)]) {
      await expect(alice.put("public:note.demo@alice", value)).rejects.toMatchObject({
        code: "AT0022",
        message: expect.stringContaining("a public record can't be empty"),
      });
    }
  });
});

describe("a notification", () => {
  it("of bytes is refused with what to do: atServers drop the mark that they are bytes", async () => {
    await expect(alice.notify("@bob:a.demo@alice", Buffer.of(1))).rejects.toMatchObject({
      code: "AT0022",
      message: expect.stringContaining("put a record and notify its key"),
    });
  });
});

type Outcome = { readonly code: number; readonly out: Buffer; readonly err: string };

function place(): string[] {
  const keys = join(world.folder, "keys");
  return ["-k", keys, "--ca", world.authorityFile, "--directory", formatAddress(world.directory)];
}

/** Runs a command with bytes at its standard input, its output a pipe; gives what it wrote. */
async function atmicro(args: readonly string[], input: Uint8Array | string = ""): Promise<Outcome> {
  const out: Uint8Array[] = [];
  const err: string[] = [];
  const io: Io = {
    stdout: (line) => out.push(Buffer.from(`${line}\n`)),
    stdoutBytes: (bytes) => out.push(bytes),
    stderr: (line) => err.push(line),
    stdin: async () => Buffer.from(input),
    env: {},
    signal: new AbortController().signal,
  };
  const code = await run([...args, ...place()], io);
  return { code, out: Buffer.concat(out), err: err.join("\n") };
}

/** The same as a process of its own. */
async function spawned(args: readonly string[], input: Uint8Array | string = ""): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...args, ...place()]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk) => out.push(chunk));
  child.stderr.on("data", (chunk) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, out: Buffer.concat(out), err: Buffer.concat(err).toString() };
}

describe("the program", () => {
  const key = "@bob:file.demo@alice";
  const put = ["put", "-a", "@alice", key];
  const get = ["get", "-a", "@bob", "file.demo@alice"];

  it("keeps 300 random bytes, from a pipe and to one", async () => {
    const bytes = Buffer.from(new Random(newSeed()).bytes(300));
    bytes.writeUInt8(0xff, 0);
    expect(await spawned(put, bytes)).toMatchObject({ code: 0, err: "" });
    expect(await spawned(get)).toEqual({ code: 0, out: bytes, err: "" });
    const { out } = await atmicro([...get, "--json"]);
    expect(JSON.parse(out.toString())).toMatchObject({ base64: bytes.toString("base64") });
  });

  it("keeps a file as it is", async () => {
    const file = join(folder, "file");
    const text = "no strip\r\n\n";
    for (const contents of [
      Buffer.from(text),
      Buffer.from([0xc3, 0x28, 0x0a]),
      Buffer.from("\0\n"),
    ]) {
      writeFileSync(file, contents);
      expect((await atmicro([...put, "--file", file])).code).toBe(0);
      expect((await atmicro([...get, "--raw"])).out).toEqual(contents);
    }
    expect((await bob.get("file.demo@alice")).value).toBe("\0\n");
  });

  it("takes text from a pipe without its last line end, and with --binary bytes", async () => {
    await atmicro(put, "hello\n");
    expect((await bob.get("file.demo@alice")).value).toBe("hello");
    expect((await atmicro(get)).out.toString()).toBe("hello\n");
    await atmicro([...put, "--binary"], "hello\n");
    expect((await bob.get("file.demo@alice")).value).toEqual(
      new Uint8Array(Buffer.from("hello\n")),
    );
    expect((await atmicro(get)).out.toString()).toBe("hello\n");
  });

  it("shows bytes on a terminal as base64, and gives no value as it is to one", async () => {
    await alice.put(key, Buffer.of(0xff, 0x1b));
    const out: string[] = [];
    const err: string[] = [];
    const io: Io = {
      stdout: (line) => out.push(line),
      stderr: (line) => err.push(line),
      stdin: async () => "",
      env: {},
      signal: new AbortController().signal,
    };
    expect(await run([...get, ...place()], io)).toBe(0);
    expect(out).toEqual(["/xs="]);
    expect(await run([...get, "--raw", ...place()], io)).toBe(2);
    expect(err).toEqual([expect.stringContaining("not to a terminal")]);
  });

  it("refuses an argument whose bytes are no text any more, and takes the same from a pipe", async () => {
    expect(await atmicro([...put, "caf\ufffd"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("give it by standard input or --file"),
    });
    await atmicro(put, "caf\ufffd");
    expect((await bob.get("file.demo@alice")).value).toBe("caf\ufffd");
  });

  it("refuses two values, and bytes in a notification", async () => {
    expect(await atmicro([...put, "value", "--file", PROGRAM])).toMatchObject({
      code: 2,
      err: expect.stringContaining("give the value or --file, not both"),
    });
    const notify = ["notify", "-a", "@alice", "@bob:a.demo@alice"];
    expect(await atmicro(notify, Buffer.of(0xff))).toMatchObject({
      code: 2,
      err: expect.stringContaining("a notification carries text only"),
    });
  });
});
