// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isNestedDeeper,
  JsonError,
  jsonBytes,
  jsonLimits,
  MAX_JSON_DEPTH,
  parseJson,
} from "../../wire/json.ts";

const limits = { characters: 1_000, depth: 4, members: 8 };

function faultOf(text: string, within = limits): string {
  try {
    parseJson(text, within);
  } catch (error) {
    if (error instanceof JsonError) return error.fault;
    throw error;
  }
  return "none";
}

/** Levels and elements by recursion over the parsed value. */
function sizeOf(value: unknown): { depth: number; members: number } {
  if (typeof value !== "object" || value === null) return { depth: 0, members: 0 };
  const inner = Object.values(value).map(sizeOf);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    members: inner.reduce((sum, { members }) => sum + members, Math.max(1, inner.length)),
  };
}

describe("JSON of others", () => {
  it.each([
    ["null", "none"],
    [' {"a":[1,{"b":[]}]} ', "none"],
    ["[[[[]]]]", "none"],
    ["[[[[[]]]]]", "deep"],
    ["[[[[[", "deep"],
    ['{"a":{"a":{"a":{"a":{}}}}}', "deep"],
    ["[1,2,3,4,5,6,7,8]", "none"],
    ["[1,2,3,4,5,6,7,8,9]", "many"],
    ["[[],[],[],[]]", "none"],
    ["[[],[],[],[],[]]", "many"],
    [`"${"x".repeat(998)}"`, "none"],
    [`"${"x".repeat(999)}"`, "long"],
    ['"[[[[[[,,,,,,,,,,,,"', "none"],
    ['"\\"[[[[[["', "none"],
    ['"\\\\"', "none"],
    ['["\\\\",[[["\\\\\\"[[["]]]]', "none"],
    ['["\\\\",[[[[1]]]]]', "deep"],
    ['"', "malformed"],
    ['"\\"', "malformed"],
    ["", "malformed"],
    ["]]]][[[[", "malformed"],
    ["{'a':1}", "malformed"],
    ["[1] [2]", "malformed"],
  ])("judges %j: %s", (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it("gives what JSON.parse gives, and refuses by exactly the levels and elements there are", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, space) => {
        const text = JSON.stringify(value, null, space);
        const { depth, members } = sizeOf(value);
        const exact = { characters: text.length, depth, members };
        expect(parseJson(text, exact)).toEqual(JSON.parse(text));
        expect(faultOf(text, { ...exact, characters: text.length - 1 })).toBe("long");
        if (depth > 0) expect(faultOf(text, { ...exact, depth: depth - 1 })).toBe("deep");
        if (members > 0) expect(faultOf(text, { ...exact, members: members - 1 })).not.toBe("none");
        expect(isNestedDeeper(value, depth)).toBe(false);
        if (depth > 0) expect(isNestedDeeper(value, depth - 1)).toBe(true);
      }),
    );
  });

  it("takes any text without another error than its own", () => {
    const unit = fc.constantFrom("[", "]", "{", "}", '"', "\\", ",", ":", "1", "a", " ", "\n");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        const judged = faultOf(text, jsonLimits.command);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(judged === "none").toBe(valid && !isNestedDeeper(JSON.parse(text), MAX_JSON_DEPTH));
      }),
      { numRuns: 2_000 },
    );
  });

  it("goes once through a text, whatever its escapes", () => {
    // Each of these would take minutes if a quote made it look back or ahead over the whole of the text.
    const half = jsonLimits.command.characters / 2 - 8;
    for (const text of ['"', '\\"', "\\\\", "[", '[""', '"",'].map((part) =>
      part.repeat(half / part.length),
    )) {
      expect(faultOf(`["${text}`, jsonLimits.command)).not.toBe("none");
    }
  });

  it("says what is wrong and quotes nothing", () => {
    const said = (text: string): string => {
      try {
        parseJson(text, limits);
      } catch (error) {
        if (error instanceof Error) return `${error.message}${String(error.cause ?? "")}`;
      }
      throw new Error("it was taken");
    };
    expect(said('{"secret')).toBe("is not JSON");
    expect(said("secret")).toBe("is not JSON");
    expect(said("[[[[[")).toBe("is nested deeper than 4 levels");
    expect(said("[,,,,,,,,")).toBe("has more than 8 elements");
    expect(said(" ".repeat(1_001))).toBe("is longer than 1000 characters");
  });
});

describe("the bytes of a text as a JSON string", () => {
  it("are what it is written with", () => {
    const written = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(jsonBytes(text)).toBe(written(text));
      }),
    );
    for (let code = 0; code < 0x100; code++) {
      const text = String.fromCharCode(code);
      expect([code, jsonBytes(text)]).toEqual([code, written(text)]);
    }
  });
});
