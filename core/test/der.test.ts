// SPDX-License-Identifier: BSD-3-Clause
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, runs, toHex } from "./engine/io.ts";
import { expectForgotten } from "./engine/scratch.ts";
import vectors from "./vectors/der.json" with { type: "json" };
import identities from "./vectors/interop/00-identities.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const NO_ROOM = -5;
const BAD_DER = -13;
const BAD_RSA_KEY = -17;
const RSA_PUBLIC = 260;
const RSA_PRIVATE = 1156;

type Reader =
  | "der_read_spki"
  | "der_read_pkcs1_public"
  | "der_read_rsa_public"
  | "der_read_pkcs8"
  | "der_read_pkcs1_private"
  | "der_read_p256_spki"
  | "der_read_p256_pkcs8"
  | "der_read_sec1";

const SIZES: Readonly<Record<Reader, number>> = {
  der_read_spki: RSA_PUBLIC,
  der_read_pkcs1_public: RSA_PUBLIC,
  der_read_rsa_public: RSA_PUBLIC,
  der_read_pkcs8: RSA_PRIVATE,
  der_read_pkcs1_private: RSA_PRIVATE,
  der_read_p256_spki: 65,
  der_read_p256_pkcs8: 32,
  der_read_sec1: 32,
};

const fromBase64 = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

/** A DER value from its tag and content, written from X.690 for the negatives. */
function der(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >>> 8, body.length & 255];
  return Uint8Array.from([tag, ...length, ...body]);
}

const integer = (hex: string) => der(2, fromHex(hex));
const RSA_ALGORITHM = fromHex("300d06092a864886f70d0101010500");
const MODULUS = `00c${"5".repeat(510)}1`;

/** A SubjectPublicKeyInfo around two INTEGERs. */
const spki = (n: Uint8Array, e: Uint8Array) =>
  der(0x30, RSA_ALGORITHM, der(3, Uint8Array.of(0), der(0x30, n, e)));

/** The fields of rsaKey.ts from node's view of the key. */
function privateFields(pkcs8: Uint8Array): string {
  const jwk = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }).export({
    format: "jwk",
  });
  const field = (value: string | undefined, len: number) =>
    Buffer.from(value ?? "", "base64url")
      .toString("hex")
      .padStart(2 * len, "0");
  const { n, e, p, q, dp, dq, qi, d } = jwk;
  return [
    field(n, 256),
    field(e, 4),
    ...[p, q, dp, dq, qi].map((part) => field(part, 128)),
    field(d, 256),
  ].join("");
}

for (const factory of engines) {
  describe(`DER on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    /** What the reader filled in, in hexadecimal; or its status, and then the key has to be zeros. */
    function read(reader: Reader, bytes: Uint8Array): string | number {
      io.reset();
      const size = SIZES[reader];
      const key = io.put(new Uint8Array(size + 8).fill(0xee));
      const status = engine.call(reader, key, io.put(bytes, 1), bytes.length);
      expect(hexAt(engine, key + size, 8)).toBe("ee".repeat(8));
      const found = hexAt(engine, key, size);
      if (status === 0) return found;
      expect(found, `${reader} after ${status}`).toBe("00".repeat(size));
      return status;
    }

    /** What the writer made, in hexadecimal; with one byte less of room it has to refuse. */
    function write(writer: string, key: Uint8Array): string {
      io.reset();
      const out = io.put(new Uint8Array(1300).fill(0xee));
      const ptr = io.put(key);
      const len = engine.call(writer, out, 1300, ptr);
      const text = hexAt(engine, out, len);
      expect(hexAt(engine, out + len, 4)).toBe("eeeeeeee");
      engine.write(out, new Uint8Array(1300).fill(0xee));
      expect(engine.call(writer, out, len - 1, ptr)).toBe(NO_ROOM);
      expect(hexAt(engine, out, len)).toBe("ee".repeat(len));
      expect(engine.call(writer, out, len, ptr)).toBe(len);
      return text;
    }

    const pairs = (["@alpha", "@bravo"] as const).flatMap((name) => [
      { name: `${name} pkam`, ...identities[name].pkam },
      { name: `${name} encryption`, ...identities[name].encryption },
    ]);

    for (const pair of pairs) {
      it(`reads and writes all four forms of ${pair.name}`, () => {
        const publicSpki = fromBase64(pair.publicKeySpkiBase64);
        const publicPkcs1 = fromBase64(pair.publicKeyPkcs1Base64);
        const pkcs8 = fromBase64(pair.privateKeyPkcs8Base64);
        const pkcs1 = fromBase64(pair.privateKeyPkcs1Base64);
        const fields = privateFields(pkcs8);
        const publicFields = fields.slice(0, 2 * RSA_PUBLIC);
        expect(read("der_read_spki", publicSpki)).toBe(publicFields);
        expect(read("der_read_pkcs1_public", publicPkcs1)).toBe(publicFields);
        expect(read("der_read_rsa_public", publicSpki)).toBe(publicFields);
        expect(read("der_read_rsa_public", publicPkcs1)).toBe(publicFields);
        expect(read("der_read_pkcs8", pkcs8)).toBe(fields);
        expect(read("der_read_pkcs1_private", pkcs1)).toBe(fields);
        expect(write("der_write_spki", fromHex(publicFields))).toBe(toHex(publicSpki));
        expect(write("der_write_pkcs1_public", fromHex(publicFields))).toBe(toHex(publicPkcs1));
        expect(write("der_write_pkcs8", fromHex(fields))).toBe(toHex(pkcs8));
        expect(write("der_write_pkcs1_private", fromHex(fields))).toBe(toHex(pkcs1));
      });
    }

    it("has a key among them whose private exponent is short", () => {
      const alpha = privateFields(fromBase64(identities["@alpha"].pkam.privateKeyPkcs8Base64));
      expect(alpha.slice(2 * 900, 2 * 901)).toBe("00");
    });

    it("reads the RSA keys of Wycheproof", () => {
      for (const key of vectors.rsaPublic) {
        expect(read("der_read_spki", fromHex(key.spki))).toBe(
          key.n.slice(-512) + key.e.padStart(8, "0"),
        );
        expect(read("der_read_rsa_public", fromHex(key.pkcs1))).toBe(
          read("der_read_spki", fromHex(key.spki)),
        );
      }
      for (const pkcs8 of vectors.rsaPrivate) {
        expect(read("der_read_pkcs8", fromHex(pkcs8))).toBe(privateFields(fromHex(pkcs8)));
      }
    });

    it("refuses every truncation and anything appended", () => {
      const { pkam } = identities["@alpha"];
      const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const keys: readonly [Reader, Uint8Array][] = [
        ["der_read_spki", fromBase64(pkam.publicKeySpkiBase64)],
        ["der_read_rsa_public", fromBase64(pkam.publicKeyPkcs1Base64)],
        ["der_read_pkcs8", fromBase64(pkam.privateKeyPkcs8Base64)],
        ["der_read_pkcs1_private", fromBase64(pkam.privateKeyPkcs1Base64)],
        ["der_read_p256_spki", ec.publicKey.export({ format: "der", type: "spki" })],
        ["der_read_p256_pkcs8", ec.privateKey.export({ format: "der", type: "pkcs8" })],
        ["der_read_sec1", ec.privateKey.export({ format: "der", type: "sec1" })],
      ];
      for (const [reader, key] of keys) {
        expect(typeof read(reader, key)).toBe("string");
        for (let len = 0; len < key.length; len++) {
          expect(read(reader, key.subarray(0, len)), `${reader}, ${len} bytes`).toBe(BAD_DER);
        }
        expect(read(reader, Uint8Array.of(...key, 0))).toBe(BAD_DER);
      }
    });

    it("never accepts two encodings of one key", () => {
      const { pkam } = identities["@bravo"];
      const good = fromBase64(pkam.privateKeyPkcs8Base64);
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: good.length - 1 }),
          fc.integer({ min: 1, max: 255 }),
          (at, change) => {
            const bad = Uint8Array.from(good);
            bad[at] = (bad[at] ?? 0) ^ change;
            const found = read("der_read_pkcs8", bad);
            if (typeof found === "string")
              expect(write("der_write_pkcs8", fromHex(found))).toBe(toHex(bad));
            else expect([BAD_DER, BAD_RSA_KEY]).toContain(found);
          },
        ),
        { numRuns: 10 * runs(engine) },
      );
    });

    it("survives bytes of any kind", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (x) => {
          for (const reader of Object.keys(SIZES) as Reader[]) {
            expect(read(reader, x)).toBe(BAD_DER);
          }
        }),
        { numRuns: runs(engine) },
      );
    });

    it("refuses what DER does not allow", () => {
      const n = integer(MODULUS);
      const e = integer("010001");
      expect(typeof read("der_read_spki", spki(n, e))).toBe("string");
      const long = Uint8Array.of(0x02, 0x81, 0x03, 1, 0, 1);
      const cases: Readonly<Record<string, Uint8Array>> = {
        "length in a longer form than needed": spki(n, long),
        "indefinite length": Uint8Array.of(0x30, 0x80, ...spki(n, e).subarray(4), 0, 0),
        "length of length 3": Uint8Array.of(0x30, 0x83, 0, ...spki(n, e).subarray(2)),
        "two length bytes for one": der(0x30, Uint8Array.of(0x02, 0x82, 0x00, 0x03, 1, 0, 1), n),
        "INTEGER with a needless zero": spki(n, integer("00010001")),
        "negative INTEGER": spki(n, integer("ff0001")),
        "negative modulus": spki(integer(MODULUS.slice(2)), e),
        "empty INTEGER": spki(n, integer("")),
        "third INTEGER": der(0x30, RSA_ALGORITHM, der(3, Uint8Array.of(0), der(0x30, n, e, e))),
        "bytes after the key in the BIT STRING": der(
          0x30,
          RSA_ALGORITHM,
          der(3, Uint8Array.of(0), der(0x30, n, e), Uint8Array.of(0)),
        ),
        "unused bits": der(0x30, RSA_ALGORITHM, der(3, Uint8Array.of(1), der(0x30, n, e))),
        "no parameters": der(
          0x30,
          fromHex("300b06092a864886f70d010101"),
          der(3, Uint8Array.of(0), der(0x30, n, e)),
        ),
        "another algorithm": der(
          0x30,
          fromHex("300d06092a864886f70d01010a0500"),
          der(3, Uint8Array.of(0), der(0x30, n, e)),
        ),
        "SET for SEQUENCE": der(
          0x31,
          ...[RSA_ALGORITHM, der(3, Uint8Array.of(0), der(0x30, n, e))],
        ),
      };
      for (const [name, bytes] of Object.entries(cases)) {
        expect(read("der_read_spki", bytes), name).toBe(BAD_DER);
        expect(read("der_read_rsa_public", bytes), name).toBe(BAD_DER);
      }
    });

    it("refuses RSA keys other than RSA-2048", () => {
      const e = integer("010001");
      const cases: Readonly<Record<string, Uint8Array>> = {
        "2047 bits": spki(integer(`7${MODULUS.slice(3)}`), e),
        "2040 bits": spki(integer(`00c${MODULUS.slice(5)}`), e),
        "2056 bits": spki(integer(`${MODULUS}ff`), e),
        "even modulus": spki(integer(`${MODULUS.slice(0, -1)}2`), e),
        "exponent 1": spki(integer(MODULUS), integer("01")),
        "exponent 0": spki(integer(MODULUS), integer("00")),
        "even exponent": spki(integer(MODULUS), integer("010000")),
        "exponent of 33 bits": spki(integer(MODULUS), integer("0100000001")),
      };
      for (const [name, bytes] of Object.entries(cases)) {
        expect(read("der_read_spki", bytes), name).toBe(BAD_RSA_KEY);
      }
      expect(typeof read("der_read_spki", spki(integer(MODULUS), integer("00ffffffff")))).toBe(
        "string",
      );
      for (const modulusLength of [1024, 3072]) {
        const key = generateKeyPairSync("rsa", { modulusLength });
        const pkcs8 = key.privateKey.export({ format: "der", type: "pkcs8" });
        const pub = key.publicKey.export({ format: "der", type: "spki" });
        expect(read("der_read_pkcs8", pkcs8)).toBe(BAD_RSA_KEY);
        expect(read("der_read_spki", pub)).toBe(BAD_RSA_KEY);
      }
    });

    it("takes one kind of key for no other", () => {
      const { pkam } = identities["@alpha"];
      const pub = fromBase64(pkam.publicKeySpkiBase64);
      const priv = fromBase64(pkam.privateKeyPkcs8Base64);
      const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const other = generateKeyPairSync("ec", { namedCurve: "P-384" });
      const ecPublic = ec.publicKey.export({ format: "der", type: "spki" });
      const ecPrivate = ec.privateKey.export({ format: "der", type: "pkcs8" });
      expect(read("der_read_p256_spki", pub)).toBe(BAD_DER);
      expect(read("der_read_p256_pkcs8", priv)).toBe(BAD_DER);
      expect(read("der_read_spki", ecPublic)).toBe(BAD_DER);
      expect(read("der_read_rsa_public", ecPublic)).toBe(BAD_DER);
      expect(read("der_read_pkcs8", ecPrivate)).toBe(BAD_DER);
      expect(read("der_read_pkcs1_public", pub)).toBe(BAD_DER);
      expect(read("der_read_pkcs1_private", priv)).toBe(BAD_DER);
      expect(read("der_read_pkcs8", fromBase64(pkam.privateKeyPkcs1Base64))).toBe(BAD_DER);
      expect(
        read("der_read_p256_spki", other.publicKey.export({ format: "der", type: "spki" })),
      ).toBe(BAD_DER);
      expect(
        read("der_read_p256_pkcs8", other.privateKey.export({ format: "der", type: "pkcs8" })),
      ).toBe(BAD_DER);
    });

    it("reads and writes P-256 keys as node makes them", () => {
      for (let i = 0; i < 20; i++) {
        const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        const jwk = privateKey.export({ format: "jwk" });
        const hex = (text: string | undefined) =>
          Buffer.from(text ?? "", "base64url").toString("hex");
        const point = `04${hex(jwk.x)}${hex(jwk.y)}`;
        const info = publicKey.export({ format: "der", type: "spki" });
        expect(read("der_read_p256_spki", info)).toBe(point);
        expect(write("der_write_p256_spki", fromHex(point))).toBe(toHex(info));
        const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
        expect(read("der_read_p256_pkcs8", pkcs8)).toBe(hex(jwk.d));
        const sec1 = privateKey.export({ format: "der", type: "sec1" });
        expect(read("der_read_sec1", sec1)).toBe(hex(jwk.d));
      }
    });

    it("reads a SEC 1 key without its optional parts and refuses a wrong curve", () => {
      const d = randomBytes(32);
      const version = Uint8Array.of(2, 1, 1);
      const curve = der(0xa0, fromHex("06082a8648ce3d030107"));
      const point = der(0xa1, der(3, Uint8Array.of(0, 4), randomBytes(64)));
      const scalar = der(4, d);
      for (const parts of [[], [curve], [point], [curve, point]]) {
        expect(read("der_read_sec1", der(0x30, version, scalar, ...parts))).toBe(d.toString("hex"));
      }
      for (const parts of [
        [point, curve],
        [curve, curve],
        [der(0xa0, fromHex("06052b81040022"))],
        [der(0xa1, der(3, Uint8Array.of(0, 2), randomBytes(32)))],
        [der(5)],
      ]) {
        expect(read("der_read_sec1", der(0x30, version, scalar, ...parts))).toBe(BAD_DER);
      }
      expect(read("der_read_sec1", der(0x30, version, der(4, d.subarray(1))))).toBe(BAD_DER);
      expect(read("der_read_sec1", der(0x30, Uint8Array.of(2, 1, 0), scalar))).toBe(BAD_DER);
    });

    it("reads the public keys of Wycheproof that are DER of an uncompressed P-256 point", () => {
      // Whether a point is on the curve is not the encoding's matter, and "acceptable" keys carry explicit parameters.
      const encodingFaults = ["InvalidAsn", "UnnamedCurve", "CompressedPoint", "WrongCurve"];
      let accepted = 0;
      let refused = 0;
      for (const { tcId, flags, result, public: hex } of vectors.p256Spki) {
        const found = read("der_read_p256_spki", fromHex(hex));
        if (flags.some((flag) => encodingFaults.includes(flag))) {
          expect(found, `tcId ${tcId}`).toBe(BAD_DER);
          refused++;
        } else if (result === "valid") {
          expect(found, `tcId ${tcId}`).toBe(hex.slice(-130));
          expect(
            createPublicKey({ key: Buffer.from(hex, "hex"), format: "der", type: "spki" }).type,
          ).toBe("public");
          accepted++;
        }
      }
      expect([accepted, refused]).toEqual([11, 60]);
    });

    it("leaves nothing of a private key behind", () => {
      const pkcs8 = fromBase64(identities["@bravo"].pkam.privateKeyPkcs8Base64);
      const fields = fromHex(privateFields(pkcs8));
      expect(read("der_read_pkcs8", pkcs8)).toBe(toHex(fields));
      expectForgotten(engine, fields.subarray(260), pkcs8.subarray(-600));
      expect(write("der_write_pkcs8", fields)).toBe(toHex(pkcs8));
      expectForgotten(engine, fields.subarray(260), pkcs8.subarray(-600));
    });

    it("refuses ranges outside the I/O area", () => {
      const end = io.base + io.length;
      for (const [reader, size] of Object.entries(SIZES)) {
        expect(engine.call(reader, end - size + 1, io.base, 4), reader).toBe(BAD_ARGUMENT);
        expect(engine.call(reader, io.base, end - 3, 4), reader).toBe(BAD_ARGUMENT);
      }
      for (const [writer, size] of [
        ["der_write_spki", RSA_PUBLIC],
        ["der_write_pkcs1_public", RSA_PUBLIC],
        ["der_write_pkcs8", RSA_PRIVATE],
        ["der_write_pkcs1_private", RSA_PRIVATE],
        ["der_write_p256_spki", 65],
      ] as const) {
        expect(engine.call(writer, end - 1299, 1300, io.base), writer).toBe(BAD_ARGUMENT);
        expect(engine.call(writer, io.base, 1300, end - size + 1), writer).toBe(BAD_ARGUMENT);
      }
    });
  });
}
