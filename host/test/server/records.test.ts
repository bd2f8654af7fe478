// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

/** Sent, and what has to come back: exact, or as a pattern. */
type Exchange = [send: string, expected: string | RegExp];

const data = (payload: string): string => `data:${payload}\n@alice@`;
const number = /^data:\d+\n@alice@$/;
const syntax = /^error:AT0003-Invalid syntax : Invalid syntax\. .*\n@alice@$/;
const missing = (key: string): string =>
  `error:AT0015-key not found : ${key} does not exist in keystore\n@alice@`;
const invalidKey =
  "error:AT0016-Invalid key : You may not update keys of type KeyType.invalidKey\n@alice@";

/** Each table runs in order on one connection of the owner. */
const tables: Record<string, Exchange[]> = {
  "update and llookup": [
    ["update:public:location-U@alice Hyderabad", number],
    ["llookup:public:location-U@alice", data("Hyderabad")],
    ["update:public:location-U@alice @!ice^&##", number],
    ["llookup:public:location-U@alice", data("@!ice^&##")],
    ["update:public:a@alice Hey Hello! welcome to the tests", number],
    ["llookup:public:a@alice", data("Hey Hello! welcome to the tests")],
    ["update:public:a@alice 🦄7 パーニマ", number],
    ["llookup:public:a@alice", data("🦄7 パーニマ")],
    ["update:@🦄:emoji.name@alice v", number],
    ["llookup:@🦄:emoji.name@alice", data("v")],
    ["update:k@alice  v", number],
    ["llookup:k@alice", data(" v")],
    ["UpDaTe:public:X@alice vAlUe", number],
    ["llookup:public:x@alice", data("vAlUe")],
    ["update:@bob:country@alice v", number],
    ["llookup:@bob:country@alice", data("v")],
    ["llookup:country@alice", missing("country@alice")],
    ["llookup:random@alice", missing("random@alice")],
    ["update:privatekey:at_pkam_publickey K", "data:-1\n@alice@"],
    ["update:_mylocal x", number],
    ["update:public:_hidden@alice x", "data:-1\n@alice@"],
    ["update:public:__hidden@alice x", number],
    ["update:ref@alice data:not a prefix", number],
    ["llookup:ref@alice", data("data:not a prefix")],
  ],
  "what update refuses": [
    ["update:public:key-1@alice", syntax],
    ["update:public:country@@alice USA", syntax],
    ["update:public:@bob:invalid-key@alice v", syntax],
    ["update:public:country,current@alice USA", invalidKey],
    ["update:location us", invalidKey],
    [
      "update:phone@bob x",
      "error:AT0016-Invalid key : Invalid update command - sharedBy atsign @bob should be same as current atsign @alice\n@alice@",
    ],
    [
      "update:ttl:-1:ttb:-1:@bob:k.test@alice v",
      "error:AT0003-Invalid syntax : Valid value for TTL should be greater than or equal to 0\n@alice@",
    ],
    [
      "update:ttr:-2:@bob:k.test@alice v",
      "error:AT0003-Invalid syntax : Valid values for TTR are -1 and greater than or equal to 1\n@alice@",
    ],
    ["update:ttl::public:x@alice v", syntax],
    ["update:ttl:1:ttl:2:x@alice v", syntax],
    ["update::x@alice v", syntax],
    ["update:x@alice@ v", syntax],
    ["update:x@alice ", syntax],
    ["update: us", syntax],
    ["update:location:local us", syntax],
    [
      `update:${"k".repeat(300)}@alice v`,
      "error:AT0016-Invalid key : key length 306 is greater than max allowed 248 chars\n@alice@",
    ],
    [`update:${"k".repeat(242)}@alice v`, number],
    [`update:${"k".repeat(243)}@alice v`, /key length 249/],
    ["update:metax@alice v", "error:AT0003-Invalid syntax : invalid command\n@alice@"],
  ],
  "metadata in any order and spelling": [
    [
      "update:isEncrypted:True:ttln:5:ivNonce:n==:ccd:TRUE:ttr:60:sharedKeyEnc:s:hash:h:algo:sha512:@bob:m.t@alice v",
      number,
    ],
    [
      "llookup:meta:@bob:m.t@alice",
      /"status":"active","version":0,"ttr":60,"ccd":true,"isBinary":false,"isEncrypted":true,"sharedKeyEnc":"s","pubKeyHash":\{"hash":"h","algo":"sha512"\},"ivNonce":"n=="\}\n/,
    ],
    ["update:pubKeyHash:g:hashingAlgo:sha256:@bob:m.t@alice w", number],
    [
      "llookup:meta:@bob:m.t@alice",
      /"version":1,.*"isEncrypted":false,"sharedKeyEnc":"s","pubKeyHash":\{"hash":"g","algo":"sha256"\}/,
    ],
    ["update:sharedKeyEnc:null:@bob:m.t@alice w", number],
    ["llookup:meta:@bob:m.t@alice", /"isEncrypted":false,"pubKeyHash"/],
    [
      "update:ttl:1:ttb:2:ttr:3:ccd:true:dataSignature:d:sharedKeyStatus:x:isBinary:true:isEncrypted:true:sharedKeyEnc:e:pubKeyCS:c:encoding:base64:encKeyName:kn:encAlgo:ea:ivNonce:iv:skeEncKeyName:sn:skeEncAlgo:sa:@bob:all.t@alice v",
      number,
    ],
    [
      "llookup:meta:@bob:all.t@alice",
      /"ttl":1,"ttb":2,"ttr":3,"ccd":true,"isBinary":true,"isEncrypted":true,"dataSignature":"d","sharedKeyEnc":"e","pubKeyCS":"c","encoding":"base64","encKeyName":"kn","encAlgo":"ea","ivNonce":"iv","skeEncKeyName":"sn","skeEncAlgo":"sa"\}|^data:null/,
    ],
    ["update:isEncrypted:maybe:x@alice v", syntax],
    ["update:ttl:9007199254740991:ttb:0:far.t@alice v", number],
    ["llookup:meta:far.t@alice", /"expiresAt":"\+275760-09-13 00:00:00\.000Z"/],
    ["notify:id:far-1:ttln:99999999999999999999:@alice:far.t@alice", data("far-1")],
    ["notify:fetch:far-1", /"ttl":"691200000"/],
    ["notify:remove:far-1", data("success")],
  ],
  "update:meta and update:json": [
    ["update:@bob:location@alice here", number],
    ["update:meta:@bob:location@alice:ttl:60000:ttr:125", number],
    ["llookup:@bob:location@alice", data("here")],
    ["llookup:meta:@bob:location@alice", /"version":1,"ttl":60000,"ttr":125,"ccd":false/],
    ["update:meta:@bob:location@alice:ttl:", syntax],
    ["update:meta:ttl:123", syntax],
    [
      'update:json:{"atKey":"phone.wavi","value":"x","sharedBy":"@alice","sharedWith":"@bob","metadata":{"isPublic":false,"isBinary":false,"isEncrypted":true,"ttl":"60000"}}',
      number,
    ],
    [
      "llookup:all:@bob:phone.wavi@alice",
      /^data:\{"key":"@bob:phone\.wavi@alice","data":"x","metaData":\{.*"ttl":60000/,
    ],
    ["update:json:{", /^error:AT0022-/],
    ['update:json:{"atKey":"a","value":"x","sharedBy":"@alice"}', /^error:AT0022-/],
  ],
  "references between values": [
    ["update:public:landline@alice 040", number],
    ["update:public:landlineref@alice atsign://landline@alice", number],
    ["llookup:public:landlineref@alice", data("atsign://landline@alice")],
    ["update:public:loop@alice atsign://loop@alice", number],
  ],
  delete: [
    ["update:public:gone@alice x", number],
    ["delete:public:gone@alice", number],
    ["delete:public:gone@alice", number],
    ["deete:phone@alice", "error:AT0003-Invalid syntax : invalid command\n@alice@"],
    ["update:public:🦄🦄-1@alice x", number],
    ["delete:public:🦄🦄-1@alice", number],
    ...["public:signing_publickey", "@alice:signing_privatekey", "public:publickey"].map(
      (key): Exchange => [
        `delete:${key}@alice`,
        `error:AT0009-UnAuthorized client in request : Cannot delete protected key: '${key.replace(/^.*:/, "")}@alice'\n@alice@`,
      ],
    ),
    ["delete:privatekey:at_pkam_publickey", syntax],
    ["delete:cached:public:publickey@bob", number],
    ["update:immutable:true:fixed.x@alice 1", number],
    ["update:fixed.x@alice 2", /Immutable records may not be updated/],
    ["delete:fixed.x@alice", /^error:AT0011/],
    ["delete:force:fixed.x@alice", number],
  ],
  scan: [
    ["update:ttlKEY.me@alice 1", number],
    ["scan ttlkey.me", data('["ttlkey.me@alice"]')],
    ["scan:@alice ttlkey", data('["ttlkey.me@alice"]')],
    ["scan nothing-like-it", data("[]")],
    ["scan:showHidden:true ^_|__", /"_mylocal","public:__hidden@alice"/],
    ["scan:showhidden:false ^_|__", data("[]")],
    ["scan (", /^error:AT0003-/],
    ["scan ^(privatekey|private:|public:_[a-z])", data("[]")],
    ["scan local:?x", data("[]")],
  ],
  "notify, refused": [
    ["notify:update:messageType:notifier:system:ttr:-1:@alice:email@alice", syntax],
    [
      "notify:strategy:latest:@bob:k.x@alice",
      "error:AT0003-Invalid syntax : For Strategy latest, notifier cannot be null\n@alice@",
    ],
    ["notify:messageType:key:update:@bob:k.x@alice", syntax],
    ["notify:ttlnn:5000:@bob:k.x@alice", syntax],
    ["notify:ttln::@bob:k.x@alice", syntax],
    ["notify:ttb:1:ttln:5000:@bob:k.x@alice", syntax],
    ["notify:@bob:@colin", syntax],
    ["notify location@colin", "error:AT0003-Invalid syntax : invalid command\n@alice@"],
    [
      "notify:@alice:k.x@bob",
      "error:AT0009-UnAuthorized client in request : @bob is not authorized to send notification as @alice\n@alice@",
    ],
  ],
  "notify to oneself": [
    ["notify:id:self-1:ttl:1:ttln:60000:@alice:nottrkey@alice", data("self-1")],
    ["notify:status:self-1", data("delivered")],
    ["notify:status:unknown", data("null")],
    [
      "notify:fetch:124-abc",
      data('{"id":"124-abc","notificationStatus":"NotificationStatus.expired"}'),
    ],
    [
      "notify:fetch:self-1",
      /"fromAtSign":"@alice",.*"toAtSign":"@alice","notification":"@alice:nottrkey@alice","type":"NotificationType.received","opType":"OperationType.update","messageType":"MessageType.key","priority":"NotificationPriority.low","notificationStatus":"NotificationStatus.delivered","retryCount":"1","strategy":"all"/,
    ],
    ["notify:list:nottrkey", /"key":"@alice:nottrkey@alice","value":null,"operation":"update"/],
    [
      "notify:list:2024-01-02:2024-01-01:x",
      "error:AT0022-Illegal arguments : ToDate cannot be less than FromDate\n@alice@",
    ],
    ["notify:remove:self-1", data("success")],
    ["notify:remove:self-1", data("success")],
    ["notify:list:nottrkey", data("null")],
  ],
  otp: [
    ["otp:get", /^data:(?=.*\d)[1-9A-NP-Z]{6}\n@alice@$/],
    ["otp:put:ABC123", data("ok")],
  ],
};

describe("what the owner sends and gets", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  describe.each(Object.entries(tables))("%s", (_name, exchanges) => {
    it.each(exchanges)("%s", async (send, expected) => {
      const reply = await owner.ask(send);
      if (typeof expected === "string") expect(reply).toBe(expected);
      else expect(reply).toMatch(expected);
    });
  });

  it("counts commits by one", async () => {
    const first = Number(/\d+/.exec(await owner.ask("update:c.x@alice 1"))?.[0]);
    expect(await owner.ask("update:c.x@alice 2")).toBe(data(String(first + 1)));
    expect(await owner.ask("delete:c.x@alice")).toBe(data(String(first + 2)));
  });

  it("describes a record's making and changing", async () => {
    await owner.ask("update:public:newkey@alice 1");
    const read = async (): Promise<Record<string, string>> =>
      JSON.parse((await owner.ask("llookup:meta:public:newkey@alice")).slice(5, -8));
    const first = await read();
    expect(first).toMatchObject({ version: 0, createdBy: "@alice", updatedBy: "@alice" });
    expect(first.createdAt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/);
    await owner.ask("update:public:newkey@alice 2");
    expect(await read()).toMatchObject({ version: 1, createdAt: first.createdAt });
  });

  it("shows anybody public records and follows references", async () => {
    const line = await alice.open();
    expect(await line.ask("lookup:landlineref@alice")).toBe("data:040\n@");
    expect(await line.ask("lookup:loop@alice")).toBe("data:null\n@");
    expect(await line.ask("lookup:all:landline@alice")).toMatch(
      /^data:\{"key":"public:landline@alice","data":"040","metaData":\{"createdBy":"@alice"/,
    );
    expect(await line.ask("scan location-u")).toBe('data:["location-u@alice"]\n@');
  });

  it("is not held up by a filter that backtracking engines never end", async () => {
    await owner.ask(`update:public:${"a".repeat(60)}-@alice x`);
    await owner.ask(`update:public:${"a".repeat(60)}@alice x`);
    const line = await alice.open();
    expect(await line.ask("scan (a+)+b")).toBe("data:[]\n@");
    expect(await line.ask("scan c.(a+)+-@")).toBe(`data:["${"a".repeat(60)}-@alice"]\n@`);
    expect(await line.ask("noop:0")).toBe("data:ok\n@");
  });

  it("carries a value of ten million bytes", async () => {
    const value = "v".repeat(10_000_000);
    expect(await owner.ask(`update:big.x@alice ${value}`)).toMatch(number);
    expect(await owner.ask("llookup:big.x@alice")).toBe(data(value));
  });

  it("ends cram for ever with the deletion of the secret", async () => {
    const line = await alice.cram();
    expect(await line.ask("delete:privatekey:at_secret")).toBe("data:-1\n@alice@");
    await world.stop(alice);
    alice = await world.start("@alice", { store: alice.store });
    await expect(alice.cram()).rejects.toThrow(
      "error:AT0015-Exception: privatekey:at_secret does not exist in keystore",
    );
  });
});

describe("time", () => {
  it("hides what isn't born or has expired, and removes it", async () => {
    const world = await World.create();
    let now = 1_700_000_000_000;
    const alice = await world.start("@alice", { now: () => now });
    const owner = await alice.owner();
    await owner.ask("update:ttl:4000:ttb:2000:offer.x@alice v");
    expect(await owner.ask("llookup:offer.x@alice")).toBe(data("null"));
    expect(await owner.ask("scan offer")).toBe(data("[]"));
    now += 2_000;
    expect(await owner.ask("llookup:offer.x@alice")).toBe(data("v"));
    expect(await owner.ask("llookup:meta:offer.x@alice")).toContain('"ttl":4000,"ttb":2000');
    now += 4_001;
    expect(await owner.ask("llookup:offer.x@alice")).toBe(data("null"));
    expect(await owner.ask("scan offer")).toBe(data("[]"));
    await world.stop(alice);
    const again = await world.start("@alice", { now: () => now, store: alice.store });
    expect(await (await again.owner()).ask("llookup:offer.x@alice")).toBe(missing("offer.x@alice"));
    await world.close();
  });

  it("gives a challenge sixty seconds", async () => {
    const world = await World.create();
    let now = 1_700_000_000_000;
    const alice = await world.start("@alice", { now: () => now });
    const { challengeOf, identity, signChallenge } = await import("./world.ts");
    const line = await alice.owner();
    const sign = async (): Promise<string> =>
      signChallenge(identity("@alpha").privateKey, challengeOf(await line.ask("from:@alice")));
    const kept = await sign();
    now += 60_000;
    expect(await line.ask(`pkam:${kept}`)).toBe("data:success\n@alice@");
    const late = await sign();
    now += 60_001;
    expect(await line.ask(`pkam:${late}`)).toContain("error:AT0401-");
    await world.close();
  });
});
