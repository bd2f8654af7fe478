// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { aesDecryptText, ZERO_IV } from "../../crypto/aesCtr.ts";
import { generateP256KeyPair, p256Verify } from "../../crypto/p256.ts";
import { rsaVerify } from "../../crypto/rsa.ts";
import { parseMetadataFragment } from "../../wire/metadata.ts";
import { readVectors } from "../crypto/vectors.ts";
import { connect, record, requests, start } from "./connected.ts";
import { alpha } from "./identities.ts";
import { challenge, loggedIn } from "./scriptedServer.ts";

describe("the login", () => {
  it("signs the challenge with the enrollment's RSA key", async () => {
    const world = await start(loggedIn({}));
    await connect(world);
    const [from, pkam] = world.server.lines;
    expect(from).toBe("from:@alpha");
    const head = `pkam:signingAlgo:rsa2048:hashingAlgo:sha256:enrollmentId:${alpha.enrollmentId}:`;
    expect(pkam?.startsWith(head)).toBe(true);
    const signature = pkam?.slice(head.length) ?? "";
    expect(rsaVerify(challenge("@alpha"), signature, alpha.pkamPublicKey)).toBe(true);
  });

  it("signs with P-256 when the key is one", async () => {
    const pair = generateP256KeyPair();
    const { enrollmentId: _, ...legacy } = alpha;
    const keys = { ...legacy, pkamPublicKey: pair.publicKey, pkamPrivateKey: pair.privateKey };
    const world = await start(loggedIn({}));
    await connect(world, { keys });
    const head = "pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:";
    const signature = world.server.lines[1]?.slice(head.length) ?? "";
    expect(p256Verify(challenge("@alpha"), signature, pair.publicKey)).toBe(true);
  });

  it("rejects with the atServer's code and leaves no connection", async () => {
    const world = await start((line) =>
      line.startsWith("from:")
        ? `data:${challenge("@alpha")}\n@`
        : "error:AT0401-Exception: pkam authentication failed\n@",
    );
    await expect(connect(world)).rejects.toMatchObject({ code: "AT0401" });
    expect(world.server.connections).toHaveLength(1);
  });
});

describe("records", () => {
  type Vector = { atKey: string; value: string; wire: string };
  const vectors = readVectors<{
    self: Vector & { ciphertextLegacyZeroIv: string };
    public: Vector;
    publicWithNewline: Vector & { dataSignature: string; encodedValue: string };
  }>("09-self-and-public");

  it("of one's own are encrypted with the self key and a fresh IV", async () => {
    const world = await start(loggedIn(() => "data:7\n@alpha@"));
    const client = await connect(world);
    expect(await client.put("note.demo@alpha", vectors.self.value, { ttl: 1000 })).toBe(7);
    await client.put("note.demo@alpha", vectors.self.value, { ttl: 1000 });
    const nonces = requests(world).map((line) => {
      const match = /^update(.*):note\.demo@alpha (\S+)$/.exec(line);
      const { ttl, isEncrypted, ivNonce = "" } = parseMetadataFragment(match?.[1] ?? "");
      expect({ ttl, isEncrypted }).toEqual({ ttl: 1000, isEncrypted: true });
      const plain = aesDecryptText(match?.[2] ?? "", alpha.selfEncryptionKey, ivNonce ?? "");
      expect(plain).toBe(vectors.self.value);
      return ivNonce;
    });
    expect(new Set([...nonces, ZERO_IV]).size).toBe(3);
  });

  it("of one's own have the zero IV where peers need it", async () => {
    const world = await start(loggedIn(() => "data:7\n@alpha@"));
    const client = await connect(world, { legacyIv: true });
    await client.put("note.demo@alpha", vectors.self.value);
    expect(requests(world)).toEqual([
      `update:isBinary:false:isEncrypted:true:encoding:null:ivNonce:null:note.demo@alpha ${vectors.self.ciphertextLegacyZeroIv}`,
    ]);
  });

  it("that are public are the vectors', signed and in clear", async () => {
    const world = await start(loggedIn(() => "data:7\n@alpha@"));
    const client = await connect(world);
    await client.put(vectors.public.atKey, vectors.public.value);
    await client.put("public:lines.demo@alpha", vectors.publicWithNewline.value);
    const { dataSignature, encodedValue } = vectors.publicWithNewline;
    expect(requests(world)).toEqual([
      // What a vector's writer leaves out is said, so that nothing stays of the value before.
      vectors.public.wire
        .trimEnd()
        .replace(
          ":isEncrypted:false:public",
          ":isBinary:false:isEncrypted:false:encoding:null:public",
        ),
      `update:dataSignature:${dataSignature}:isBinary:false:isEncrypted:false:encoding:base64:public:lines.demo@alpha ${encodedValue}`,
    ]);
  });

  it("are read back: self with and without IV, public with its signature", async () => {
    const { self, publicWithNewline } = vectors;
    const ciphertext = readVectors<{ self: { ivNonceBase64: string; ciphertextBase64: string } }>(
      "09-self-and-public",
    ).self;
    const signed = { dataSignature: publicWithNewline.dataSignature, encoding: "base64" };
    const world = await start(
      loggedIn({
        "llookup:all:note.demo@alpha": record("note.demo@alpha", ciphertext.ciphertextBase64, {
          isEncrypted: true,
          ivNonce: ciphertext.ivNonceBase64,
        }),
        "llookup:all:old.demo@alpha": record("old.demo@alpha", self.ciphertextLegacyZeroIv, {
          ivNonce: null,
        }),
        "plookup:all:name.demo@bravo": record(
          "public:name.demo@bravo",
          publicWithNewline.encodedValue,
          signed,
        ),
        "plookup:publickey@bravo": `data:${alpha.encryptPublicKey}`,
        "plookup:all:forged.demo@bravo": record("public:forged.demo@bravo", "x", signed),
      }),
    );
    const client = await connect(world);
    expect((await client.get("note.demo@alpha")).value).toBe(self.value);
    expect((await client.get("old.demo@alpha")).value).toBe(self.value);
    const name = await client.get("public:name.demo@bravo", { verify: true });
    expect(name.value).toBe(publicWithNewline.value);
    await expect(client.get("public:forged.demo@bravo", { verify: true })).rejects.toThrow(
      "public:forged.demo@bravo is not signed by @bravo",
    );
  });

  it("hold bytes as Base2e15 text", async () => {
    const world = await start(loggedIn(() => "data:7\n@alpha@"));
    const client = await connect(world);
    const bytes = Uint8Array.from([0, 255, 7]);
    await client.put("public:raw.demo@alpha", bytes);
    const [line = ""] = requests(world);
    expect(line).toContain(":isBinary:true:isEncrypted:false:encoding:null:public:raw.demo@alpha ");
    const text = line.slice(line.indexOf(" ") + 1);
    world.server.script = loggedIn(
      () => `${record("public:raw.demo@alpha", text, { isBinary: true })}\n@alpha@`,
    );
    expect((await client.get("public:raw.demo@alpha")).value).toEqual(bytes);
  });

  it("that are absent, expired or not mine are refused with a code", async () => {
    const world = await start(loggedIn({ "llookup:all:gone.demo@alpha": "data:null" }));
    const client = await connect(world);
    await expect(client.get("none.demo@alpha")).rejects.toMatchObject({ code: "AT0015" });
    await expect(client.get("gone.demo@alpha")).rejects.toMatchObject({ code: "AT0015" });
    await expect(client.put("x.demo@bravo", "x")).rejects.toMatchObject({ code: "AT0009" });
    await expect(client.put("no key at all", "x")).rejects.toMatchObject({ code: "AT0016" });
  });
});

describe("the other verbs", () => {
  it("write the lines of the protocol", async () => {
    const world = await start(
      loggedIn({
        "scan:showhidden:true:@bravo \\.demo@": 'data:["@alpha:x.demo@bravo","bad key"]',
        scan: 'data:["public:a.demo@alpha","@bravo:b.c.demo@alpha"]',
        "delete:@bravo:phone.demo@alpha": "data:12",
        "otp:get:ttl:60000": "data:AB12CD",
        "otp:put:ABC1234": "data:ok",
        "notify:status:1": "data:delivered",
        "notify:status:2": "data:null",
        'enroll:deny:{"enrollmentId":"1"}': 'data:{"status":"denied","enrollmentId":"1"}',
        'enroll:list:{"enrollmentStatusFilter":["pending"]}':
          'data:{"9.new.enrollments.__manage@alpha":{"appName":"a","deviceName":"d","namespace":{"demo":"rw"},"status":"pending"}}',
      }),
    );
    const client = await connect(world);
    const options = { regex: "\\.demo@", atSign: "bravo", showHidden: true };
    expect(await client.scan(options)).toEqual(["@alpha:x.demo@bravo", "bad key"]);
    expect(await client.getAtKeys({ sharedWith: "@bravo" })).toEqual([
      { cached: false, sharedWith: "@bravo", entity: "b.c", namespace: "demo", owner: "@alpha" },
    ]);
    expect(await client.delete("@bravo:phone.demo@alpha")).toBe(12);
    expect(await client.otpGet(60_000)).toBe("AB12CD");
    expect(await client.otpPut("ABC1234")).toMatch(/7 characters can be guessed; use 10 or more/);
    expect(await client.notifyStatus("1")).toBe("delivered");
    expect(await client.notifyStatus("2")).toBeUndefined();
    await client.deny("1");
    expect(await client.enrollments(["pending"])).toEqual([
      {
        id: "9",
        appName: "a",
        deviceName: "d",
        namespaces: { demo: "rw" },
        status: "pending",
      },
    ]);
  });

  it("announce a deletion without a value, and need a recipient", async () => {
    const world = await start(loggedIn(() => "data:id-1\n@alpha@"));
    const client = await connect(world);
    const options = { id: "5", ttln: 1000 };
    expect(await client.notify("@bravo:x.demo@alpha", undefined, options)).toBe("id-1");
    expect(requests(world)).toEqual([
      "notify:id:5:delete:messageType:key:ttln:1000:@bravo:x.demo@alpha",
    ]);
    await expect(client.notify("x.demo@alpha", "v")).rejects.toMatchObject({ code: "AT0016" });
  });
});

describe("the connection", () => {
  it("is made again for the next request after it broke; the one under way is rejected", async () => {
    let broken = false;
    const world = await start(
      loggedIn((line) => {
        if (line !== "llookup:all:x.demo@alpha" || broken) return "data:3\n@alpha@";
        broken = true;
        return "hang up";
      }),
    );
    const client = await connect(world);
    await expect(client.get("x.demo@alpha")).rejects.toMatchObject({ code: "AT0021" });
    expect(await client.delete("x.demo@alpha")).toBe(3);
    expect(world.server.connections).toHaveLength(2);
    expect(world.server.connections[1]?.lines[0]).toBe("from:@alpha");
  });

  it("is closed by a reply that doesn't come in time", async () => {
    const world = await start(loggedIn(() => "silence"));
    const client = await connect(world, { timeoutMillis: 50 });
    await expect(client.delete("x.demo@alpha")).rejects.toMatchObject({
      code: "AT0023",
      message: expect.stringContaining("the reply to delete"),
    });
  });

  it("is closed by what is no reply, and refuses line ends in a command", async () => {
    const world = await start(loggedIn(() => "nonsense\n"));
    const client = await connect(world);
    await expect(client.delete("x.demo@alpha")).rejects.toMatchObject({ code: "AT0021" });
    await expect(client.scan({ regex: "a\nb" })).rejects.toMatchObject({ code: "AT0022" });
  });

  it("is given up when the client closes, and not made again", async () => {
    const world = await start(loggedIn(() => "silence"));
    const client = await connect(world);
    const asked = world.server.next(/^delete:/);
    const pending = client.delete("x.demo@alpha");
    pending.catch(() => undefined);
    await asked;
    await client.close();
    await expect(pending).rejects.toMatchObject({ code: "AT0021" });
    await expect(client.delete("x.demo@alpha")).rejects.toThrow("the client is closed");
    expect(() => client.monitor({ onNotification: () => undefined })).toThrow("is closed");
    expect(world.server.connections).toHaveLength(1);
  });
});
