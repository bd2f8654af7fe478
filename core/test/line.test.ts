// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { LineReader } from "./session/wire.ts";

const CASES: [string, string, (string | null)[]][] = [
  ["a greeting alone", "@", []],
  ["a greeting, then a reply", "@data:ok\n", ["data:ok"]],
  ["a prompt after the reply", "data:ok\n@me@", ["data:ok"]],
  ["the prompt before the next reply", "data:a\n@me@data:b\n@me@", ["data:a", "data:b"]],
  [
    "the prompt glued to a notification",
    "data:ok\n@me@notification: {}\n",
    ["data:ok", "notification: {}"],
  ],
  ["several prompts", "@@me@@@me@data:x\n", ["data:x"]],
  ["the directory's CR LF", "@host.example:64\r\n@", ["host.example:64"]],
  ["an unknown name", "@null\r\n@", ["null"]],
  ["a payload of prompts and colons", "data:@me@ : @\n@me@", ["data:@me@ : @"]],
  ["an atSign that begins like ours", "@mell\n@me\n@me@x\n", ["mell", "me", "x"]],
  ["empty lines", "\n\r\n@\n@me@\r\ndata:1\n", ["data:1"]],
  ["a carriage return inside", "data:a\rb\n", ["data:a\rb"]],
  ["beyond ASCII", "data:☕ \u{1f6e0}\n", ["data:☕ \u{1f6e0}"]],
  ["as long as may be", `${"x".repeat(4096)}\n@me@y\n`, ["x".repeat(4096), "y"]],
  ["as long as may be, with CR", `${"x".repeat(4096)}\r\ny\n`, ["x".repeat(4096), "y"]],
  ["one too long", `@me@${"x".repeat(4097)}\n@me@y\n`, [null, "y"]],
  ["far too long", `${"x".repeat(20_000)}\n@me@y\n`, [null, "y"]],
];

for (const factory of engines) {
  describe(`lines on ${factory.name}`, () => {
    for (const [name, text, lines] of CASES) {
      test(`${name}: whole, byte by byte, at every split`, async () => {
        const reader = await LineReader.open(factory);
        const bytes = Buffer.from(text);
        expect(reader.read([bytes])).toEqual(lines);
        expect(reader.read([...bytes].map((b) => Uint8Array.of(b)))).toEqual(lines);
        const step = Math.max(1, Math.floor(bytes.length / 200));
        for (let at = 1; at < bytes.length; at += step) {
          expect(reader.read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(lines);
        }
      });
    }

    test("any lines, cut anywhere, come out as they went in", async () => {
      const reader = await LineReader.open(factory);
      const line = fc
        .string({ minLength: 1, maxLength: 300 })
        .map((s) => `data:${s.replace(/[\r\n]/g, "")}`);
      const stream = fc.tuple(
        fc.array(fc.tuple(line, fc.constantFrom("@", "@me@", "", "@me@@")), { maxLength: 6 }),
        fc.array(fc.nat(2000), { maxLength: 8 }),
      );
      fc.assert(
        fc.property(stream, ([items, cuts]) => {
          const bytes = Buffer.from(items.map(([l, prompt]) => `${l}\n${prompt}`).join(""));
          const at = [
            0,
            ...cuts.filter((c) => c < bytes.length).sort((a, b) => a - b),
            bytes.length,
          ];
          const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          expect(reader.read(pieces)).toEqual(items.map(([l]) => l));
        }),
        { numRuns: 200 },
      );
    });

    test("any bytes at all: it never stops reading", async () => {
      const reader = await LineReader.open(factory);
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 }), (pieces) => {
          reader.read(pieces);
          expect(reader.read([Buffer.from("data:still\n")])).toEqual(["data:still"]);
        }),
        { numRuns: 100 },
      );
    });
  });
}
