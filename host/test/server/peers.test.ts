// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Line } from "./line.ts";
import { dataOf, notification } from "./notifications.ts";
import { loginAsPeer } from "./peerLogin.ts";
import { type Place, World } from "./world.ts";

describe("two atServers", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  let a: Line;
  let b: Line;
  let watch: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    bob = await world.start("@bob");
    a = await alice.owner("3.0.57");
    b = await bob.owner("3.0.57");
    watch = await bob.owner();
    watch.send("monitor\n");
  });
  afterAll(() => world.close());

  it("gives the other what was shared with it", async () => {
    await a.ask("update:@bob:special-code@alice 42");
    expect(await notification(watch)).toMatchObject({
      from: "@alice",
      key: "@bob:special-code@alice",
      value: "42",
    });
    expect(await b.ask("lookup:special-code@alice")).toBe("data:42\n@bob@");
    expect(JSON.parse(dataOf(await b.ask("lookup:all:special-code@alice")))).toMatchObject({
      key: "@bob:special-code@alice",
      data: "42",
    });
    expect(await b.ask("scan:@alice")).toBe('data:["special-code@alice"]\n@bob@');
  });

  it("gives public records, caches them and shows changes at once", async () => {
    await a.ask("update:public:phone@alice 99");
    expect(await b.ask("plookup:phone@alice")).toBe("data:99\n@bob@");
    expect(await b.ask("scan phone")).toBe('data:["cached:public:phone@alice"]\n@bob@');
    await a.ask("update:public:phone@alice 100");
    expect(await b.ask("plookup:phone@alice")).toBe("data:100\n@bob@");
    expect(await b.ask("plookup:no-key@alice")).toBe(
      'error:{"errorCode":"AT0015","errorDescription":"key not found : Exception: public:no-key@alice does not exist in keystore"}\n@bob@',
    );
    expect(await b.ask("plookup:x@nobody")).toContain('"errorCode":"AT0007"');
  });

  it("asks itself for its own public records, and caches nothing of that", async () => {
    await a.ask("update:public:own@alice 1");
    expect(await a.ask("plookup:all:own@alice")).toContain(
      'data:{"key":"public:own@alice","data":"1"',
    );
    expect(await a.ask("scan ^cached:public:own")).toBe("data:[]\n@alice@");
  });

  it("remembers the other's public key, and sets shared keys aside when it changes", async () => {
    await a.ask("update:public:publickey@alice KEY1");
    await b.ask("update:shared_key.alice@bob wrapped");
    expect(await b.ask("plookup:publickey@alice")).toBe("data:KEY1\n@bob@");
    expect(await b.ask("plookup:all:publickey@alice")).toContain(
      '"key":"cached:public:publickey@alice"',
    );
    await a.ask("update:public:publickey@alice KEY2");
    expect(await b.ask("plookup:bypassCache:true:publickey@alice")).toBe("data:KEY2\n@bob@");
    expect(dataOf(await b.ask("scan shared_key"))).toMatch(
      /^\["shared_key\.alice\.until\.\d+@bob"\]$/,
    );
  });

  it("caches what has a ttr and drops it with the original", async () => {
    await a.ask("update:ttr:-1:ccd:true:@bob:key-1@alice v1");
    await notification(watch);
    expect(await b.ask("llookup:cached:@bob:key-1@alice")).toBe("data:v1\n@bob@");
    expect(await b.ask("lookup:all:key-1@alice")).toContain('"key":"cached:@bob:key-1@alice"');
    await a.ask("delete:@bob:key-1@alice");
    expect(await notification(watch)).toMatchObject({ operation: "delete", value: null });
    expect(await b.ask("llookup:cached:@bob:key-1@alice")).toContain('"errorCode":"AT0015"');
  });

  it("delivers values, texts and deletes, in order, with their metadata", async () => {
    const id = dataOf(
      await a.ask("notify:update:ivNonce:abc==:sharedKeyEnc:xyz:@bob:temp.demo@alice:hot water"),
    );
    await a.ask("notify:messageType:text:@bob:Hello!");
    await a.ask("notify:isEncrypted:false:@bob:plain.demo@alice:1");
    await a.ask("notify:delete:@bob:temp.demo@alice");
    const received = [];
    for (let i = 0; i < 4; i++) received.push(await notification(watch));
    expect(received).toMatchObject([
      {
        id,
        from: "@alice",
        to: "@bob",
        key: "@bob:temp.demo@alice",
        value: "hot water",
        operation: "update",
        messageType: "MessageType.key",
        isEncrypted: true,
        metadata: { ivNonce: "abc==", sharedKeyEnc: "xyz" },
      },
      { key: "@bob:Hello!", value: null, messageType: "MessageType.text", isEncrypted: false },
      { key: "@bob:plain.demo@alice", value: "1", isEncrypted: false },
      { key: "@bob:temp.demo@alice", value: null, operation: "delete" },
    ]);
    expect(await a.ask(`notify:status:${id}`)).toBe("data:delivered\n@alice@");
    expect(dataOf(await a.ask(`notify:fetch:${id}`))).toContain('"type":"NotificationType.sent"');
    expect(dataOf(await b.ask("notify:list:temp"))).toContain(
      '"key":"@bob:temp.demo@alice","value":"hot water","operation":"update"',
    );
  });

  it("ignores a notification whose id is known, at the sender and at the receiver", async () => {
    await a.ask("notify:id:same-1:update:@bob:one.demo@alice:1");
    expect(await a.ask("notify:id:same-1:update:@bob:one.demo@alice:2")).toBe(
      "data:same-1\n@alice@",
    );
    await a.ask("notify:id:same-2:update:@bob:two.demo@alice:3");
    expect((await notification(watch)).value).toBe("1");
    expect((await notification(watch)).value).toBe("3");
    const peer = await loginAsPeer(world, alice, bob);
    expect(await peer.ask("notify:id:same-1:update:@bob:one.demo@alice:4")).toBe(
      "data:success\n@alice@",
    );
    expect(dataOf(await b.ask("notify:list:one"))).not.toContain('"value":"4"');
  });

  it("keeps a peer to its own records", async () => {
    const peer = await loginAsPeer(world, alice, bob);
    expect(await peer.ask("notify:id:forged:update:ttr:-1:@bob:x.demo@carol:1")).toContain(
      "error:AT0009",
    );
    expect(await peer.ask("update:x@bob 1")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
    expect(await peer.ask("lookup:special@bob")).toBe(
      "error:AT0015-Exception: @alice:special@bob does not exist in keystore\n@",
    );
  });

  it("refuses a replayed pol, and one without the proof", async () => {
    const certificate = alice.config.tls;
    const line = await world.connect(bob.server.port, certificate);
    expect(await line.ask("from:@alice")).toMatch(/^data:proof:_\S+@alice:\S+\n@$/);
    const refused = "error:AT0401-Exception: Pol Authentication Failed\n@";
    expect(await line.ask("pol")).toBe(refused);
    const peer = await loginAsPeer(world, alice, bob);
    expect(await peer.ask("pol")).toBe(refused);
  });

  it("refuses a peer whose certificate names another host, expired, or comes from another authority", async () => {
    const hosts = ["elsewhere.example"] as const;
    const other = await issueCertificate(world.authority, { hosts: [...hosts] });
    const past = new Date(Date.now() - 86_400_000);
    const expired = await issueCertificate(world.authority, {
      hosts: ["localhost"],
      notBefore: new Date(past.getTime() - 86_400_000),
      notAfter: past,
    });
    const stranger = await issueCertificate(await createAuthority({ name: "stranger" }), {
      hosts: ["localhost"],
    });
    for (const certificate of [other, expired, stranger]) {
      const line = await world.connect(bob.server.port, certificate);
      expect(await line.ask("from:@alice")).toBe(
        "error:AT0401-Exception: Certificate Verification Failed\n@",
      );
    }
  });

  it("says whose certificate it doesn't trust", async () => {
    const tls = await issueCertificate(world.authority, { hosts: ["elsewhere.example"] });
    await world.start("@mallory", { tls: { ...tls, authority: world.authority.certificate } });
    expect(await b.ask("plookup:x@mallory")).toMatch(
      /"errorCode":"AT0008","errorDescription":"Handshake failure : The certificate of @mallory at localhost:\d+ was refused/,
    );
  });

  it("keeps notifications while the other is down and across its own restart", async () => {
    const carolStore = openMemoryStore();
    const carol = await world.start("@carol", { store: carolStore });
    await world.stop(carol);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++)
      ids.push(dataOf(await a.ask(`notify:@carol:n${i}.demo@alice:${i}`)));
    await world.stop(alice);
    alice = await world.start("@alice", { store: alice.store });
    const again = await world.start("@carol", { store: carolStore });
    const line = await again.owner();
    line.send("monitor:0\n");
    const received = [];
    for (let i = 0; i < 5; i++) received.push(await notification(line));
    expect(received.map(({ id, value }) => [id, value])).toEqual(
      ids.map((id, i) => [id, String(i)]),
    );
  });
});

describe("a peer that comes and goes", () => {
  it("gets every notification once and in order", async () => {
    const world = await World.create();
    const alice = await world.start("@alice", { directoryCacheMillis: 0 });
    const line = await alice.owner();
    let carol = await world.start("@carol");
    const sent: string[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 10; i++) {
        sent.push(dataOf(await line.ask(`notify:ttln:600000:@carol:n.demo@alice:${round}-${i}`)));
      }
      await world.stop(carol);
      for (let i = 0; i < 3; i++) {
        sent.push(dataOf(await line.ask(`notify:ttln:600000:@carol:m.demo@alice:${round}-${i}`)));
      }
      carol = await world.start("@carol", { store: carol.store });
    }
    const watch = await carol.owner();
    watch.send("monitor:strict:0 demo\n");
    const received: unknown[] = [];
    while (received.length < sent.length) received.push((await notification(watch)).id);
    expect(received).toEqual(sent);
    await world.close();
  });
});
