// SPDX-License-Identifier: BSD-3-Clause
import { createPublicKey, verify } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolled, payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

/** The next notification that isn't a statistic. */
async function notification(line: Line): Promise<Record<string, unknown>> {
  for (;;) {
    const body = JSON.parse((await line.line()).slice("notification: ".length));
    if (body.id !== "-1") return body;
  }
}

describe("notify:all", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let bob: Line;
  let carol: Line;
  let reader: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
    const place = await world.start("@bob");
    bob = await place.owner();
    reader = await place.owner();
    carol = await (await world.start("@carol")).owner();
    for (const line of [bob, carol]) line.send("monitor\n");
  });
  afterAll(() => world.close());

  const ids = async (rest: string): Promise<Record<string, string>> =>
    payloadOf(await owner.ask(`notify:all:${rest}`)) as Record<string, string>;

  it("is for the owner", async () => {
    expect(await (await alice.open()).ask("notify:all:@bob:x@alice:1")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
  });

  it("tells each atSign once and answers with their ids", async () => {
    const reply = await owner.ask("notify:all:@bob,@carol,@Bob:phone@alice:123 and more");
    const told = payloadOf(reply) as Record<string, string>;
    expect(reply).toBe(`data: {"@bob":"${told["@bob"]}","@carol":"${told["@carol"]}"}\n@alice@`);
    for (const [line, atSign] of [
      [bob, "@bob"],
      [carol, "@carol"],
    ] as const) {
      expect(await notification(line)).toMatchObject({
        id: told[atSign],
        from: "@alice",
        to: atSign,
        key: `${atSign}:phone@alice`,
        value: "123 and more",
        operation: "update",
        messageType: "MessageType.key",
        isEncrypted: false,
      });
    }
    expect([...alice.store.notifications()]).toHaveLength(2);
  });

  it("signs the key with the atServer's key", async () => {
    const { "@bob": id = "" } = await ids("@bob:Signed.Wavi:1");
    const signature = alice.store.notification(id)?.metadata?.dataSignature ?? "";
    const spki = alice.store.record("public:signing_publickey@alice")?.value ?? "";
    const key = createPublicKey({
      key: Buffer.from(spki, "base64"),
      format: "der",
      type: "spki",
    });
    const message = Buffer.from("signed.wavi@alice");
    expect(verify("sha256", message, key, Buffer.from(signature, "base64"))).toBe(true);
    await notification(bob);
  });

  it("carries operation, type and caching", async () => {
    await ids("update:ttl:60000:ttb:0:ttr:-1:ccd:true:@bob:kept.demo@alice:v");
    await notification(bob);
    const cached = await reader.ask("llookup:all:cached:@bob:kept.demo@alice");
    expect(payloadOf(cached)).toMatchObject({
      key: "cached:@bob:kept.demo@alice",
      data: "v",
      metaData: { ttl: 60_000, ttr: -1, ccd: true },
    });
    await ids("delete:@bob:kept.demo@alice");
    expect(await notification(bob)).toMatchObject({ operation: "delete", value: null });
    await ids("MESSAGETYPE:TEXT:@bob:hello:there");
    expect(await notification(bob)).toMatchObject({
      key: "@bob:hello:there",
      value: null,
      messageType: "MessageType.text",
    });
  });

  it("keeps what is for the own atSign", async () => {
    const { "@alice": id = "" } = await ids("@alice:self.demo:1");
    expect(alice.store.notification(id)).toMatchObject({ type: "received", status: "delivered" });
  });

  it("tells nobody when one of them may not be told", async () => {
    const { id, line } = await enrolled(alice, { wavi: "r" });
    const before = [...alice.store.notifications()].length;
    expect(await line.ask("notify:all:@bob,@carol:x.wavi@alice:1")).toBe(
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${id} is not authorized to notify key: @bob:x.wavi@alice\n@alice@`,
    );
    expect(await owner.ask("notify:all:@bob:x.wavi@carol:1")).toBe(
      "error:AT0009-UnAuthorized client in request : @carol is not authorized to send notification as @alice\n@alice@",
    );
    expect(await owner.ask("notify:all:@bob,@ca!rol:x.wavi:1")).toMatch(/^error:AT0003-/);
    expect([...alice.store.notifications()]).toHaveLength(before);
  });

  it.each([
    "notify:all",
    "notify:all:",
    "notify:all::x@alice",
    "notify:all:bob:x@alice",
    "notify:all:@bob",
    "notify:all:@bob:",
    "notify:all:@bob:@carol",
    "notify:all:@bob @carol:x@alice",
    "notify:all:@bob,:x@alice",
    "notify:all:priority:low:@bob:x@alice",
    "notify:all:ttl:-1:@bob:x@alice",
    "notify:all:ttr:1:ttl:1:@bob:x@alice",
    "notify:all:messageType:key:update:@bob:x@alice",
    "notify:all:ttr:-2:@bob:x@alice",
    "notify:all:ccd:yes:@bob:x@alice",
  ])("refuses %s", async (command) => {
    expect(await owner.ask(command)).toMatch(/^error:AT0003-Invalid syntax : /);
  });
});
