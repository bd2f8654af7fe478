// SPDX-License-Identifier: BSD-3-Clause
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { Io, runs, utf8 } from "./engine/io.ts";
import { expectScratchWiped } from "./engine/scratch.ts";
import keyFile from "./vectors/interop/07-atkeys-file.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const NO_ROOM = -5;
const BAD_JSON = -12;
const NOT_FOUND = -32;
const READER = 28;
const DEPTH = 8;

const [END, OBJECT, OBJECT_END, ARRAY, ARRAY_END, KEY, STRING, NUMBER, TRUE, FALSE, NULL] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Values the reader takes: nested less than DEPTH deep. */
const json = fc.jsonValue({ maxDepth: DEPTH - 2, stringUnit: "binary" });

for (const factory of engines) {
  describe(`JSON on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    /** All tokens with their texts, up to the end or the failure. */
    function tokens(x: Uint8Array): (readonly [number, string])[] {
      io.reset();
      const r = io.room(READER);
      expect(engine.call("json_open", r, io.put(x, 1), x.length)).toBe(0);
      const found: (readonly [number, string])[] = [];
      for (let token = 1; token > 0; ) {
        token = engine.call("json_next", r);
        const text = engine.read(engine.call("json_text", r), engine.call("json_text_len", r));
        found.push([token, token > 0 ? Buffer.from(text).toString("utf8") : ""]);
      }
      // Neither an end nor a failure goes away.
      expect(engine.call("json_next", r)).toBe(found.at(-1)?.[0]);
      return found;
    }

    const verdict = (text: string | Uint8Array): number =>
      tokens(typeof text === "string" ? utf8(text) : text).at(-1)?.[0] ?? Number.NaN;

    function unescaped(text: string): string | number {
      io.reset();
      const x = utf8(text);
      const ptr = io.put(x);
      const out = io.room(x.length);
      const len = engine.call("json_unescape", out, x.length, ptr, x.length);
      const beside = len < 0 ? len : Buffer.from(engine.read(out, len)).toString("utf8");
      const again = engine.call("json_unescape", ptr, x.length, ptr, x.length);
      expect(again).toBe(len);
      if (len >= 0) expect(Buffer.from(engine.read(ptr, len)).toString("utf8")).toBe(beside);
      return beside;
    }

    function quote(text: string): string {
      io.reset();
      const x = utf8(text);
      const cap = 6 * x.length + 2;
      const out = io.room(cap);
      const len = engine.call("json_quote", out, cap, io.put(x), x.length);
      return Buffer.from(engine.read(out, len)).toString("utf8");
    }

    /** The value read back from tokens. */
    function parse(x: Uint8Array): Json {
      const list = tokens(x);
      let at = 0;
      const next = () => list[at++] ?? [BAD_JSON, ""];
      const value = ([token, text]: readonly [number, string]): Json => {
        if (token === STRING) return String(unescaped(text));
        if (token === NUMBER) return Number(text);
        if (token === TRUE || token === FALSE) return token === TRUE;
        if (token === NULL) return null;
        if (token === ARRAY) {
          const items: Json[] = [];
          for (let each = next(); each[0] !== ARRAY_END; each = next()) items.push(value(each));
          return items;
        }
        expect(token).toBe(OBJECT);
        const members: [string, Json][] = [];
        for (let each = next(); each[0] !== OBJECT_END; each = next()) {
          expect(each[0]).toBe(KEY);
          members.push([String(unescaped(each[1])), value(next())]);
        }
        return Object.fromEntries(members);
      };
      const result = value(next());
      expect(next()[0]).toBe(END);
      return result;
    }

    it("gives every token with its text", () => {
      const text =
        ' { "a" : [ 1 , -2.5e+3, true,false, null ] , "b\\n":{},"c":"x\\u0041" , "d":[]} ';
      expect(tokens(utf8(text))).toEqual([
        [OBJECT, ""],
        [KEY, "a"],
        [ARRAY, ""],
        [NUMBER, "1"],
        [NUMBER, "-2.5e+3"],
        [TRUE, "true"],
        [FALSE, "false"],
        [NULL, "null"],
        [ARRAY_END, ""],
        [KEY, "b\\n"],
        [OBJECT, ""],
        [OBJECT_END, ""],
        [KEY, "c"],
        [STRING, "x\\u0041"],
        [KEY, "d"],
        [ARRAY, ""],
        [ARRAY_END, ""],
        [OBJECT_END, ""],
        [END, ""],
      ]);
    });

    it("reads whatever JSON.stringify writes", () => {
      fc.assert(
        fc.property(json, fc.constantFrom(0, 1, 2), (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(parse(utf8(text))).toEqual(JSON.parse(text));
        }),
        { numRuns: 2 * runs(engine) },
      );
    });

    it("accepts exactly what JSON.parse accepts", () => {
      const pieces = fc.constantFrom(
        ...'{}[]:,"\\ -+.eE019atfn\n\u0001é',
        '"a"',
        '"a":',
        "true",
        "false",
        "null",
        "1.5",
        "-0",
        "1e5",
        '"\\u00e9"',
        '"\\uD83D\\uDE00"',
      );
      fc.assert(
        fc.property(fc.array(pieces, { maxLength: 7 }), (parts) => {
          const text = parts.join("");
          let good = true;
          try {
            JSON.parse(text);
          } catch (error) {
            if (!(error instanceof SyntaxError)) throw error;
            good = false;
          }
          expect(verdict(text), JSON.stringify(text)).toBe(good ? END : BAD_JSON);
        }),
        { numRuns: 30 * runs(engine) },
      );
    });

    it("refuses every truncation of a document", () => {
      const text = '{"a":["x\\u00e9\\ud83d\\ude00",1.5e-7,true],"b":{"c":null}}';
      expect(verdict(text)).toBe(END);
      for (let len = 0; len < text.length; len++)
        expect(verdict(text.slice(0, len))).toBe(BAD_JSON);
    });

    it("does not look beyond the end it was given", () => {
      for (const [text, len] of [
        ["12", 1],
        ['{"a":1}}', 7],
        ["truefalse", 4],
        ['"a""', 3],
        ["1e5", 1],
      ] as const) {
        io.reset();
        const r = io.room(READER);
        engine.call("json_open", r, io.put(utf8(text)), len);
        let token = engine.call("json_next", r);
        while (token > 0) token = engine.call("json_next", r);
        expect(token, text).toBe(END);
      }
      for (const [text, len] of [
        ["true", 3],
        ['"\\u0041"', 6],
        ['"\\ud83d\\ude00"', 12],
        ["1.5", 2],
        ["-1", 1],
      ] as const) {
        io.reset();
        const r = io.room(READER);
        engine.call("json_open", r, io.put(utf8(text)), len);
        expect(engine.call("json_next", r), text).toBe(BAD_JSON);
      }
    });

    it("refuses malformed texts", () => {
      const bad = [
        ..."{ } [ ] , : \" - + . / x 01 -01 1. .5 1e 1e+ -a 0x1 +1 NaN Infinity nul trues 'a'".split(
          " ",
        ),
        ...'{"a"} {"a":} {"a":1,} {,} {1:2} {"a":1:2} {"a":1"b":2} [1,] [,] [1"a"] [1:2] [} {] [1}'.split(
          " ",
        ),
        ...'{}{} []1 "a"1 "a\\x" "a\\" "\\u12" "\\u12g4" "\\u-123" "\\ud83d" "\\ude00"'.split(" "),
        '"\\ud83d\\u0041"',
        '"\\ud83dx"',
        '"\\ud83d\\ud83d"',
        "1 2",
        "",
        " ",
        '"a\nb"',
        '"a\u0000"',
        '"tab\t"',
        "\ufeff1",
        "\u00a01",
      ];
      for (const text of bad) {
        expect(verdict(text), JSON.stringify(text)).toBe(BAD_JSON);
      }
    });

    it(`reads ${DEPTH} levels and no more`, () => {
      for (const [open, close] of [
        ["[", "]"],
        ['{"a":', "}"],
      ] as const) {
        const nested = (n: number) => `${open.repeat(n)}1${close.repeat(n)}`;
        expect(verdict(nested(DEPTH))).toBe(END);
        expect(verdict(nested(DEPTH + 1))).toBe(BAD_JSON);
      }
      expect(verdict(`[${"[[[[[[[1]]]]]]],".repeat(5)}1]`)).toBe(END);
    });

    it("undoes every escape", () => {
      expect(unescaped('\\"\\\\\\/\\b\\f\\n\\r\\t')).toBe('"\\/\b\f\n\r\t');
      expect(unescaped("\\u0000\\u001F\\u007f\\u0080\\u07ff\\u0800\\uFFFF")).toBe(
        "\u0000\u001f\u007f\u0080\u07ff\u0800\uffff",
      );
      expect(unescaped("\\ud800\\udc00 \\uDBFF\\uDFFF \\uD83D\\uDEE0")).toBe(
        "\u{10000} \u{10ffff} 🛠",
      );
      expect(unescaped("café 🛠")).toBe("café 🛠");
    });

    it("refuses escapes that mean nothing", () => {
      for (const text of [
        "\\",
        "\\x41",
        "\\U0041",
        "\\u",
        "\\u004",
        "\\u00g1",
        "\\ud800",
        "\\ud800\\ud800",
        "\\ud800\\u",
        "\\udc00",
        'a"b',
        "a\u001fb",
      ]) {
        expect(unescaped(text), JSON.stringify(text)).toBe(BAD_JSON);
      }
    });

    it("knows when the text does not fit", () => {
      const x = utf8("ab\\u20ac");
      const ptr = io.put(x);
      const out = io.put(new Uint8Array(8).fill(0xee));
      expect(engine.call("json_unescape", out, 4, ptr, x.length)).toBe(NO_ROOM);
      expect(engine.read(out + 4, 1)[0]).toBe(0xee);
      expect(engine.call("json_unescape", out, 5, ptr, x.length)).toBe(5);
      const raw = io.put(utf8('a"\u0001'));
      const quoted = io.put(new Uint8Array(16).fill(0xee));
      for (let cap = 0; cap < 11; cap++) {
        expect(engine.call("json_quote", quoted, cap, raw, 3), `cap ${cap}`).toBe(NO_ROOM);
        expect(engine.read(quoted + cap, 1)[0]).toBe(0xee);
      }
      expect(engine.call("json_quote", quoted, 11, raw, 3)).toBe(11);
    });

    it("writes strings that any reader gives back", () => {
      fc.assert(
        fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
          const quoted = quote(text);
          expect(JSON.parse(quoted)).toBe(text);
          expect(unescaped(quoted.slice(1, -1))).toBe(text);
        }),
        { numRuns: 2 * runs(engine) },
      );
      expect(quote('a/"\\\b\f\n\r\t\u0000\u001fé🛠')).toBe(
        '"a/\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001fé🛠"',
      );
    });

    describe("members", () => {
      function member(text: string, ...names: string[]): readonly [number, string] {
        io.reset();
        const r = io.room(READER);
        const x = utf8(text);
        const args = [r, io.put(x), x.length];
        for (const name of names) args.push(io.put(utf8(name)), utf8(name).length);
        const token = engine.call(names.length === 2 ? "json_member_in" : "json_member", ...args);
        if (token < 0) return [token, ""];
        const found = engine.read(engine.call("json_text", r), engine.call("json_text_len", r));
        return [token, Buffer.from(found).toString("utf8")];
      }

      const text =
        '{"x":{"id":"no","deep":{"id":"no"}},"list":[{"id":1},[]],"id":"yes","id":"later","":0,"key":{"id":7}}';

      it("are found at the first level", () => {
        expect(member(text, "id")).toEqual([STRING, "yes"]);
        expect(member(text, "")).toEqual([NUMBER, "0"]);
        expect(member(text, "list")).toEqual([ARRAY, ""]);
        expect(member(text, "i")).toEqual([NOT_FOUND, ""]);
        expect(member(text, "idx")).toEqual([NOT_FOUND, ""]);
        expect(member("{}", "id")).toEqual([NOT_FOUND, ""]);
      });

      it("are found at the second level", () => {
        expect(member(text, "x", "id")).toEqual([STRING, "no"]);
        expect(member(text, "key", "id")).toEqual([NUMBER, "7"]);
        expect(member(text, "key", "none")).toEqual([NOT_FOUND, ""]);
        expect(member(text, "none", "id")).toEqual([NOT_FOUND, ""]);
        expect(member(text, "id", "id")).toEqual([NOT_FOUND, ""]);
        expect(member(text, "list", "id")).toEqual([NOT_FOUND, ""]);
      });

      it("are found by what their escaped name means", () => {
        expect(member('{"\\u0069\\u0064":1}', "id")).toEqual([NUMBER, "1"]);
        expect(member('{"caf\\u00e9":1}', "café")).toEqual([NUMBER, "1"]);
        expect(member('{"\\u0000":1}', "\u0000")).toEqual([NUMBER, "1"]);
        expect(member('{"\\u0000":1}', "")).toEqual([NOT_FOUND, ""]);
        expect(member('{"\\\\id":1}', "id")).toEqual([NOT_FOUND, ""]);
      });

      it("need an object, whole up to them", () => {
        expect(member("[]", "id")).toEqual([BAD_JSON, ""]);
        expect(member('"id"', "id")).toEqual([BAD_JSON, ""]);
        expect(member("", "id")).toEqual([BAD_JSON, ""]);
        expect(member('{"a":[1,2,"id":3}', "id")).toEqual([BAD_JSON, ""]);
        expect(member('{"a":[[[[[[[[1]]]]]]]],"id":3}', "id")).toEqual([BAD_JSON, ""]);
        expect(member('{"id":}', "id")).toEqual([BAD_JSON, ""]);
      });

      it("of an .atKeys file are found", () => {
        const file = JSON.stringify(keyFile.minimalLegacyFile.content);
        for (const [name, value] of Object.entries(keyFile.minimalLegacyFile.content)) {
          expect(member(file, name)).toEqual([STRING, value]);
        }
      });
    });

    it("survives bytes of any kind", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (x) => {
          expect([END, BAD_JSON]).toContain(verdict(x));
        }),
        { numRuns: 5 * runs(engine) },
      );
      expectScratchWiped(engine);
    });

    it("refuses ranges outside the I/O area", () => {
      const end = io.base + io.length;
      expect(engine.call("json_open", end - 27, io.base, 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("json_open", io.base, end, 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("json_next", io.base - 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("json_unescape", io.base, 1, end, 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("json_quote", end, 1, io.base, 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("json_member", io.base, io.base, 1, end, 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("json_member_in", io.base, io.base, 1, io.base, 1, end, 1)).toBe(
        BAD_ARGUMENT,
      );
    });
  });
}
