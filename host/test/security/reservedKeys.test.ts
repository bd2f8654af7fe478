// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Enrolled, enrolled, payloadOf } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { type Place, World } from "../server/world.ts";

const PKAM = "privatekey:at_pkam_publickey";
const SECRET = "privatekey:at_secret";
const SIGNING = "@alice:signing_privatekey@alice";

/** Enrollments, from the widest rights to the narrowest. */
const grants = {
  root: { "*": "rw", __manage: "rw" },
  everything: { "*": "rw" },
  reader: { "*": "r" },
  manager: { __manage: "rw" },
  app: { wavi: "rw", alice: "rw", bob: "rw", publickey: "rw" },
} as const;
type Who = keyof typeof grants;
const everybody = Object.keys(grants) as Who[];

/** `update:json` takes any characters in a key. */
function json(atKey: string, value: string, more: Record<string, unknown> = {}): string {
  const metadata = { isPublic: false, isBinary: false, isEncrypted: false, ...more };
  return `update:json:${JSON.stringify({ atKey, value, sharedBy: "@alice", metadata })}`;
}

function jsonWrites(key: string): string[] {
  const inner = key.replace(/^public:|@alice$/g, "");
  return [json(key.replace(/@alice$/, ""), "X"), json(inner, "X", { isPublic: true })];
}

/** A command inside a batch; its error code is all that is told. */
const batched = (command: string): string => `batch:${JSON.stringify([{ id: 1, command }])}`;

describe("reserved keys", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  const clients = new Map<Who, Enrolled>();
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { autoNotify: false, enrollmentMaxRequests: 100 });
    owner = await alice.owner();
    await owner.ask("update:public:publickey@alice KEY");
    await owner.ask("config:block:add:@mallory");
    await alice.store.write((writer) => {
      writer.put("cached:public:publickey@bob", { value: "BOB", metadata: { ttr: -1 } }, "*");
      writer.put("configkey", { value: "{}", metadata: {} });
      writer.put("notice.__atserver@alice", { value: "hello", metadata: {} }, "*");
    });
    for (const who of everybody) clients.set(who, await enrolled(alice, { ...grants[who] }));
  });
  afterAll(() => world.close());

  const client = (who: Who): Enrolled => {
    const found = clients.get(who);
    if (found === undefined) throw new Error(who);
    return found;
  };
  const ask = (who: Who, command: string): Promise<string> => client(who).line.ask(command);
  const stored = (key: string): string | null | undefined => alice.store.record(key)?.value;
  const denied = /^error:AT00(?:03|09|16)-/;

  /** Every way to write a key, or to have it written. */
  const writes = (key: string, command: string): string[] => [
    `update:${command} X`,
    `update:nc:${command} X`,
    `update:meta:${command}:ttl:1`,
    // Without an owner it would be another key.
    ...(key === "configkey" ? [] : jsonWrites(key)),
    `delete:${command}`,
    `delete:force:${command}`,
  ];

  describe.each([
    [PKAM, PKAM],
    [SECRET, SECRET],
    ["privatekey:at_secret_deleted", "privatekey:at_secret_deleted"],
    ["privatekey:signing_keypair_generated", "privatekey:signing_keypair_generated"],
    ["private:blocklist@alice", "private:blocklist@alice"],
    ["configkey", "configkey"],
    ["public:signing_publickey@alice", "public:signing_publickey@alice"],
    [SIGNING, SIGNING],
  ])("%s", (key, command) => {
    it.each(everybody)("isn't written or removed with %o", async (who) => {
      const before = stored(key);
      for (const write of writes(key, command)) {
        if (write.startsWith("delete:") && key === SECRET && who === "root") continue;
        expect(await ask(who, write), write).toMatch(denied);
        expect(await ask(who, batched(write)), write).toMatch(/"error_code":"AT00(?:03|09|16)"/);
      }
      expect(stored(key)).toBe(before);
    });
  });

  it("the copy of another's public key is the atServer's: an enrollment doesn't choose who is taken for whom", async () => {
    for (const who of everybody.filter((each) => each !== "root")) {
      for (const write of [
        ...writes("cached:public:publickey@bob", "cached:public:publickey@bob"),
        "delete:cached:public:publickey@bob",
        "update:json:" +
          JSON.stringify({
            atKey: "cached:public:publickey@bob",
            value: "FORGED",
            sharedBy: "@alice",
            metadata: { isPublic: false, isBinary: false, isEncrypted: false },
          }),
      ]) {
        expect(await ask(who, write), `${who} ${write}`).toMatch(denied);
      }
      expect(stored("cached:public:publickey@bob")).toBe("BOB");
    }
  });

  it("the key that logs in the owner isn't replaced by an enrollment, so its revocation is one", async () => {
    const rogue = await enrolled(alice, { "*": "rw" });
    const reply = await rogue.line.ask(`update:${PKAM} ${rogue.keys.publicKey}`);
    expect(reply).toBe(
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${rogue.id} is not authorized to update key: ${PKAM}\n@alice@`,
    );
    expect(await owner.ask(`update:${PKAM} ${stored(PKAM)}`)).toBe("data:-1\n@alice@");
  });

  it("the atServer's signing key is read by nobody with an enrollment", async () => {
    for (const who of everybody) {
      for (const command of [
        `llookup:${SIGNING}`,
        `llookup:all:${SIGNING}`,
        "lookup:signing_privatekey@alice",
        "lookup:all:signing_privatekey@alice",
        batched(`llookup:${SIGNING}`),
      ]) {
        expect(await ask(who, command), `${who} ${command}`).toMatch(/AT0009/);
      }
      for (const command of ["scan", "scan:showhidden:true", "scan:cl", "sync:from:-1:limit:25"]) {
        expect(await ask(who, command), `${who} ${command}`).not.toContain("signing_privatekey");
      }
    }
    await ask("reader", "update:public:ref@alice x");
    expect(await owner.ask(`llookup:${SIGNING}`)).toMatch(/^data:MII/);
    expect(await (await alice.cram()).ask(`llookup:${SIGNING}`)).toMatch(/^data:MII/);
  });

  it("the public ones are read by all", async () => {
    for (const who of everybody) {
      expect(await ask(who, "llookup:public:publickey@alice"), who).toBe("data:KEY\n@alice@");
      expect(await ask(who, "llookup:public:signing_publickey@alice"), who).toMatch(/^data:MII/);
      expect(await ask(who, "llookup:cached:public:publickey@bob"), who).toBe("data:BOB\n@alice@");
      expect(await ask(who, "sync:from:-1:limit:25"), who).toContain('"public:publickey@alice"');
    }
  });

  it("public:publickey is written by root alone", async () => {
    for (const who of everybody) {
      const reply = await ask(who, "update:public:publickey@alice KEY");
      expect(reply, who).toMatch(who === "root" ? /^data:\d+\n/ : /^error:AT0009-/);
      const told = await ask(who, "notify:@alice:public:publickey@alice:FORGED");
      expect(told, who).toMatch(who === "root" ? /^data:/ : /^error:AT0009-/);
    }
    expect(stored("public:publickey@alice")).toBe("KEY");
  });

  it("keys that only contain a reserved name are keys like others", async () => {
    const reply = await ask("app", "update:my_shared_key.wavi@alice 1");
    expect(reply).toMatch(/^data:\d+\n/);
    for (const key of [
      "x.shared_key.carol",
      "shared_keys",
      "public:publickeys",
      "@bob:publickey",
    ]) {
      expect(await ask("app", `update:${key}@alice 1`), key).toMatch(/^error:AT0009-/);
      expect(await ask("everything", `update:${key}@alice 1`), key).toMatch(/^data:\d+\n/);
    }
    for (const key of [
      "public:publickey@alice:x.wavi",
      "public:@alice:signing_privatekey",
      "@bob:shared_key@alice:x.wavi",
    ]) {
      for (const line of [owner, client("everything").line, client("app").line]) {
        expect(await line.ask(json(key, "1")), key).toMatch(denied);
      }
    }
  });

  it("names without a namespace need *, the client's own notes too", async () => {
    for (const key of ["_latest", "plain@alice", "@bob:plain@alice"]) {
      for (const who of everybody) {
        const may = who === "root" || who === "everything";
        const reply = await ask(who, `update:${key} 1`);
        expect(reply, `${who} ${key}`).toMatch(may ? /^data:/ : /^error:AT0009-/);
      }
    }
    expect(await ask("reader", "llookup:plain@alice")).toBe("data:1\n@alice@");
    expect(await ask("app", "llookup:plain@alice")).toMatch(/^error:AT0009-/);
    expect(await ask("app", "sync:from:-1:limit:25")).not.toContain('"plain@alice"');
    expect(await ask("manager", "sync:from:-1:limit:25")).not.toContain('"plain@alice"');
  });

  it("what is managed isn't seen through *", async () => {
    const { id } = client("app");
    const record = `${id}.new.enrollments.__manage@alice`;
    const key = `${id}.default_self_enc_key.__manage@alice`;
    for (const who of everybody) {
      for (const name of [record, key]) {
        expect(await ask(who, `llookup:${name}`), who).toMatch(/^error:AT0009-/);
        expect(await ask(who, `update:${name} x`), who).toMatch(/^error:AT0009-/);
        expect(await ask(who, `delete:${name}`), who).toMatch(/^error:AT0009-/);
      }
      for (const command of ["scan", "scan:showhidden:true", "scan:cl"]) {
        expect(await ask(who, command), `${who} ${command}`).not.toContain("__manage");
      }
    }
    expect(await owner.ask("scan")).toContain(record);
  });

  it("an area is its enrollment's own, and for others readable where it is public", async () => {
    const { id } = client("app");
    const own = (name: string): string => `${name}.${id}.a.__e@alice`;
    expect(await ask("app", `update:${own("x")} 1`)).toMatch(/^data:\d+\n/);
    expect(await ask("app", `update:public:${own("shown")} 2`)).toMatch(/^data:\d+\n/);
    expect(await ask("app", `llookup:${own("x")}`)).toBe("data:1\n@alice@");
    for (const state of ["r", "d"]) {
      expect(await ask("app", `update:x.${id}.${state}.__e@alice 1`)).toMatch(/^error:AT0009-/);
    }
    for (const who of everybody.filter((each) => each !== "app")) {
      for (const command of [
        `llookup:${own("x")}`,
        `update:${own("x")} 3`,
        `update:${own(`y.${client(who).id}.a`)} 3`,
        `delete:${own("x")}`,
        `update:public:${own("shown")} 3`,
        `delete:public:${own("shown")}`,
      ]) {
        expect(await ask(who, command), `${who} ${command}`).toMatch(/^error:AT0009-/);
      }
      expect(await ask(who, `llookup:public:${own("shown")}`), who).toBe("data:2\n@alice@");
      const listed = await ask(who, "scan __e@");
      expect(listed, who).not.toContain(`"${own("x")}"`);
      expect(listed, who).toContain(`"public:${own("shown")}"`);
      expect(await ask(who, "sync:from:-1:limit:25:__e@"), who).not.toContain(`"${own("x")}"`);
    }
    expect(await ask("app", "scan __e@")).toContain(`"${own("x")}"`);
    expect(await owner.ask(`llookup:${own("x")}`)).toBe("data:1\n@alice@");
  });

  it("what the atServer tells is read by all enrollments and written by none", async () => {
    for (const who of everybody) {
      expect(await ask(who, "llookup:notice.__atserver@alice"), who).toBe("data:hello\n@alice@");
      for (const command of [
        "update:notice.__atserver@alice x",
        "delete:notice.__atserver@alice",
        "notify:@bob:notice.__atserver@alice:x",
        "keys:put:public:namespace:__atserver:keyType:k:keyName:n V",
        "keys:put:public:namespace:__e:keyType:k:keyName:n V",
      ]) {
        expect(await ask(who, command), `${who} ${command}`).toMatch(/^error:AT0009-/);
      }
    }
  });

  it("the CRAM secret is removed by a root, and noted only when there was one", async () => {
    const root = client("root").line;
    const deleted = "privatekey:at_secret_deleted";
    expect(await root.ask(`delete:${SECRET}`)).toBe("data:-1\n@alice@");
    expect(stored(SECRET)).toBeUndefined();
    expect(stored(deleted)).toBe("true");
    const plain = await world.start("@plain", { autoNotify: false });
    await plain.store.write((writer) => writer.remove(SECRET, false));
    const line = await plain.owner();
    expect(await line.ask(`delete:${SECRET}`)).toBe("data:-1\n@plain@");
    expect(plain.store.record(deleted)).toBeUndefined();
  });

  it("a CRAM login has all rights, also after it enrolled its first client", async () => {
    const fresh = await world.start("@fresh");
    const cram = await fresh.cram();
    const first = {
      appName: "a",
      deviceName: "d",
      namespaces: { wavi: "r" },
      apkamPublicKey: client("app").keys.publicKey,
    };
    const { enrollmentId } = payloadOf(
      await cram.ask(`enroll:request:${JSON.stringify(first)}`),
    ) as { enrollmentId: string };
    expect(await cram.ask(`llookup:${enrollmentId}.new.enrollments.__manage@fresh`)).toMatch(
      /^data:\{/,
    );
    expect(await cram.ask(`update:${PKAM} KEY`)).toBe("data:-1\n@fresh@");
    expect(await cram.ask(`enroll:revoke:{"enrollmentId":"${enrollmentId}"}`)).toMatch(/"revoked"/);
    expect(await cram.ask("llookup:@fresh:signing_privatekey@fresh")).toMatch(/^data:MII/);
  });
});
