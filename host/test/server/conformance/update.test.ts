// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { type Place, World } from "../world.ts";
import {
  committed,
  converse,
  data,
  error,
  failure,
  item,
  items,
  JSON_VERSION,
  notFound,
  shows,
  syntaxError,
} from "./items.ts";

interface All {
  key: string;
  data: string | null;
  metaData: Record<string, unknown>;
}

const NOW = 1_700_000_000_000;
const instant = (millis: number): string => new Date(millis).toISOString().replace("T", " ");
const ttlError = "Valid value for TTL should be greater than or equal to 0";

/** update writes a value, llookup of the same key gives it back. */
const roundTrip = (key: string, value: string) =>
  [
    [`update:${key} ${value}`, committed],
    [`llookup:${key}`, data(value)],
  ] as const;

describe("update and llookup", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = NOW;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now });
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  const all = async (key: string): Promise<All> =>
    payloadOf(await owner.ask(`llookup:all:${key}`)) as All;

  items(() => owner, {
    38: [["update:public:location-U@alice Hyderabad", committed]],
    39: [["llookup:public:location-U@alice", data("Hyderabad")]],
    40: roundTrip("public:location-U@alice", "@!ice^&##"),
    41: roundTrip("public:location-U@alice", "U+0026"),
    42: roundTrip("public:location-U@alice", "Hey Hello! welcome to the tests"),
    43: roundTrip("public:location-U@alice", "🦄7"),
    44: roundTrip("public:location-U@alice", "パーニマ"),
    45: [...roundTrip("public:again@alice", "one"), ...roundTrip("public:again@alice", "two")],
    46: [["update:public:key-1@alice", syntaxError]],
    47: [["update:public:country@@alice USA", syntaxError]],
    48: [["update:public:@bob:invalid-key@alice v", syntaxError]],
    49: [
      [
        "update:public:country,current@alice USA",
        error("AT0016", "Invalid key : You may not update keys of type KeyType.invalidKey"),
      ],
    ],
    50: roundTrip("@🦄:emoji.name@alice", "v"),
  });

  item(51, "ttl ends a record", async () => {
    await converse(owner, [
      ["update:ttl:3000:@alice:offer@alice v", committed],
      ["llookup:meta:@alice:offer@alice", shows('"ttl":3000')],
      ["llookup:@alice:offer@alice", data("v")],
    ]);
    now += 3_001;
    await converse(owner, [["llookup:@alice:offer@alice", data("null")]]);
  });

  item(52, "ttb begins a record", async () => {
    await converse(owner, [
      ["update:ttb:2000:@alice:auth@alice v", committed],
      ["llookup:@alice:auth@alice", data("null")],
    ]);
    now += 2_000;
    await converse(owner, [
      ["llookup:@alice:auth@alice", data("v")],
      ["llookup:meta:@alice:auth@alice", shows('"ttb":2000')],
    ]);
  });

  item(53, "ttl counts from the birth", async () => {
    await converse(owner, [
      ["update:ttl:4000:ttb:2000:@alice:both@alice v", committed],
      ["llookup:@alice:both@alice", data("null")],
    ]);
    now += 2_000;
    await converse(owner, [["llookup:@alice:both@alice", data("v")]]);
    now += 4_001;
    await converse(owner, [["llookup:@alice:both@alice", data("null")]]);
  });

  items(() => owner, {
    54: [["update:privatekey:at_pkam_publickey K", data("-1")]],
    55: [
      [
        "update:phone@bob x",
        error(
          "AT0016",
          "Invalid key : Invalid update command - sharedBy atsign @bob should be same as current atsign @alice",
        ),
      ],
    ],
    56: [
      ["update:ttl:-1:ttb:-1:@bob:k.test@alice v", error("AT0003", `Invalid syntax : ${ttlError}`)],
    ],
    57: [["update:ttl::public:x@alice v", syntaxError]],
    58: [["update::x@alice v", syntaxError]],
    59: [["update:x@alice@ v", syntaxError]],
    60: [["update:x@alice ", syntaxError]],
    61: [["update: us", syntaxError]],
    62: [["update:location:local us", syntaxError]],
    63: [
      [
        "update:location us",
        error("AT0016", "Invalid key : You may not update keys of type KeyType.invalidKey"),
      ],
    ],
    64: [
      [
        `update:${"k".repeat(300)}@alice v`,
        error("AT0016", "Invalid key : key length 306 is greater than max allowed 248 chars"),
      ],
    ],
    65: [
      ["UpDaTe:public:X@alice vAlUe", committed],
      ["scan ^public:x@", data('["public:x@alice"]')],
      ["llookup:public:x@alice", data("vAlUe")],
    ],
    66: [
      ["update:ttlKEY.me@alice 1", committed],
      ["scan ttlkey", data('["ttlkey.me@alice"]')],
    ],
  });

  let created: All;
  item(67, "a new record's metadata", async () => {
    const before = now;
    await owner.ask("update:public:newkey@alice 1");
    created = await all("public:newkey@alice");
    expect(created).toEqual({
      key: "public:newkey@alice",
      data: "1",
      metaData: {
        createdBy: "@alice",
        updatedBy: "@alice",
        createdAt: instant(before),
        updatedAt: instant(before),
        status: "active",
        version: 0,
        isBinary: false,
        isEncrypted: false,
      },
    });
  });

  item(68, "a changed record's metadata", async () => {
    now += 1_000;
    await owner.ask("update:public:newkey@alice 2");
    expect((await all("public:newkey@alice")).metaData).toEqual({
      ...created.metaData,
      updatedAt: instant(now),
      version: 1,
    });
  });

  items(() => owner, {
    69: [["llookup:random@alice", notFound("random@alice")]],
    70: [["lokup:public:x@alice", failure("AT0003", "Invalid syntax")]],
    71: [
      ...roundTrip("@bob:country@alice", "v"),
      ["llookup:country@alice", notFound("country@alice")],
    ],
    72: [
      ["update:sharedKeyEnc:abc:pubKeyCS:def:@bob:kept@alice 1", committed],
      ["update:@bob:kept@alice 2", committed],
      ["llookup:all:@bob:kept@alice", shows('"data":"2"', '"sharedKeyEnc":"abc","pubKeyCS":"def"')],
      ["update:sharedKeyEnc:null:@bob:kept@alice 3", committed],
      ["llookup:meta:@bob:kept@alice", /^data:(?!.*sharedKeyEnc).*"pubKeyCS":"def".*\n@alice@$/],
    ],
  });

  item(73, "every metadata option in its order", async () => {
    const options =
      "ttl:600000:ttb:0:ttr:60:ccd:true:dataSignature:ds=:sharedKeyStatus:x:isBinary:true:isEncrypted:true:" +
      "sharedKeyEnc:ske:pubKeyCS:cs:encoding:base64:encKeyName:ekn:encAlgo:ea:ivNonce:iv==:skeEncKeyName:sekn:skeEncAlgo:sea";
    await converse(owner, [[`update:${options}:@bob:full.wavi@alice v`, committed]]);
    expect(await all("@bob:full.wavi@alice")).toEqual({
      key: "@bob:full.wavi@alice",
      data: "v",
      metaData: {
        createdBy: "@alice",
        updatedBy: "@alice",
        createdAt: instant(now),
        updatedAt: instant(now),
        availableAt: instant(now),
        expiresAt: instant(now + 600_000),
        refreshAt: instant(now + 60_000),
        status: "active",
        version: 0,
        ttl: 600_000,
        ttb: 0,
        ttr: 60,
        ccd: true,
        isBinary: true,
        isEncrypted: true,
        dataSignature: "ds=",
        sharedKeyEnc: "ske",
        pubKeyCS: "cs",
        encoding: "base64",
        encKeyName: "ekn",
        encAlgo: "ea",
        ivNonce: "iv==",
        skeEncKeyName: "sekn",
        skeEncAlgo: "sea",
      },
    });
  });

  items(() => owner, {
    74: [
      ["update:@bob:location@alice here", committed],
      ["update:meta:@bob:location@alice:ttl:123:ttb:0:ttr:125", committed],
      [
        "llookup:all:@bob:location@alice",
        shows('"data":"here"', '"version":1,"ttl":123,"ttb":0,"ttr":125,"ccd":false'),
      ],
      ["update:meta:@bob:location@alice:ttl:123:ttb:124:ttr:125", committed],
      ["llookup:meta:@bob:location@alice", data("null")],
    ],
    75: [["update:meta:@bob:location@alice:ttl:", syntaxError]],
    76: [["update:meta:ttl:123", syntaxError]],
    77: [
      [
        `update:json:${JSON.stringify({
          atKey: "json.wavi",
          value: "x y",
          sharedBy: "@alice",
          sharedWith: "@bob",
          metadata: { isPublic: false, isBinary: false, isEncrypted: true, ttr: "60" },
        })}`,
        committed,
      ],
      ["llookup:all:@bob:json.wavi@alice", shows('"data":"x y"', '"ttr":60', '"isEncrypted":true')],
    ],
    78: [
      ["update:k@alice  v", committed],
      ["llookup:k@alice", data(" v")],
    ],
    79: [
      ["update:one@alice 1", committed],
      ["llookup:one@alice", data("1")],
      ["delete:one@alice", committed],
      ["notify:@alice:one@alice", /^data:[-0-9a-f]{36}\n@alice@$/],
      ["stats:3", /^data: \[\{"id":"3".*\]\n@alice@$/],
    ],
  });

  item(80, "a value that refers to another record", async () => {
    await converse(owner, [
      ["update:public:landline@alice 040", committed],
      ["update:public:landlineref@alice atsign://landline@alice", committed],
      ["llookup:public:landlineref@alice", data("atsign://landline@alice")],
    ]);
    await converse(await alice.open(), [["lookup:landlineref@alice", data("040", "@")]]);
  });
});
