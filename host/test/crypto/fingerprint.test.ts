// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fingerprintText, pinOf } from "../../crypto/fingerprint.ts";

interface Vector {
  readonly spkiBase64: string;
  readonly sha256: string;
  readonly text: string;
}

const file = new URL("../../../core/test/vectors/interop/16-authenticity.json", import.meta.url);
const { fingerprints } = JSON.parse(readFileSync(file, "utf8")) as {
  fingerprints: Record<string, Vector>;
};

describe("a fingerprint", () => {
  it.each(Object.entries(fingerprints))("of %s's key is the vector's", (atSign, vector) => {
    const pin = pinOf(atSign, vector.spkiBase64);
    expect(pin.toString("hex")).toBe(vector.sha256);
    expect(fingerprintText(pin)).toBe(vector.text);
  });

  it("is of the atSign too", () => {
    const [[atSign = "", vector]] = Object.entries(fingerprints) as [[string, Vector]];
    expect(pinOf(atSign, vector.spkiBase64)).not.toEqual(pinOf("@other", vector.spkiBase64));
  });

  it.each([
    ["longer", (spki: Buffer) => Buffer.concat([spki, Buffer.of(0)])],
    [
      "with another exponent",
      (spki: Buffer) => Buffer.concat([spki.subarray(0, -1), Buffer.of(3)]),
    ],
    [
      "of another algorithm",
      (spki: Buffer) => Buffer.from(spki.map((byte, i) => (i === 15 ? 10 : byte))),
    ],
    ["nothing", () => Buffer.alloc(0)],
  ])("isn't made of a key that is %s", (_, change) => {
    const vector = Object.values(fingerprints)[0] as Vector;
    const key = change(Buffer.from(vector.spkiBase64, "base64")).toString("base64");
    expect(() => pinOf("@alpha", key)).toThrow(/RSA-2048/);
  });
});
