// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalKey,
  formatAtKey,
  isCommittedKey,
  keyType,
  parseAtKey,
} from "../../wire/atkey.ts";
import { atSignName, MAX_ATSIGN_LENGTH, normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";

describe("atSigns", () => {
  it.each([
    ["@alice", "@alice"],
    ["Ali.Ce", "@alice"],
    [" @BOB ", "@bob"],
    ["@alice🛠", "@alice🛠"],
    ["a".repeat(MAX_ATSIGN_LENGTH), `@${"a".repeat(MAX_ATSIGN_LENGTH)}`],
  ])("spells %s as %s", (text, spelled) => {
    expect(normalizeAtSign(text)).toBe(spelled);
  });

  it.each([
    ["", "at least one character"],
    ["@", "at least one character"],
    ["@.", "at least one character"],
    ["@a@b", "more than one @"],
    ["a b", "whitespace"],
    ["a\u3000b", "whitespace"],
    ["a\u0007b", "control"],
    ["a\u2401b", "control"],
    ["a".repeat(MAX_ATSIGN_LENGTH + 1), "longer than 55"],
    ..."!*'`();:&=+$,/?#[]{}"
      .split("")
      .map((c) => [`a${c}b`, "Cannot contain"] as [string, string]),
  ])("refuses %j: %s", (text, words) => {
    expect(() => normalizeAtSign(text)).toThrow(words);
    expect(() => normalizeAtSign(text)).toThrow(AtError);
  });

  it("refuses with AT0011 and hangs up", () => {
    try {
      normalizeAtSign("@");
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "AT0011", closes: true });
    }
  });

  it("drops the @", () => {
    expect(atSignName("@alice")).toBe("alice");
    expect(atSignName("alice")).toBe("alice");
  });
});

describe("record keys", () => {
  it.each([
    ["public:phone@alice", "publicKey"],
    ["phone.wavi@alice", "selfKey"],
    ["@alice:phone@alice", "selfKey"],
    ["@bob:phone@alice", "sharedKey"],
    ["cached:@bob:phone@alice", "cachedSharedKey"],
    ["cached:public:phone@alice", "cachedPublicKey"],
    ["cached:public:publickey@bob", "reservedKey"],
    ["privatekey:foo", "invalidKey"],
    ["foo", "invalidKey"],
    ["public:country,current@alice", "invalidKey"],
    ["phone@", "invalidKey"],
    ["abc.new.enrollments.__manage@alice", "selfKey"],
    ["private:_abc@alice", "privateKey"],
    ["@🦄:emoji.name@alice", "sharedKey"],
    ["@bob:shared_key@alice", "reservedKey"],
    ["shared_key.bob@alice", "reservedKey"],
    ["public:publickey@alice", "reservedKey"],
    ["public:signing_publickey@alice", "reservedKey"],
    ["@alice:signing_privatekey@alice", "reservedKey"],
    ["private:blocklist@alice", "reservedKey"],
    ["privatekey:at_pkam_publickey", "reservedKey"],
    ["configkey", "reservedKey"],
    ["_latestNotificationIdv2", "reservedKey"],
    ["local:x@alice", "localKey"],
    [`${"k".repeat(600)}@alice`, "invalidKey"],
    [`k@${"a".repeat(55)}`, "selfKey"],
    [`k@${"a".repeat(56)}`, "invalidKey"],
  ])("calls %s a %s", (key, type) => {
    expect(keyType(key)).toBe(type);
  });

  it.each([
    [
      "cached:@bob:phone.demo@alice",
      { cached: true, sharedWith: "@bob", entity: "phone", namespace: "demo", owner: "@alice" },
    ],
    [
      "public:a.b.c@x",
      { cached: false, visibility: "public", entity: "a.b", namespace: "c", owner: "@x" },
    ],
    ["privatekey:at_secret", { cached: false, visibility: "privatekey", entity: "at_secret" }],
    ["note@alice", { cached: false, entity: "note", owner: "@alice" }],
  ])("splits %s", (key, parts) => {
    expect(parseAtKey(key)).toEqual(parts);
    expect(formatAtKey(parseAtKey(key))).toBe(key);
  });

  it("joins what it split, whatever it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab.:@_ché🦄".split("")) }), (text) => {
        for (const prefix of ["", "cached:", "public:", "@bob:", "cached:public:", "local:"]) {
          expect(formatAtKey(parseAtKey(prefix + text))).toBe(prefix + text);
        }
      }),
    );
  });

  it("stores keys in lower case without spaces", () => {
    expect(canonicalKey("  @Bob:My Key.Demo@Alice ")).toBe("@bob:mykey.demo@alice");
  });

  it.each([
    ["phone@alice", true],
    ["cached:@a:b@c", true],
    ["public:__x@alice", true],
    ["public:_x@alice", false],
    ["private:x@alice", false],
    ["privatekey:at_secret", false],
    ["local:x@alice", false],
  ])("commits %s: %s", (key, committed) => {
    expect(isCommittedKey(key)).toBe(committed);
  });
});
