// SPDX-License-Identifier: BSD-3-Clause
// Names that strangers make up: the atDirectory is asked for each once, on one connection, and never before what the own
// atServer wants to know.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import {
  Directory,
  type DirectoryOptions,
  MAX_STRANGERS_LOOKUPS,
} from "../../server/peers/findPeer.ts";
import { AtError } from "../../wire/errors.ts";
import { World } from "../server/world.ts";
import { HANG_UP, HostileServer, type Identity, SILENCE, type Told } from "./hostileServer.ts";

const FOUND = Buffer.from("host.example:6464\r\n@");
const MISSING = Buffer.from("null\r\n@");
const UNKNOWN = { code: "AT0007" };

let authority: Authority;
let tls: Identity;
let server: HostileServer;
let now: number;
const opened: Directory[] = [];

beforeEach(async () => {
  authority ??= await createAuthority({ name: "test" });
  tls ??= await issueCertificate(authority, { hosts: ["localhost"] });
  server = await HostileServer.start({ tls });
  answer(() => FOUND);
  now = 0;
});
afterEach(async () => {
  for (const directory of opened.splice(0)) directory.close();
  await server.close();
});

/** What the directory says to a name. */
function answer(to: (name: string) => Told): void {
  server.beHonest();
  server.onCommand(/^[^@]/, (name) => to(name));
}

function directory(changes: Partial<DirectoryOptions> = {}): Directory {
  const made = new Directory(server.address, {
    tls: { certificate: "", privateKey: "", authority: authority.certificate },
    ...{ cacheMillis: 3_600_000, missMillis: 10_000, timeoutMillis: 5_000, idleMillis: 60_000 },
    now: () => now,
    ...changes,
  });
  opened.push(made);
  return made;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `@name${i}`);
const asked = (): string[] => server.lines.filter((line) => line !== "@exit");

describe("a name that isn't in the directory", () => {
  it("is asked for once in ten seconds, however often it is said", async () => {
    answer(() => MISSING);
    const one = directory();
    for (let i = 0; i < 50; i++)
      await expect(one.find("@nobody", "stranger")).rejects.toMatchObject(UNKNOWN);
    expect(asked()).toEqual(["nobody"]);
    now = 10_000;
    await expect(one.find("@nobody")).rejects.toMatchObject(UNKNOWN);
    expect(asked()).toEqual(["nobody", "nobody"]);
  });

  it("is asked for again when the clock was set back", async () => {
    answer(() => MISSING);
    now = 86_400_000;
    const one = directory();
    await expect(one.find("@nobody")).rejects.toMatchObject(UNKNOWN);
    now = 0;
    answer(() => FOUND);
    await one.find("@nobody");
    expect(asked()).toHaveLength(2);
  });

  it("is remembered among 255 others at the most", async () => {
    answer(() => MISSING);
    const one = directory();
    const many = names(280);
    for (const name of many) await expect(one.find(name)).rejects.toMatchObject(UNKNOWN);
    expect(asked()).toHaveLength(280);
    await expect(one.find("@name279")).rejects.toMatchObject(UNKNOWN);
    expect(asked()).toHaveLength(280);
    await expect(one.find("@name0")).rejects.toMatchObject(UNKNOWN);
    expect(asked()).toHaveLength(281);
  });

  it("costs no other name the wait for the directory's second miss", async () => {
    // As the reference's: the second miss of a connection is answered late, or here never.
    const misses = new Map<number, number>();
    server.beHonest();
    server.onCommand(/^[^@]/, (name, { number }) => {
      if (name === "alice") return FOUND;
      misses.set(number, (misses.get(number) ?? 0) + 1);
      return misses.get(number) === 1 ? MISSING : SILENCE;
    });
    const one = directory();
    for (const name of names(5)) {
      await expect(one.find(name)).rejects.toMatchObject(UNKNOWN);
      one.forget("@alice");
      expect(await one.find("@alice")).toEqual({ host: "host.example", port: 6464 });
    }
    expect(server.connections).toHaveLength(6);
  });

  it("is not what a directory that is away makes of it", async () => {
    answer(() => HANG_UP);
    const one = directory();
    await expect(one.find("@alice")).rejects.toMatchObject({ code: "AT0004" });
    answer(() => FOUND);
    expect(await one.find("@alice")).toEqual({ host: "host.example", port: 6464 });
  });
});

describe("look-ups", () => {
  it("share one connection", async () => {
    const one = directory();
    await Promise.all(names(40).map((name) => one.find(name)));
    expect(server.connections).toHaveLength(1);
    expect(asked()).toEqual(names(40).map((name) => name.slice(1)));
  });

  it("of one name share the question and the answer", async () => {
    const one = directory();
    const found = await Promise.all(
      Array.from({ length: 20 }, () => one.find("@alice", "stranger")),
    );
    expect(new Set(found).size).toBe(1);
    answer(() => MISSING);
    const missing = Array.from({ length: 20 }, () => one.find("@nobody", "stranger"));
    for (const each of missing) await expect(each).rejects.toMatchObject(UNKNOWN);
    expect(asked()).toEqual(["alice", "nobody"]);
  });

  it("open another connection when the directory hung up", async () => {
    const one = directory();
    await one.find("@a");
    server.hangUp();
    await one.find("@b");
    expect(server.connections).toHaveLength(2);
  });

  it("leave the connection when nothing was asked for a while", async () => {
    const one = directory({ idleMillis: 20 });
    await one.find("@a");
    await server.until(/^@exit$/);
    await one.find("@b");
    expect(server.connections).toHaveLength(2);
  });

  it("of many fail together when the directory is away, each after its tries", async () => {
    answer(() => HANG_UP);
    const one = directory();
    for (const each of names(30).map((name) => one.find(name))) {
      await expect(each).rejects.toMatchObject({ code: "AT0004" });
    }
    // Not thirty times five.
    expect(server.connections.length).toBeLessThan(40);
  });

  it("are not begun for a stranger behind too many strangers'", async () => {
    let release: () => void = () => undefined;
    server.beHonest();
    server.onCommand(/^first$/, (_, connection) => {
      release = () => connection.write(FOUND);
      return SILENCE;
    });
    server.onCommand(/^(?!first|@)/, () => FOUND);
    const one = directory();
    const first = one.find("@first");
    const strangers = names(MAX_STRANGERS_LOOKUPS).map((name) => one.find(name, "stranger"));
    await expect(one.find("@late", "stranger")).rejects.toMatchObject({
      code: "AT0028",
      message: "Too many look-ups at once, try again later",
    });
    // Whom a stranger waits for already is no further question.
    const again = one.find("@name0", "stranger");
    const own = one.find("@own");
    await server.until(/^first$/);
    release();
    await Promise.all([first, ...strangers, again, own]);
    expect(asked().slice(0, 3)).toEqual(["first", "own", "name0"]);
    expect(asked()).toHaveLength(MAX_STRANGERS_LOOKUPS + 2);
    await one.find("@late", "stranger");
  });

  it("end when the atServer is closed", async () => {
    answer(() => SILENCE);
    const one = directory();
    const waiting = one.find("@a");
    const next = one.find("@b");
    await server.until(/^a$/);
    one.close();
    await expect(waiting).rejects.toMatchObject({ code: "AT0004" });
    await expect(next).rejects.toMatchObject({ code: "AT0004" });
    await expect(one.find("@c")).rejects.toBeInstanceOf(AtError);
  });

  it.each([
    ["an answer without an end", Buffer.from("a".repeat(2_000))],
    ["two answers at once", Buffer.from("a:1\r\n@b:2\r\n@c")],
    ["an answer without being asked", [FOUND, FOUND]],
  ])("give %s up", async (_, told) => {
    answer(() => told);
    const one = directory({ timeoutMillis: 100 });
    const found = await one.find("@alice").catch((error: AtError) => error.code);
    if (typeof found === "string") expect(found).toBe("AT0004");
    await expect.poll(() => server.connections.every(({ isClosed }) => isClosed)).toBe(true);
    answer(() => Buffer.from("good.example:1\r\n@"));
    expect(await one.find("@bob")).toEqual({ host: "good.example", port: 1 });
  });

  it("are made again for an address that seems old, unless it was just asked for", async () => {
    const one = directory();
    await one.find("@alice");
    for (let i = 0; i < 5; i++) await one.findAgain("@alice", "stranger");
    expect(asked()).toEqual(["alice"]);
    now = 10_000;
    await one.findAgain("@alice", "stranger");
    expect(asked()).toEqual(["alice", "alice"]);
  });
});

describe("an atServer", () => {
  it("answers a flood of made-up names, and peers and owner meanwhile", async () => {
    const world = await World.create();
    const alice = await world.start("@alice");
    await world.start("@bob");
    const line = await alice.open();
    const made = names(80).map((name) => `from:${name}\n`);
    line.send(made.join(""));
    const owner = await alice.owner();
    expect(await owner.ask("plookup:signing_publickey@bob")).toMatch(/^data:\S+\n@alice@$/);
    for (const _ of made) {
      expect(await line.reply()).toMatch(
        /^error:AT0007-Exception: Unable to find secondary address/,
      );
    }
    await world.close();
  });
});
