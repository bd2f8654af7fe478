// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { aesDecryptText } from "../../crypto/aesCtr.ts";
import { publicKeyChecksum } from "../../crypto/checksum.ts";
import { rsaDecrypt, rsaEncrypt } from "../../crypto/rsa.ts";
import { parseMetadataFragment } from "../../wire/metadata.ts";
import { readVectors } from "../crypto/vectors.ts";
import { connect, record, requests, start } from "./connected.ts";
import { alpha, bravo } from "./identities.ts";
import { loggedIn } from "./scriptedServer.ts";

describe("sharing", () => {
  const shared = readVectors<{
    sharedAesKeyBase64: string;
    value: string;
    wrappedForSelf: { ciphertextBase64: string };
    wrappedForThem: { ciphertextBase64: string };
    withIv: { ivNonceBase64: string; ciphertextBase64: string };
    legacyZeroIv: { ciphertextBase64: string };
    pubKeyCS: { value: string };
  }>("08-shared-data");
  const mine = "llookup:shared_key.bravo@alpha";
  const theirs = "llookup:@bravo:shared_key@alpha";

  it("makes a key when there is none, my own copy first", async () => {
    const world = await start(
      loggedIn((line) => {
        if (line === mine) return "error:AT0015-key not found : none\n@alpha@";
        if (line === "plookup:publickey@bravo") return `data:${bravo.encryptPublicKey}\n@alpha@`;
        return "data:1\n@alpha@";
      }),
    );
    const client = await connect(world);
    await Promise.all([
      client.put("@bravo:a.demo@alpha", "first"),
      client.put("@bravo:b.demo@alpha", "second"),
    ]);
    const [lookup, publicKey, forMe = "", forThem = "", ...values] = requests(world);
    expect([lookup, publicKey]).toEqual([mine, "plookup:publickey@bravo"]);
    expect(forMe.startsWith("update:shared_key.bravo@alpha ")).toBe(true);
    expect(forThem.startsWith("update:@bravo:shared_key@alpha ")).toBe(true);
    const key = rsaDecrypt(forMe.split(" ")[1] ?? "", alpha.encryptPrivateKey);
    expect(rsaDecrypt(forThem.split(" ")[1] ?? "", bravo.encryptPrivateKey)).toBe(key);
    const plain = values.map((line) => {
      const match = /^update(.*):@bravo:[ab]\.demo@alpha (\S+)$/.exec(line);
      const { ivNonce, pubKeyCS, sharedKeyEnc } = parseMetadataFragment(match?.[1] ?? "");
      expect(pubKeyCS).toBe(shared.pubKeyCS.value);
      expect(rsaDecrypt(sharedKeyEnc ?? "", bravo.encryptPrivateKey)).toBe(key);
      return aesDecryptText(match?.[2] ?? "", key, ivNonce ?? "");
    });
    expect(plain).toEqual(["first", "second"]);
  });

  it.each([
    "error:AT0023-Timeout waiting for response : none",
    "error:AT0011-Internal server exception : none",
    "error:AT0009-UnAuthorized client in request : none",
  ])("never makes a key after %s", async (answer) => {
    const world = await start(loggedIn(() => `${answer}\n@alpha@`));
    const client = await connect(world);
    await expect(client.put("@bravo:a.demo@alpha", "x")).rejects.toThrow();
    expect(requests(world)).toEqual([mine]);
  });

  it("takes the key that there is, and restores only the other's copy", async () => {
    const world = await start(
      loggedIn({
        [mine]: `data:${shared.wrappedForSelf.ciphertextBase64}`,
        "plookup:publickey@bravo": `data:${bravo.encryptPublicKey}`,
      }),
    );
    const client = await connect(world, { legacyIv: true });
    await expect(client.put("@bravo:phone.demo@alpha", "x")).rejects.toMatchObject({
      code: "AT0015",
    });
    const [, , asked, restored = ""] = requests(world);
    expect(asked).toBe(theirs);
    expect(restored.startsWith("update:@bravo:shared_key@alpha ")).toBe(true);
    const key = rsaDecrypt(restored.split(" ")[1] ?? "", bravo.encryptPrivateKey);
    expect(key).toBe(shared.sharedAesKeyBase64);
  });

  it("reads what another shared: by the key in the record, looked up, or cached", async () => {
    const { ciphertextBase64: wrapped } = shared.wrappedForThem;
    const lookup = "lookup:all:phone.demo@alpha";
    const fresh = "lookup:bypassCache:true:shared_key@alpha";
    const cached = "llookup:cached:@bravo:shared_key@alpha";
    const withKey = record("@bravo:phone.demo@alpha", shared.withIv.ciphertextBase64, {
      isEncrypted: true,
      sharedKeyEnc: wrapped,
      pubKeyCS: shared.pubKeyCS.value,
      ivNonce: shared.withIv.ivNonceBase64,
    });
    const legacy = record("@bravo:phone.demo@alpha", shared.legacyZeroIv.ciphertextBase64, {});
    const cases: readonly { records: Readonly<Record<string, string>>; asked: string[] }[] = [
      { records: { [lookup]: withKey }, asked: [lookup] },
      { records: { [lookup]: legacy, [fresh]: `data:${wrapped}` }, asked: [lookup, fresh] },
      {
        records: { [lookup]: legacy, [fresh]: "data:null", [cached]: `data:${wrapped}` },
        asked: [lookup, fresh, cached],
      },
      {
        records: { [lookup]: legacy, [cached]: `data:${wrapped}` },
        asked: [lookup, fresh, cached],
      },
    ];
    for (const { records, asked } of cases) {
      const world = await start(loggedIn(records, "@bravo"));
      const client = await connect(world, { keys: bravo });
      const { value, key, encrypted } = await client.get("phone.demo@alpha");
      expect({ value, key }).toEqual({ value: shared.value, key: "@bravo:phone.demo@alpha" });
      expect(encrypted).toBe(true);
      expect(requests(world)).toEqual(asked);
    }
  });

  it("says what may be wrong when the key doesn't fit", async () => {
    const other = rsaEncrypt(alpha.selfEncryptionKey, bravo.encryptPublicKey);
    const records = {
      "lookup:all:phone.demo@alpha": record(
        "@bravo:phone.demo@alpha",
        shared.legacyZeroIv.ciphertextBase64,
        {},
      ),
      "lookup:bypassCache:true:shared_key@alpha": `data:${other}`,
    };
    const world = await start(loggedIn(records, "@bravo"));
    const client = await connect(world, { keys: bravo });
    await expect(client.get("phone.demo@alpha")).rejects.toMatchObject({
      code: "AT0014",
      message: expect.stringContaining("may have been reset"),
    });
  });

  it("says so when the sender used an older public key", async () => {
    const stale = record("@bravo:phone.demo@alpha", shared.withIv.ciphertextBase64, {
      sharedKeyEnc: shared.wrappedForThem.ciphertextBase64,
      pubKeyCS: publicKeyChecksum("another key"),
    });
    const world = await start(loggedIn({ "lookup:all:phone.demo@alpha": stale }, "@bravo"));
    const client = await connect(world, { keys: bravo });
    await expect(client.get("phone.demo@alpha")).rejects.toMatchObject({
      code: "AT0014",
      message: expect.stringContaining("older public key"),
    });
  });

  it("reads back what I shared with my own copy of the key", async () => {
    const world = await start(
      loggedIn({
        "llookup:all:@bravo:phone.demo@alpha": record(
          "@bravo:phone.demo@alpha",
          shared.withIv.ciphertextBase64,
          { ivNonce: shared.withIv.ivNonceBase64 },
        ),
        [mine]: `data:${shared.wrappedForSelf.ciphertextBase64}`,
      }),
    );
    const client = await connect(world);
    expect((await client.get("@bravo:phone.demo@alpha")).value).toBe(shared.value);
  });
});
