// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPeerNotify, type Notification } from "../../wire/notification.ts";
import { published, read } from "./grammarReader.ts";

const word = fc.stringMatching(/^[\w+/=.-]{1,20}$/).filter((text) => text !== "null");
const sentNotification: fc.Arbitrary<Notification> = fc.record(
  {
    id: fc.uuid(),
    from: fc.constant("@alice"),
    to: fc.constant("@bob"),
    key: fc.stringMatching(/^@bob:[a-z][a-z.]{1,20}@alice$/),
    type: fc.constant("sent" as const),
    operation: fc.constantFrom("update" as const, "delete" as const),
    messageType: fc.constant("key" as const),
    priority: fc.constantFrom("low" as const, "high" as const),
    status: fc.constant("queued" as const),
    retryCount: fc.nat(),
    strategy: fc.constantFrom("all" as const, "latest" as const),
    notifier: word,
    depth: fc.nat(),
    createdAt: fc.nat(),
    ttl: fc.nat(),
    value: fc.stringMatching(/^[^\r\n]{1,40}$/),
    isEncrypted: fc.boolean(),
    metadata: fc.record(
      {
        ttl: fc.nat(),
        ttb: fc.nat(),
        ttr: fc.integer({ min: -1, max: 1_000 }),
        ccd: fc.boolean(),
        createdAt: fc.nat(),
        expiresAt: fc.nat(),
        isBinary: fc.boolean(),
        dataSignature: word,
        sharedKeyEnc: word,
        pubKeyCS: word,
        encoding: word,
        encKeyName: word,
        encAlgo: word,
        ivNonce: word,
        skeEncKeyName: word,
        skeEncAlgo: word,
      },
      { requiredKeys: [] },
    ),
  },
  {
    requiredKeys: [
      "id",
      "from",
      "to",
      "key",
      "type",
      "operation",
      "messageType",
      "priority",
      "status",
      "retryCount",
      "strategy",
      "notifier",
      "depth",
      "createdAt",
      "isEncrypted",
    ],
  },
);

describe("what is written to other atServers", () => {
  it("is a notify every published grammar reads, with the same arguments", () => {
    const grammar = published("notify");
    fc.assert(
      fc.property(sentNotification, (notification) => {
        const groups = grammar.exec(formatPeerNotify(notification))?.groups;
        const { metadata, value, ttl = 0 } = notification;
        const cached = metadata?.ttr !== undefined && metadata.ttr !== 0;
        const text = (given: unknown): string | undefined =>
          given === undefined ? undefined : String(given);
        expect(groups).toEqual({
          id: notification.id,
          operation: notification.operation,
          messageType: "key",
          priority: undefined,
          strategy: undefined,
          latestN: undefined,
          notifier: notification.notifier,
          ttln: String(ttl),
          ttl: text(metadata && (metadata.ttl ?? 0)),
          ttb: text(metadata && (metadata.ttb ?? 0)),
          ttr: cached ? String(metadata.ttr) : undefined,
          ccd: cached ? String(metadata.ccd ?? false) : undefined,
          dataSignature: undefined,
          sharedKeyStatus: undefined,
          isBinary: undefined,
          isEncrypted: metadata && String(notification.isEncrypted),
          sharedKeyEnc: metadata?.sharedKeyEnc,
          pubKeyCS: metadata?.pubKeyCS,
          encoding: metadata?.encoding,
          encKeyName: metadata?.encKeyName,
          encAlgo: metadata?.encAlgo,
          ivNonce: metadata?.ivNonce,
          skeEncKeyName: metadata?.skeEncKeyName,
          skeEncAlgo: metadata?.skeEncAlgo,
          publicScope: undefined,
          forAtSign: "bob",
          atKey: notification.key.slice("@bob:".length, -"@alice".length),
          atSign: "alice",
          value,
        });
      }),
    );
  });

  it.each([
    ["lookup", "lookup:all:k.wavi@bob"],
    ["lookup", "lookup:all:publickey@bob"],
    ["lookup", "lookup:_4af24c03-d732-48f8-a9a2-570e8fb6a01c@bob"],
    ["lookup", "lookup:signing_publickey@bob"],
    ["from", "from:@alice"],
    ["pol", "pol"],
    ["scan", "scan"],
    ["scan", "scan .*"],
  ])("%s: %s", (verb, line) => {
    expect(published(verb).test(line)).toBe(true);
    expect(read(line)?.verb).toBe(verb);
  });
});
