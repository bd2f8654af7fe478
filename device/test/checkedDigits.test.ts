// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import vectors from "../../core/test/vectors/interop/16-authenticity.json" with { type: "json" };
import { groupedDigits, readCheckedDigits } from "../js/checkedDigits.ts";
import { fingerprintOf } from "../js/fingerprint.ts";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
// AT-AUTH-1, sections 2 and 9.
const TEXTS = ["5m63-60tn-mf51-ccq0-rv4g", "g0v0-nggt-tegj-dp8c-7n4k"];

it.each(TEXTS)("reads %s as people write it", (text) => {
  const digits = text.replaceAll("-", "");
  expect(readCheckedDigits(text)).toBe(digits);
  expect(readCheckedDigits(` ${text.toUpperCase().replaceAll("-", " ")}\n`)).toBe(digits);
  expect(readCheckedDigits(text.replaceAll("0", "O").replaceAll("1", "l"))).toBe(digits);
  expect(groupedDigits(digits)).toBe(text);
});

it.each(TEXTS)("finds every single wrong digit in %s", (text) => {
  const digits = text.replaceAll("-", "");
  for (let i = 0; i < digits.length; i++) {
    for (const wrong of DIGITS) {
      const typed = digits.slice(0, i) + wrong + digits.slice(i + 1);
      expect(readCheckedDigits(typed)).toBe(wrong === digits[i] ? digits : null);
    }
  }
});

it.each(TEXTS)("finds every exchange of neighbours in %s", (text) => {
  const digits = text.replaceAll("-", "");
  for (let i = 1; i < digits.length; i++) {
    const [a = "", b = ""] = [digits[i - 1], digits[i]];
    const typed = digits.slice(0, i - 1) + b + a + digits.slice(i + 1);
    expect(readCheckedDigits(typed)).toBe(a === b ? digits : null);
  }
});

it.each(["", "5m63-60tn-mf51-ccq0-rv4", "5m63-60tn-mf51-ccq0-rv4g0", "um63-60tn-mf51-ccq0-rv4g"])(
  "refuses %j",
  (text) => expect(readCheckedDigits(text)).toBeNull(),
);

it.each(["@alpha", "@bravo"] as const)("makes the fingerprint of %s's key", (atSign) => {
  const { spkiBase64, text } = vectors.fingerprints[atSign];
  expect(fingerprintOf(atSign, spkiBase64)).toBe(text);
});
