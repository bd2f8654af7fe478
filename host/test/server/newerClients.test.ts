// SPDX-License-Identifier: BSD-3-Clause
import { createHash, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolled, payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { loginAsPeer } from "./peerLogin.ts";
import { challengeOf, identity, type Place, SECRET, World } from "./world.ts";

const NOW = 1_700_000_000_000;
const number = /^data:\d+\n@alice@$/;

type Json = Record<string, unknown>;

describe("what newer clients and atServers use", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = NOW;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const commits = async (rest = "", line = owner): Promise<Json[]> =>
    payloadOf(await line.ask(`scan:cl${rest}`)) as Json[];
  const metadata = async (key: string): Promise<Json> =>
    payloadOf(await owner.ask(`llookup:meta:${key}`)) as Json;

  describe("nc: a write without a commit entry", () => {
    it("writes, answers -1, and takes the earlier entry along", async () => {
      expect(await owner.ask("update:a.nc@alice 1")).toMatch(number);
      expect(await commits(" ^a\\.nc@")).toHaveLength(1);
      expect(await owner.ask("update:nc:ttl:60000:a.nc@alice 2")).toBe("data:-1\n@alice@");
      expect(await owner.ask("llookup:a.nc@alice")).toBe("data:2\n@alice@");
      expect(await commits(" ^a\\.nc@")).toEqual([]);
      expect(await owner.ask("sync:from:-1:limit:25:^a\\.nc@")).not.toContain("a.nc@alice");
    });

    it("removes without a trace", async () => {
      await owner.ask("update:b.nc@alice 1");
      expect(await owner.ask("delete:nc:b.nc@alice")).toBe("data:-1\n@alice@");
      expect(await owner.ask("llookup:b.nc@alice")).toMatch(/^error:AT0015-/);
      expect(await commits(" ^b\\.nc@")).toEqual([]);
    });

    it("is understood with JSON, and a key may be called nc", async () => {
      const json = JSON.stringify({
        atKey: "c.nc",
        value: "x",
        sharedBy: "@alice",
        metadata: { isPublic: false, isBinary: false, isEncrypted: false },
      });
      expect(await owner.ask(`update:nc:json:${json}`)).toBe("data:-1\n@alice@");
      expect(await owner.ask("llookup:c.nc@alice")).toBe("data:x\n@alice@");
      expect(await owner.ask("update:nc@alice x")).toMatch(number);
    });

    it("still tells the atSign it is shared with", async () => {
      const before = [...alice.store.notifications()].length;
      await owner.ask("update:nc:@bob:d.nc@alice 1");
      expect([...alice.store.notifications()]).toHaveLength(before + 1);
    });
  });

  describe("scan:cl: the commit log", () => {
    it("shows entries in their order, deletes with the instant they are said to be of", async () => {
      await owner.ask("update:e.cl@alice 1");
      await owner.ask("update:public:f.cl@alice 1");
      await owner.ask("delete:dAt:2023-05-05T11:59:44.123000Z:g.cl@alice");
      const last = alice.store.lastCommitId();
      expect(await commits(" \\.cl@")).toEqual([
        {
          atKey: "e.cl@alice",
          operation: "*",
          commitId: last - 2,
          opTime: "2023-11-14T22:13:20.000Z",
        },
        {
          atKey: "public:f.cl@alice",
          operation: "*",
          commitId: last - 1,
          opTime: "2023-11-14T22:13:20.000Z",
        },
        {
          atKey: "g.cl@alice",
          operation: "-",
          commitId: last,
          opTime: "2023-05-05T11:59:44.123Z",
        },
      ]);
      expect(await owner.ask("delete:dAt:2023-02-30T25:00:00Z:g.cl@alice")).toMatch(
        /^error:AT0003-Invalid syntax : Invalid syntax\. /,
      );
      expect(await owner.ask("delete:dAt:yesterday:g.cl@alice")).toMatch(/^error:AT0003-/);
    });

    it("hides what a scan hides", async () => {
      await owner.ask("update:public:__h.cl@alice 1");
      await owner.ask("update:_local.cl 1");
      const hidden = [{ atKey: "public:__h.cl@alice" }, { atKey: "_local.cl" }];
      expect(await commits(" h\\.cl|_local")).toEqual([]);
      expect(await commits(":showhidden:true h\\.cl|_local")).toMatchObject(hidden);
    });

    it("shows an enrollment its namespaces", async () => {
      const { line } = await enrolled(alice, { cl: "r" });
      await owner.ask("update:e.other@alice 1");
      const keys = (await commits("", line)).map(({ atKey }) => atKey);
      expect(keys).toContain("e.cl@alice");
      expect(keys).toContain("public:f.cl@alice");
      expect(keys).not.toContain("e.other@alice");
    });

    it("is the owner's, and the own one's", async () => {
      expect(await (await alice.open()).ask("scan:cl")).toBe(
        "error:AT0401-Exception: Scan of the commit log cannot be performed without auth\n@",
      );
      expect(await owner.ask("scan:cl:@bob")).toMatch(/^error:AT0003-/);
      expect(await owner.ask("SCAN:CL:@alice nothing-fits")).toBe("data:[]\n@alice@");
    });
  });

  describe("cAt, uAt, eAt, aAt: instants the client states", () => {
    it("are kept instead of the atServer's own", async () => {
      expect(
        await owner.ask(
          "update:ttl:60000:cAt:2020-01-01T00:00:00Z:uAt:2021-02-03T04:05:06.789Z:eAt:2030-01-01T00:00:00.5Z:aAt:2022-01-01T00:00:00Z:h.at@alice 1",
        ),
      ).toMatch(number);
      expect(await metadata("h.at@alice")).toMatchObject({
        createdAt: "2020-01-01 00:00:00.000Z",
        updatedAt: "2021-02-03 04:05:06.789Z",
        expiresAt: "2030-01-01 00:00:00.500Z",
        availableAt: "2022-01-01 00:00:00.000Z",
        ttl: 60_000,
      });
    });

    it("an end without a ttl stays until it is cleared", async () => {
      await owner.ask("update:eAt:2023-11-14T22:14:20Z:i.at@alice 1");
      await owner.ask("update:i.at@alice 2");
      expect(await metadata("i.at@alice")).toMatchObject({ expiresAt: "2023-11-14 22:14:20.000Z" });
      now = NOW + 60_001;
      expect(await owner.ask("llookup:i.at@alice")).toBe("data:null\n@alice@");
      now = NOW;
      await owner.ask("update:ttl:0:i.at@alice 3");
      expect(await metadata("i.at@alice")).not.toHaveProperty("expiresAt");
    });

    it("must be instants there are", async () => {
      for (const text of ["2023-13-01T00:00:00Z", "2023-01-01 00:00:00Z", "2023-01-01T00:00:00"]) {
        expect(await owner.ask(`update:eAt:${text}:j.at@alice 1`)).toMatch(/^error:AT0003-/);
      }
    });

    it("come with a peer's notification, and a cached copy ends when the original does", async () => {
      const bob = await world.start("@bob", { now: () => now });
      const line = await loginAsPeer(world, bob, alice);
      const ends = new Date(NOW + 5_000).toISOString();
      expect(
        await line.ask(
          `notify:id:n1:update:messageType:key:notifier:SYSTEM:ttln:900000:ttl:600000:ttb:0:ttr:-1:ccd:true:cAt:2020-01-01T00:00:00.000Z:eAt:${ends}:isEncrypted:true:@alice:k.at@bob:v`,
        ),
      ).toBe("data:success\n@bob@");
      expect(await metadata("cached:@alice:k.at@bob")).toMatchObject({
        createdAt: "2020-01-01 00:00:00.000Z",
        expiresAt: "2023-11-14 22:13:25.000Z",
        ttl: 600_000,
      });
    });
  });

  describe("immutable records", () => {
    const updated = /^error:AT0011-.*Immutable records may not be updated/;
    it("are not changed, and removed by force only", async () => {
      await owner.ask("update:immutable:true:l.fix@alice 1");
      expect(await metadata("l.fix@alice")).toMatchObject({ immutable: true });
      expect(await owner.ask("update:l.fix@alice 2")).toMatch(updated);
      expect(await owner.ask("update:meta:l.fix@alice:ttl:1")).toMatch(updated);
      expect(await owner.ask("update:immutable:false:l.fix@alice 2")).toMatch(updated);
      expect(await owner.ask("delete:l.fix@alice")).toMatch(/^error:AT0011-/);
      expect(await owner.ask("llookup:l.fix@alice")).toBe("data:1\n@alice@");
      expect(await owner.ask("delete:force:l.fix@alice")).toMatch(number);
    });

    it("don't stand in the way of a new one once expired", async () => {
      await owner.ask("update:immutable:true:ttl:1000:m.fix@alice 1");
      now = NOW + 1_001;
      expect(await owner.ask("update:m.fix@alice 2")).toMatch(number);
      expect(await metadata("m.fix@alice")).toMatchObject({ version: 0 });
      expect(await owner.ask("delete:m.fix@alice")).toMatch(number);
      now = NOW;
    });

    it("are removed by their recipient as any cached copy", async () => {
      await alice.store.write((writer) =>
        writer.put("cached:@alice:x.fix@bob", { value: "", metadata: { immutable: true } }, "*"),
      );
      expect(await owner.ask("delete:cached:@alice:x.fix@bob")).toMatch(number);
    });
  });

  describe("appMetadata", () => {
    it("goes from the writer to the reader, over both atServers", async () => {
      const bob = await world.start("@bob2");
      const reader = await bob.owner();
      reader.send("monitor:strict app\\.demo\nnoop:0\n");
      await reader.reply();
      const app = { form: "ü", list: [1] };
      const base64 = Buffer.from(JSON.stringify(app)).toString("base64");
      await owner.ask(`update:ttr:-1:appMetadata:${base64}:@bob2:app.demo@alice 1`);
      const pushed = JSON.parse((await reader.line()).slice("notification: ".length));
      expect(pushed.metadata.appMetadata).toEqual(app);
      expect(
        payloadOf(await (await bob.owner()).ask("llookup:meta:cached:@bob2:app.demo@alice")),
      ).toMatchObject({ appMetadata: app });
      expect(await owner.ask("update:appMetadata:null:@bob2:app.demo@alice 1")).toMatch(number);
      expect(await metadata("@bob2:app.demo@alice")).not.toHaveProperty("appMetadata");
      expect(await owner.ask("update:appMetadata:bm8=:x.demo@alice 1")).toMatch(/^error:AT0003-/);
    });
  });

  it("info:mtls and info:mtlsbrief tell of the certificates shown to other atServers", async () => {
    const line = await alice.open();
    expect(payloadOf(await line.ask("info:mtls"))).toEqual({
      mtls_fullchain: alice.config.tls.certificate,
    });
    expect(payloadOf(await line.ask("INFO:MTLSBRIEF"))).toEqual({
      mtls_fullchain_last_modified: "2023-11-14T22:13:20.000Z",
      mtls_privkey_last_modified: "2023-11-14T22:13:20.000Z",
    });
    expect(await line.ask("info:everything")).toMatch(/^error:AT0003-/);
  });

  it("to answers with the public keys of the atSign asked for, as lookup:all shows them", async () => {
    const line = await alice.open();
    const shown = async (name: string) => payloadOf(await line.ask(`lookup:all:${name}@alice`));
    expect(payloadOf(await line.ask("to:@alice"))).toEqual({
      publickey: null,
      signing_publickey: await shown("signing_publickey"),
    });
    await owner.ask("update:public:publickey@alice KEY");
    expect(payloadOf(await line.ask("TO:Ali.ce"))).toEqual({
      publickey: await shown("publickey"),
      signing_publickey: await shown("signing_publickey"),
    });
    expect(await line.ask("to:@bob")).toBe(
      "error:AT0007-Exception: @bob is not hosted on this atServer\n@",
    );
    expect(await line.ask("to:@a@b")).toMatch(/^error:AT0003-/);
  });
});

describe("enrollments of newer clients", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { enrollmentMaxRequests: 100 });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const { publicKey } = identity("@bravo");

  it("listns shows who may read a namespace, and what they tell about themselves", async () => {
    const metadata = { keyPackage: { v: 1, keys: [{ kid: "k" }] } };
    const reader = await enrolled(alice, { wavi: "r" }, { metadata });
    const parent = await enrolled(alice, { "*": "rw" });
    await enrolled(alice, { buzz: "rw" });
    // Its own entry counts for more than `*`.
    const named = await enrolled(alice, { "*": "rw", wavi: "r" });
    const revoked = await enrolled(alice, { wavi: "rw" });
    await owner.ask(`enroll:revoke:{"enrollmentId":"${revoked.id}"}`);
    const roster = payloadOf(await reader.line.ask("enroll:listns:wavi")) as Json[];
    const byId = (a: Json, b: Json): number =>
      String(a.enrollmentId).localeCompare(String(b.enrollmentId));
    expect(roster.sort(byId)).toEqual(
      [
        { enrollmentId: reader.id, access: "r", apkamPubKey: reader.keys.publicKey, metadata },
        {
          enrollmentId: parent.id,
          access: "rw",
          apkamPubKey: parent.keys.publicKey,
          metadata: null,
        },
        {
          enrollmentId: named.id,
          access: "r",
          apkamPubKey: named.keys.publicKey,
          metadata: null,
        },
      ].sort(byId),
    );
    expect(payloadOf(await reader.line.ask("ENROLL:LISTNS:WAVI"))).toHaveLength(3);
    expect(payloadOf(await parent.line.ask("enroll:listns:none"))).toHaveLength(2);
    expect(await owner.ask("enroll:listns:wavi")).toBe(
      "error:AT0401-Client authentication failed : enroll:listns requires APKAM authentication\n@alice@",
    );
    expect(await parent.line.ask("enroll:listns:__manage")).toBe(
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${parent.id} is not authorized to list namespace: __manage\n@alice@`,
    );
    expect(await reader.line.ask("enroll:listns:buzz")).toBe(
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${reader.id} is not authorized to list namespace: buzz\n@alice@`,
    );
    expect(await (await alice.open()).ask("enroll:listns:wavi")).toBe(
      "error:AT0401-Exception: Cannot listns enrollment without authentication\n@",
    );
    expect(await owner.ask("enroll:listns")).toMatch(/^error:AT0022-/);
    expect(await owner.ask("enroll:listns:a b")).toMatch(/^error:AT0003-/);
  });

  it("takes an enrollment of at most 512 000 bytes", async () => {
    const ask = (length: number): Promise<string> =>
      owner.ask(
        `enroll:request:${JSON.stringify({
          appName: "big",
          deviceName: `d${length}`,
          namespaces: { wavi: "rw" },
          apkamPublicKey: publicKey,
          metadata: { x: "x".repeat(length) },
        })}`,
      );
    expect(await ask(600_000)).toBe(
      "error:AT0022-Illegal arguments : enrollment is larger than 512000 bytes\n@alice@",
    );
    expect(payloadOf(await ask(500_000))).toMatchObject({ status: "pending" });
  });

  interface Ecc {
    spki: Buffer;
    point: string;
    privateKey: KeyObject;
  }

  function newEcc(): Ecc {
    const { publicKey: eccKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = eccKey.export({ format: "der", type: "spki" });
    return { spki, point: spki.subarray(-65).toString("hex"), privateKey };
  }

  /** Enrols with cram, so approved at once; gives the id. */
  async function enrolEcc(device: string, more: Json): Promise<string> {
    const place = await alice.open();
    const challenge = challengeOf(await place.ask("from:@alice"));
    const digest = createHash("sha512")
      .update(SECRET + challenge)
      .digest("hex");
    await place.ask(`cram:${digest}`);
    const request = { appName: "ecc", deviceName: device, ...more };
    const reply = await place.ask(`enroll:request:${JSON.stringify(request)}`);
    return String((payloadOf(reply) as Json).enrollmentId);
  }

  async function login(
    head: string,
    { privateKey: key }: Ecc,
    wrap: (rs: Buffer) => string,
  ): Promise<string> {
    const line = await alice.open();
    const challenge = challengeOf(await line.ask("from:@alice"));
    const rs = createSign("sha256").update(challenge).sign({ key, dsaEncoding: "ieee-p1363" });
    return line.ask(`pkam:${head}${wrap(rs)}`);
  }

  const hexed = (rs: Buffer): string => Buffer.from(rs.toString("hex")).toString("base64");
  const success = "data:success\n@alice@";

  it("log in with the algorithm their record says, whatever the command says", async () => {
    const [right, other] = [newEcc(), newEcc()];
    const recorded = { apkamPublicKey: right.point, signingAlgo: "ecc_secp256r1" };
    const id = await enrolEcc("recorded", recorded);
    expect(await login(`enrollmentId:${id}:`, right, hexed)).toBe(success);
    expect(await login(`signingAlgo:rsa2048:enrollmentId:${id}:`, right, hexed)).toBe(success);
    const wrong = await enrolEcc("wrong", { apkamPublicKey: other.point, signingAlgo: "rsa2048" });
    expect(await login(`signingAlgo:ecc_secp256r1:enrollmentId:${wrong}:`, other, hexed)).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
    expect(
      await owner.ask(
        'enroll:request:{"appName":"a","deviceName":"b","apkamPublicKey":"k","signingAlgo":"mldsa65"}',
      ),
    ).toMatch(/^error:AT0022-.*signingAlgo has to be rsa2048 or ecc_secp256r1/);
  });

  it("log in with a P-256 key as point or SubjectPublicKeyInfo, r and s as hex or bytes", async () => {
    const [one, two] = [newEcc(), newEcc()];
    const asPoint = await enrolEcc("point", { apkamPublicKey: one.point.toUpperCase() });
    const asSpki = await enrolEcc("spki", { apkamPublicKey: two.spki.toString("base64") });
    const raw = (rs: Buffer): string => rs.toString("base64");
    const urlSafe = (rs: Buffer): string => rs.toString("base64url");
    for (const wrap of [hexed, raw, urlSafe]) {
      expect(await login(`enrollmentId:${asPoint}:`, one, wrap)).toBe(success);
      const named = `signingAlgo:ECC_SECP256R1:enrollmentId:${asSpki}:`;
      expect(await login(named, two, wrap)).toBe(success);
    }
    const flipped = (rs: Buffer): string => {
      rs[0] = (rs[0] ?? 0) ^ 1;
      return hexed(rs);
    };
    expect(await login(`enrollmentId:${asPoint}:`, one, flipped)).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
  });
});
