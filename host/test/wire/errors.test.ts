// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { AtError, errorTable, formatError, parseError, quoted } from "../../wire/errors.ts";

const plain = { json: false, owner: false };
const owner = { json: false, owner: true };

describe("error replies", () => {
  it("knows the codes of the protocol and which hang up", () => {
    expect(Object.keys(errorTable)).toHaveLength(29);
    const closing = Object.entries(errorTable).flatMap(([code, { closes }]) =>
      closes ? [code] : [],
    );
    expect(closing).toEqual(["AT0002", "AT0005", "AT0012", "AT0013", "AT0024"]);
  });

  it.each([
    [
      "AT0015",
      "k@a does not exist in keystore",
      plain,
      "error:AT0015-Exception: k@a does not exist in keystore",
    ],
    [
      "AT0015",
      "k@a does not exist in keystore",
      owner,
      "error:AT0015-key not found : k@a does not exist in keystore",
    ],
    ["AT0002", "broken", plain, "error:AT0002-broken"],
    ["AT0004", "refused", plain, "error:AT0004-SocketException: refused"],
    ["AT0004", "refused", owner, "error:AT0004-Socket error : SocketException: refused"],
    ["AT0003", "two\nlines", plain, "error:AT0003-Exception: two lines"],
    [
      "AT0401",
      "no",
      { json: true, owner: false },
      'error:{"errorCode":"AT0401","errorDescription":"Exception: no"}',
    ],
  ] as const)("formats %s %s for %o", (code, message, style, text) => {
    expect(formatError(new AtError(code, message), style)).toBe(text);
  });

  it("never writes an error by value as JSON", () => {
    const error = new AtError("AT0028", "enrollment_id: x is expired or invalid", {
      byValue: true,
    });
    expect(formatError(error, { json: true, owner: true })).toBe(
      "error:AT0028:enrollment_id: x is expired or invalid",
    );
  });

  it.each([
    [
      "error:AT0015-key not found : k@a does not exist",
      "AT0015",
      "key not found : k@a does not exist",
      false,
    ],
    ["AT0015-key not found : x", "AT0015", "key not found : x", false],
    ['error:{"errorCode":"AT0009","errorDescription":"no-no"}', "AT0009", "no-no", false],
    ["error:AT0026:enrollment_id: x is pending", "AT0026", "enrollment_id: x is pending", true],
    ["error:AT9999-new", "AT0011", "AT9999: new", false],
    ["error:nothing known", "AT0011", "nothing known", false],
    ['error:{"broken', "AT0011", '{"broken', false],
    ["error:{}", "AT0011", "{}", false],
  ])("reads %s", (text, code, message, byValue) => {
    expect(parseError(text)).toMatchObject({ code, message, byValue });
  });

  it("quotes the beginning of what somebody sent, in whole characters", () => {
    expect(quoted("a".repeat(100))).toBe("a".repeat(100));
    expect(quoted("a".repeat(101))).toBe(`${"a".repeat(100)}…`);
    expect(quoted(`${"a".repeat(99)}🦄`)).toBe(`${"a".repeat(99)}…`);
    expect(quoted("")).toBe("");
  });

  it("says no more than a thousand characters, whoever they are from", () => {
    for (const byValue of [false, true]) {
      const error = new AtError("AT0015", "x".repeat(1_000_000), { byValue });
      for (const style of [plain, owner, { json: true, owner: true }]) {
        const text = formatError(error, style);
        expect(text).toContain(`${"x".repeat(1_000)}…`);
        expect(text.length).toBeLessThan(1_100);
      }
    }
  });

  it("keeps the cause", () => {
    const cause = new Error("below");
    expect(new AtError("AT0002", "above", { cause }).cause).toBe(cause);
    expect(new AtError("AT0011", "x").closes).toBe(false);
    expect(new AtError("AT0011", "x", { closes: true }).closes).toBe(true);
  });
});
