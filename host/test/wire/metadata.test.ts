// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatMetadataFragment,
  formatTime,
  METADATA_GRAMMAR,
  type MetadataOptions,
  metadataFromJson,
  metadataToJson,
  parseMetadataFragment,
  parseTime,
} from "../../wire/metadata.ts";
import {
  formatNotificationLine,
  formatPeerNotify,
  type Notification,
} from "../../wire/notification.ts";

const text = fc.string({ unit: fc.constantFrom(..."abcXYZ019+/=-_.".split("")), minLength: 1 });
const word = text.filter((value) => value !== "null");
const options: fc.Arbitrary<MetadataOptions> = fc.record(
  {
    ttl: fc.nat(),
    ttb: fc.nat(),
    ttr: fc.integer({ min: -1, max: 1_000_000 }),
    ccd: fc.boolean(),
    isBinary: fc.boolean(),
    isEncrypted: fc.boolean(),
    dataSignature: fc.option(word),
    sharedKeyEnc: fc.option(word),
    pubKeyCS: fc.option(word),
    pubKeyHash: fc.record({ hash: word, algo: fc.constantFrom("sha256", "sha512") }),
    encoding: fc.option(word),
    encKeyName: fc.option(word),
    encAlgo: fc.option(word),
    ivNonce: fc.option(word),
    skeEncKeyName: fc.option(word),
    skeEncAlgo: fc.option(word),
    immutable: fc.boolean(),
    appMetadata: fc.dictionary(word, fc.string()),
  },
  { requiredKeys: [] },
);

describe("metadata on the wire", () => {
  it("is read as it was written, and fits the grammar", () => {
    const grammar = new RegExp(`^${METADATA_GRAMMAR}$`, "i");
    fc.assert(
      fc.property(options, (given) => {
        const fragment = formatMetadataFragment(given);
        expect(grammar.test(fragment)).toBe(true);
        expect(parseMetadataFragment(fragment)).toEqual(given);
      }),
    );
  });

  it("writes the order every atServer accepts", () => {
    expect(
      formatMetadataFragment({
        appMetadata: { a: 1 },
        immutable: true,
        skeEncAlgo: "sa",
        skeEncKeyName: "sk",
        ivNonce: "iv",
        encAlgo: "ea",
        encKeyName: "ek",
        encoding: "base64",
        pubKeyHash: { hash: "h", algo: "sha512" },
        pubKeyCS: "cs",
        sharedKeyEnc: "se",
        isEncrypted: true,
        isBinary: false,
        dataSignature: "ds",
        ccd: true,
        ttr: -1,
        ttb: 2,
        ttl: 1,
      }),
    ).toBe(
      ":ttl:1:ttb:2:ttr:-1:ccd:true:dataSignature:ds:isBinary:false:isEncrypted:true:sharedKeyEnc:se:pubKeyCS:cs:pubKeyHash:h:hashingAlgo:sha512:encoding:base64:encKeyName:ek:encAlgo:ea:ivNonce:iv:skeEncKeyName:sk:skeEncAlgo:sa:immutable:true:appMetadata:eyJhIjoxfQ==",
    );
  });

  it.each([
    [":ivNonce:x:ttl:1", { ttl: 1, ivNonce: "x" }],
    [":TTL:1:ISENCRYPTED:True", { ttl: 1, isEncrypted: true }],
    [":hash:h:algo:a", { pubKeyHash: { hash: "h", algo: "a" } }],
    [":pubKeyHash:h", {}],
    [
      ":sharedKeyStatus:x:cAt:2024-01-01T00:00:00.000Z:ttl:1",
      { ttl: 1, createdAt: 1_704_067_200_000 },
    ],
    [
      ":uAt:2024-01-01T00:00:00Z:eAt:2024-01-01T00:00:00Z:ttb:1",
      { ttb: 1, updatedAt: 1_704_067_200_000, expiresAt: 1_704_067_200_000 },
    ],
    [":ttln:5", { ttln: 5 }],
    [":sharedKeyEnc:null", { sharedKeyEnc: null }],
    ["", {}],
  ])("reads %s", (fragment, expected) => {
    expect(parseMetadataFragment(fragment)).toEqual(expected);
  });

  it.each([
    [":ttl:x", "ttl has to be a whole number"],
    [":ttl:9007199254740993", "ttl has to be a whole number"],
    [":ttl:-1", "Valid value for TTL"],
    [":ttb:-1", "Valid value for TTB"],
    [":ttr:-2", "Valid values for TTR"],
    [":ccd:yes", "ccd has to be true or false"],
    [":ttl:1:ttl:1", "ttl is given twice"],
    [":appMetadata:!!", "appMetadata has to be base64"],
    [":appMetadata:WzFd", "appMetadata has to be base64"],
  ])("refuses %s", (fragment, words) => {
    expect(() => parseMetadataFragment(fragment)).toThrow(words);
  });

  it("shows JSON in the protocol's order and reads it leniently", () => {
    const json = metadataToJson({
      isEncrypted: false,
      isBinary: false,
      ttl: 60_000,
      version: 0,
      status: "active",
      expiresAt: 1_729_504_068_982,
      createdAt: 1_729_504_008_982,
      createdBy: "@alice",
    });
    expect(JSON.stringify(json)).toBe(
      '{"createdBy":"@alice","createdAt":"2024-10-21 09:46:48.982Z","expiresAt":"2024-10-21 09:47:48.982Z","status":"active","version":0,"ttl":60000,"isBinary":false,"isEncrypted":false}',
    );
    expect(metadataFromJson(json)).toMatchObject({ ttl: 60_000, createdAt: 1_729_504_008_982 });
    expect(
      metadataFromJson({
        ttl: "5",
        version: "2",
        ccd: "true",
        isBinary: null,
        ivNonce: null,
        createdAt: "2024-10-21T09:46:48.982Z",
        sharedKeyEnc: "null",
        pubKeyHash: { hash: "h", algo: "a" },
      }),
    ).toEqual({
      ttl: 5,
      version: 2,
      ccd: true,
      createdAt: 1_729_504_008_982,
      pubKeyHash: { hash: "h", algo: "a" },
    });
  });

  it("writes and reads instants", () => {
    expect(formatTime(0)).toBe("1970-01-01 00:00:00.000Z");
    expect(parseTime(formatTime(1_729_504_008_982))).toBe(1_729_504_008_982);
    expect(parseTime("never")).toBeUndefined();
    expect(parseTime(5)).toBeUndefined();
  });
});

describe("notifications on the wire", () => {
  const base: Notification = {
    id: "1234",
    from: "@alice",
    to: "@bob",
    key: "@bob:phone.wavi@alice",
    type: "sent",
    operation: "update",
    messageType: "key",
    priority: "low",
    status: "queued",
    retryCount: 1,
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    createdAt: 1_603_714_720_965,
    ttl: 900_000,
    isEncrypted: true,
  };

  it.each<[Partial<Notification>, string]>([
    [
      { value: "hello", metadata: {} },
      "notify:id:1234:update:messageType:key:notifier:SYSTEM:ttln:900000:ttl:0:ttb:0:isEncrypted:true:@bob:phone.wavi@alice:hello",
    ],
    [
      { operation: "delete", notifier: "system", key: "@bob:phone@alice" },
      "notify:id:1234:delete:messageType:key:notifier:system:ttln:900000:@bob:phone@alice",
    ],
    [
      { value: "v", isEncrypted: false, metadata: { ttr: -1, ivNonce: "iv", sharedKeyEnc: "s" } },
      "notify:id:1234:update:messageType:key:notifier:SYSTEM:ttln:900000:ttl:0:ttb:0:ttr:-1:ccd:false:isEncrypted:false:sharedKeyEnc:s:ivNonce:iv:@bob:phone.wavi@alice:v",
    ],
  ])("hands %o to a peer", (changes, line) => {
    expect(formatPeerNotify({ ...base, ...changes })).toBe(line);
  });

  it("shows monitors what they expect", () => {
    expect(formatNotificationLine({ ...base, metadata: { ivNonce: "iv" } })).toBe(
      'notification: {"id":"1234","from":"@alice","to":"@bob","key":"@bob:phone.wavi@alice","value":null,"operation":"update","epochMillis":1603714720965,"messageType":"MessageType.key","isEncrypted":true,"metadata":{"encKeyName":null,"encAlgo":null,"ivNonce":"iv","skeEncKeyName":null,"skeEncAlgo":null,"sharedKeyEnc":null,"pubKeyCS":null,"availableAt":"null","expiresAt":"null"}}',
    );
  });
});
