// SPDX-License-Identifier: BSD-3-Clause
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signWithServerKey } from "../../server/access/signatures.ts";
import { converse, data } from "./conformance/items.ts";
import { payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { dataOf, notification } from "./notifications.ts";
import { loginAsPeer } from "./peerLogin.ts";
import { type Place, World } from "./world.ts";

type Name = "@alice" | "@bob" | "@carol";

describe("three atServers", () => {
  let world: World;
  const places = new Map<Name, Place>();
  const owners = new Map<Name, Line>();
  const watches = new Map<Name, Line>();
  beforeAll(async () => {
    world = await World.create();
    for (const name of ["@alice", "@bob", "@carol"] as const) await up(name);
  });
  afterAll(() => world.close());

  /** Starts an atServer, on the store it had when it ran before. */
  async function up(name: Name): Promise<void> {
    const before = places.get(name);
    const place = await world.start(name, {
      directoryCacheMillis: 0,
      ...(before !== undefined && { store: before.store }),
    });
    places.set(name, place);
    owners.set(name, await place.owner());
    const watch = await place.owner();
    watch.send("monitor\n");
    watches.set(name, watch);
  }

  function of<T>(map: Map<Name, T>, name: Name): T {
    const found = map.get(name);
    if (found === undefined) throw new Error(`${name} isn't up`);
    return found;
  }
  const place = (name: Name): Place => of(places, name);
  const ask = (name: Name, command: string): Promise<string> => of(owners, name).ask(command);
  const told = (name: Name): Promise<Record<string, unknown>> => notification(of(watches, name));

  it("share one name with two others, each its own value", async () => {
    await ask("@alice", "update:@bob:room.x@alice for bob");
    await ask("@alice", "update:@carol:room.x@alice for carol");
    expect((await told("@bob")).value).toBe("for bob");
    expect((await told("@carol")).value).toBe("for carol");
    expect(await ask("@bob", "lookup:room.x@alice")).toBe(data("for bob", "@bob@"));
    expect(await ask("@carol", "lookup:room.x@alice")).toBe(data("for carol", "@carol@"));
    expect(await ask("@alice", "lookup:room.x@bob")).toMatch(/^error:AT0015-/);
  });

  it("keep copies with ttr, renew them with the original, and drop those that cascade", async () => {
    for (const name of ["@bob", "@carol"] as const) {
      await ask("@alice", `update:ttr:-1:ccd:${name === "@bob"}:${name}:copy.x@alice one`);
      await told(name);
      const copy = `llookup:cached:${name}:copy.x@alice`;
      expect(await ask(name, copy)).toBe(data("one", `${name}@`));
      await ask("@alice", `update:${name}:copy.x@alice two`);
      await told(name);
      expect(await ask(name, copy)).toBe(data("two", `${name}@`));
      await ask("@alice", `delete:${name}:copy.x@alice`);
      expect((await told(name)).operation).toBe("delete");
    }
    expect(await ask("@bob", "llookup:cached:@bob:copy.x@alice")).toMatch(/^error:AT0015-/);
    expect(await ask("@carol", "llookup:cached:@carol:copy.x@alice")).toBe(data("two", "@carol@"));
  });

  it("carry changed metadata to a copy without its value", async () => {
    await ask("@alice", "update:ttr:-1:@bob:meta.x@alice kept");
    await told("@bob");
    await ask("@alice", "update:meta:@bob:meta.x@alice:ttr:600:encAlgo:new");
    await told("@bob");
    expect(payloadOf(await ask("@bob", "llookup:all:cached:@bob:meta.x@alice"))).toMatchObject({
      data: "kept",
      metaData: { ttr: 600, encAlgo: "new", version: 1 },
    });
  });

  it("use the same connections again", async () => {
    const connections = async (): Promise<unknown> => {
      const [{ value }] = payloadOf(await ask("@bob", "stats:2")) as [{ value: string }];
      return value;
    };
    await ask("@alice", "update:public:open.x@alice 1");
    await ask("@bob", "lookup:room.x@alice");
    await ask("@bob", "plookup:open.x@alice");
    const before = await connections();
    for (let i = 0; i < 5; i++) {
      await ask("@bob", "lookup:bypassCache:true:room.x@alice");
      await ask("@bob", "plookup:open.x@alice");
    }
    expect(await connections()).toBe(before);
  });

  it("notice another's new public key when they next connect", async () => {
    await ask("@alice", "update:public:publickey@alice KEY1");
    await ask("@bob", "plookup:bypassCache:true:publickey@alice");
    await ask("@bob", "update:shared_key.alice@bob wrapped");
    await ask("@alice", "update:public:publickey@alice KEY2");
    await world.stop(place("@bob"));
    await up("@bob");
    await ask("@bob", "lookup:room.x@alice");
    expect(await ask("@bob", "llookup:cached:public:publickey@alice")).toBe(data("KEY2", "@bob@"));
    expect(await ask("@bob", "llookup:shared_key.alice@bob")).toMatch(/^error:AT0015-/);
    expect(await ask("@bob", "scan shared_key")).toMatch(
      /^data:\["shared_key\.alice\.until\.\d{13}@bob"\]\n@bob@$/,
    );
  });

  it("notice it also in a notification, and keep it when a deletion is told", async () => {
    await ask("@bob", "update:shared_key.alice@bob wrapped again");
    await ask("@alice", "notify:update:ttr:-1:ccd:true:@bob:public:publickey@alice:KEY3");
    expect((await told("@bob")).key).toBe("public:publickey@alice");
    expect(await ask("@bob", "llookup:cached:public:publickey@alice")).toBe(data("KEY3", "@bob@"));
    expect(await ask("@bob", "scan ^shared_key")).toMatch(
      /^data:\["shared_key\.alice\.until\.\d{13}@bob","shared_key\.alice\.until\.\d{13}@bob"\]\n@bob@$/,
    );
    await ask("@alice", "notify:delete:@bob:public:publickey@alice");
    expect((await told("@bob")).operation).toBe("delete");
    expect(await ask("@bob", "llookup:cached:public:publickey@alice")).toBe(data("KEY3", "@bob@"));
  });

  it("shut out whom one of them blocks, until it is let in again", async () => {
    await ask("@alice", "config:block:add:@carol");
    await world.stop(place("@carol"));
    await up("@carol");
    expect(await ask("@carol", "lookup:bypassCache:true:room.x@alice")).toMatch(
      /^error:AT0008-Handshake failure : @alice: .*Unable to connect\n@carol@$/,
    );
    expect(await ask("@carol", "plookup:open.x@alice")).toBe(data("1", "@carol@"));
    const id = dataOf(await ask("@carol", "notify:@alice:knock.x@carol:let me in"));
    await expect.poll(() => ask("@carol", `notify:status:${id}`)).toBe(data("errored", "@carol@"));
    await ask("@alice", "config:block:remove:@carol");
    expect(await told("@alice")).toMatchObject({ id, value: "let me in" });
    expect(await ask("@carol", "lookup:bypassCache:true:room.x@alice")).toBe(
      data("for carol", "@carol@"),
    );
  });

  it("keep the number of connections below the limit, closing the one used longest ago", async () => {
    const small = await world.start("@small", { outboundMaxLimit: 2 });
    const line = await small.owner();
    await ask("@bob", "update:public:open.x@bob 2");
    await ask("@carol", "update:public:open.x@carol 3");
    const answers = { "@alice": "1", "@bob": "2", "@carol": "3" };
    for (let round = 0; round < 2; round++) {
      for (const [name, value] of Object.entries(answers)) {
        await converse(line, [
          [`plookup:bypassCache:true:open.x${name}`, data(value, "@small@")],
          ["stats:2", /"value":"[12]"\}\]\n@small@$/],
        ]);
      }
    }
  });
});

describe("the pol login", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    bob = await world.start("@bob");
    await (await bob.owner()).ask("update:@alice:secret.x@bob 1");
  });
  afterAll(() => world.close());

  const refused = "error:AT0401-Exception: Pol Authentication Failed\n@";

  /** Says from as @alice and leaves a signature of `text` by `key` for @bob to find. */
  async function offer(line: Line, key: string, text?: string): Promise<void> {
    const proof = await line.ask("from:@alice");
    const [, session = "", uuid = ""] = /^data:proof:([^:]+):(\S+)\n@/.exec(proof) ?? [];
    const value = signWithServerKey(key, text ?? uuid);
    await alice.store.write((writer) => writer.put(`public:${session}`, { value, metadata: {} }));
  }

  it("refuses the signature of an earlier challenge, and forgets the login", async () => {
    const line = await loginAsPeer(world, alice, bob);
    expect(await line.ask("lookup:secret.x@bob")).toBe(data("1", "@alice@"));
    expect(await line.ask("from:@alice")).toMatch(/^data:proof:/);
    expect(await line.ask("pol")).toBe(refused);
    expect(await line.ask("lookup:secret.x@bob")).toBe(
      "error:AT0015-Exception: public:secret.x@bob does not exist in keystore\n@",
    );
  });

  it("refuses another key's signature, and one of another text", async () => {
    const line = await world.connect(bob.server.port, alice.config.tls);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ format: "der", type: "pkcs8" })
      .toString("base64");
    await offer(line, other);
    expect(await line.ask("pol")).toBe(refused);
    const own = alice.store.record("@alice:signing_privatekey@alice")?.value ?? "";
    await offer(line, own, "another text");
    expect(await line.ask("pol")).toBe(refused);
    await offer(line, own);
    line.send("pol\n");
    expect(await line.take("@alice@".length)).toBe("@alice@");
  });

  it("does not make a peer the owner, nor the owner of another", async () => {
    const line = await loginAsPeer(world, alice, bob);
    await converse(line, [
      ["update:x@bob 1", "error:AT0401-Exception: Command cannot be executed without auth\n@"],
      [
        "llookup:secret.x@bob",
        "error:AT0401-Exception: Command cannot be executed without auth\n@",
      ],
      ["notify:@alice:x@bob:1", /^error:AT0009-/],
      ["notify:@carol:x@alice:1", /^error:AT0009-/],
      ["notify:list", /^data:\[\{[^{]*"key":"@alice:secret\.x@bob"[^\n]*\n@alice@$/],
    ]);
  });
});
