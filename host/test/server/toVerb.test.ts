// SPDX-License-Identifier: BSD-3-Clause
// `to`, with which a newer atServer begins a connection to another: what it answers, and what others' answers lead to.
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { HANG_UP, HostileServer, type Told } from "../security/hostileServer.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

let world: World;
let alice: Place;
let owner: Line;
const peers: HostileServer[] = [];

beforeAll(async () => {
  world = await World.create();
  alice = await world.start("@alice");
  owner = await alice.owner();
});
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.close();
});
afterAll(() => world.close());

/** An atServer that answers `to` as told and has the record `x`. */
async function peerThatSays(told: (atSign: string) => Told): Promise<[string, HostileServer]> {
  const atSign = `@peer${randomUUID().slice(0, 8)}`;
  const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
  const peer = await HostileServer.start({ tls });
  peers.push(peer);
  await world.directoryStore.set(atSign, { host: "localhost", port: peer.address.port });
  peer.onCommand(/^to:/, () => told(atSign));
  peer.onCommand(/^lookup:all:x/, () => 'data:{"key":"x","data":"found","metaData":{}}');
  peer.onCommand(/^lookup:all:publickey/, () => 'data:{"key":"k","data":"LOOKED","metaData":{}}');
  return [atSign, peer];
}

const cachedKey = (atSign: string): string | null | undefined =>
  alice.store.record(`cached:public:publickey${atSign}`)?.value;

const entry = (key: string) => ({ key: "public:publickey@x", data: key, metaData: { ttr: -1 } });
const json = (value: unknown): string => `data:${JSON.stringify(value)}`;

describe("an atServer that says `to` first", () => {
  it("takes the public key of the answer, and doesn't look it up", async () => {
    const told = json({ publickey: entry("TOLD"), signing_publickey: null });
    const [atSign, peer] = await peerThatSays(() => told);
    expect(await owner.ask(`plookup:x${atSign}`)).toBe("data:found\n@alice@");
    expect(peer.lines).toEqual([`to:${atSign}`, `lookup:all:x${atSign}`]);
    expect(cachedKey(atSign)).toBe("TOLD");
  });

  it("takes null for an answer: the peer has no public key yet", async () => {
    const [atSign, peer] = await peerThatSays(() =>
      json({ publickey: null, signing_publickey: null }),
    );
    expect(await owner.ask(`plookup:x${atSign}`)).toBe("data:found\n@alice@");
    expect(peer.lines).toEqual([`to:${atSign}`, `lookup:all:x${atSign}`]);
    expect(cachedKey(atSign)).toBeUndefined();
  });

  it.each<[string, Told]>([
    ["does not understand", "error:AT0003-Exception: invalid command"],
    ["answers with plain texts", json({ publickey: "KEY", signing_publickey: "KEY" })],
    ["answers with something else", "data:hello"],
    ["answers with nothing", "data:null"],
    ["answers with a key that can't be read", json({ publickey: { data: 7 } })],
    ["answers with a deep text", `data:{"publickey":${"[".repeat(5_000)}${"]".repeat(5_000)}}`],
  ])("looks the key up on the same connection of a peer that %s", async (_, told) => {
    const [atSign, peer] = await peerThatSays(() => told);
    expect(await owner.ask(`plookup:x${atSign}`)).toBe("data:found\n@alice@");
    expect(peer.connections).toHaveLength(1);
    expect(peer.count(/^lookup:all:publickey/)).toBe(1);
    expect(cachedKey(atSign)).toBe("LOOKED");
  });

  it("connects again to a peer that hangs up on it", async () => {
    const [atSign, peer] = await peerThatSays(() => HANG_UP);
    expect(await owner.ask(`plookup:x${atSign}`)).toBe("data:found\n@alice@");
    expect(peer.connections).toHaveLength(2);
    expect(peer.count(/^to:/)).toBe(1);
    expect(cachedKey(atSign)).toBe("LOOKED");
  });

  it("doesn't talk to another's atServer", async () => {
    const wrong = "error:AT0007-Exception: @x is not hosted on this atServer";
    const [atSign, peer] = await peerThatSays(() => wrong);
    expect(await owner.ask(`plookup:x${atSign}`)).toMatch(/^error:AT0007-/);
    expect(peer.lines).toEqual([`to:${atSign}`]);
  });

  it("gets on with one of its kind", async () => {
    const bob = await world.start("@bob");
    await (await bob.owner()).ask("update:public:publickey@bob KEY");
    await (await bob.owner()).ask("update:public:x@bob hello");
    expect(await owner.ask("plookup:x@bob")).toBe("data:hello\n@alice@");
    expect(cachedKey("@bob")).toBe("KEY");
  });
});

it("an atServer that isn't told to doesn't say it", async () => {
  const quiet = await world.start("@quiet", { toVerbOutboundEnabled: false });
  const [atSign, peer] = await peerThatSays(() => HANG_UP);
  expect(await (await quiet.owner()).ask(`plookup:x${atSign}`)).toBe("data:found\n@quiet@");
  expect(peer.lines).toEqual([`lookup:all:publickey${atSign}`, `lookup:all:x${atSign}`]);
});
