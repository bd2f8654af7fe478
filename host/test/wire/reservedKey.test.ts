// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyType } from "../../wire/atkey.ts";
import { type ReservedKind, reservedKind } from "../../wire/reservedKey.ts";

const reserved: readonly (readonly [string, ReservedKind])[] = [
  ["@bob:shared_key@alice", "sharedKey"],
  ["shared_key.bob@alice", "sharedKey"],
  ["public:publickey@alice", "publicKey"],
  ["public:signing_publickey@alice", "signingPublicKey"],
  ["@alice:signing_privatekey@alice", "signingPrivateKey"],
  ["cached:public:publickey@bob", "cachedPublicKey"],
  ["cached:public:signing_publickey@bob", "cachedPublicKey"],
  ["privatekey:at_secret", "internal"],
  ["privatekey:at_secret_deleted", "internal"],
  ["privatekey:at_pkam_publickey", "internal"],
  ["private:blocklist@alice", "internal"],
  ["configkey", "internal"],
  ["_latestNotificationIdv2", "note"],
];

describe("reserved keys", () => {
  it.each(reserved)("%s is one: %s", (key, kind) => {
    expect(reservedKind(key)).toBe(kind);
    expect(keyType(key)).toBe("reservedKey");
    expect(reservedKind(key.toUpperCase())).toBe(kind);
  });

  it.each([
    "@bob:x.shared_key@alice",
    "shared_key@alice",
    "my_shared_key.bob@alice",
    "x.shared_key.bob@alice",
    "@bob:shared_key.carol@alice",
    "@bob:shared_key.wavi@alice.x",
    "public:shared_key.bob@alice",
    "public:publickey.wavi@alice",
    "public:publickey@alice:x.wavi@alice",
    "public:publickey@alice ",
    "xpublic:publickey@alice",
    "public:@alice:signing_privatekey@alice",
    "cached:@alice:signing_privatekey@bob",
    "signing_privatekey@alice",
    "xprivatekey:at_secret",
    "privatekey:at_secret@alice",
    "privatekey:other",
    "private:blocklist.wavi@alice",
    "x_configkey",
    "_x@alice",
  ])("%s is none", (key) => {
    expect(reservedKind(key)).toBeUndefined();
    expect(keyType(key)).not.toBe("reservedKey");
  });

  it("are whole keys: with anything before or behind they are no longer", () => {
    const around = fc.string({ unit: fc.constantFrom(..."ab.:@_ \n".split("")), minLength: 1 });
    fc.assert(
      fc.property(fc.constantFrom(...reserved), around, ([key, kind], more) => {
        // A note goes on as it began, an owner's atSign may be longer, and a letter makes another name.
        fc.pre(kind !== "note");
        expect(reservedKind(more + key)).not.toBe(kind);
        fc.pre(!/^[a-z_]*$/.test(more));
        expect(reservedKind(key + more)).not.toBe(kind);
      }),
    );
  });
});
