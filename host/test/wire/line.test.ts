// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeCommand } from "../../wire/command.ts";
import { LineReader } from "../../wire/line.ts";

const utf8 = new TextEncoder();

describe("lines", () => {
  it("comes out the same however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""))),
        fc.array(fc.nat({ max: 200 })),
        (texts, cuts) => {
          const bytes = utf8.encode(texts.map((text) => `${text}\n`).join(""));
          const reader = new LineReader(10_000);
          const lines: (string | null)[] = [];
          let start = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
            const end = Math.max(start, Math.min(cut, bytes.length));
            lines.push(...reader.push(bytes.subarray(start, end)));
            start = end;
          }
          expect(lines).toEqual(texts);
          expect(reader.pending).toBe(0);
        },
      ),
    );
  });

  it("loses nothing of any bytes, and never holds more than a line may have", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 })),
        fc.integer({ min: 1, max: 80 }),
        (chunks, limit) => {
          const reader = new LineReader(limit);
          const found: (string | null)[] = [];
          for (const chunk of chunks) {
            found.push(...reader.push(chunk));
            expect(reader.pending).toBeLessThanOrEqual(limit);
          }
          const whole = Buffer.concat(chunks).toString("latin1").split("\n");
          const open = whole.pop() ?? "";
          const tooLong = whole.findIndex((line) => line.length + 1 > limit);
          expect(reader.overflowed).toBe(tooLong >= 0 || open.length > limit);
          const complete = tooLong < 0 ? whole : whole.slice(0, tooLong);
          expect(found).toEqual(
            complete.map((line) => {
              const bytes = Buffer.from(line, "latin1");
              const text = bytes.toString("utf8");
              return Buffer.from(text, "utf8").equals(bytes) ? text : null;
            }),
          );
        },
      ),
    );
  });

  it("takes a line of the limit and no byte more", () => {
    const fits = new LineReader(5);
    expect(fits.push(utf8.encode("1234\n5678\n"))).toEqual(["1234", "5678"]);
    expect(fits.overflowed).toBe(false);
    const reader = new LineReader(5);
    expect(reader.push(utf8.encode("1\n12345\n2\n"))).toEqual(["1"]);
    expect(reader.overflowed).toBe(true);
    expect(reader.push(utf8.encode("3\n"))).toEqual([]);
    const open = new LineReader(5);
    expect(open.push(utf8.encode("12345"))).toEqual([]);
    expect(open.overflowed).toBe(false);
    open.push(utf8.encode("6"));
    expect(open.overflowed).toBe(true);
  });

  it("marks a line that is not UTF-8 and goes on", () => {
    const reader = new LineReader(100);
    expect(reader.push(Uint8Array.of(0xff, 0xfe, 0x0a, 0x61, 0x0a, 0xc3, 0x0a))).toEqual([
      null,
      "a",
      null,
    ]);
  });

  it("takes no more than twice the bytes of a line, however small its pieces are", () => {
    const reader = new LineReader(1_000_000);
    const piece = Uint8Array.of(0x78);
    for (let length = 1; length <= 20_000; length++) {
      if (reader.push(piece).length > 0) throw new Error("a line without its end");
      if (reader.allocated > 2 * length) throw new Error(`${reader.allocated} for ${length}`);
    }
    expect(reader.push(Uint8Array.of(0x0a))).toEqual(["x".repeat(20_000)]);
    expect(reader.allocated).toBe(0);
  });

  it("asks what a long line may have, by its first bytes, before it takes more", () => {
    const asked: string[] = [];
    const reader = new LineReader(5, (start) => {
      asked.push(Buffer.from(start).toString());
      return start[0] === 0x6c ? 100 : 5;
    });
    expect(reader.push(utf8.encode("l2345\n"))).toEqual(["l2345"]);
    expect(reader.push(utf8.encode("l2"))).toEqual([]);
    expect(reader.push(utf8.encode(`34${"5".repeat(90)}`))).toEqual([]);
    expect(reader.push(utf8.encode("\n"))).toEqual([`l234${"5".repeat(90)}`]);
    const [first, second, third] = asked;
    expect(first).toBe("l2345\n");
    expect(second).toBe(`l234${"5".repeat(60)}`);
    expect(third).toBe(second);
    expect(reader.overflowed).toBe(false);
    reader.push(utf8.encode("x2345\n"));
    expect(reader.overflowed).toBe(true);
  });

  it("waits until it can be said what a line may have, and loses nothing meanwhile", () => {
    let limit: number | undefined;
    const reader = new LineReader(5, () => limit);
    expect(reader.push(utf8.encode("1\n234"))).toEqual(["1"]);
    expect(reader.push(utf8.encode("5678\n9\n"))).toEqual([]);
    expect(reader.stalled).toBe(true);
    expect(reader.push(utf8.encode("10\n"))).toEqual([]);
    expect(reader.again()).toEqual([]);
    limit = 100;
    expect(reader.again()).toEqual(["2345678", "9", "10"]);
    expect(reader.stalled).toBe(false);
  });

  it("gives the lines before a long one first, although they came with it", () => {
    const reader = new LineReader(5, () => 100);
    expect(reader.push(utf8.encode("1\n2\n345678\n9\n"))).toEqual(["1", "2"]);
    expect(reader.stalled).toBe(true);
    expect(reader.again()).toEqual(["345678", "9"]);
  });

  it("keeps a byte order mark", () => {
    expect(new LineReader(10).push(Uint8Array.of(0xef, 0xbb, 0xbf, 0x0a))).toEqual(["\ufeff"]);
  });
});

describe("commands", () => {
  it.each([
    ["SCAN", "scan"],
    ["scan WAVI", "scan wavi"],
    ["MONITOR", "monitor"],
    ["UPDATE:Public:X@a V", "update:Public:X@a V"],
    ["l lookup:x@a", "llookup:x@a"],
    ["  info:brief\r", "info:brief"],
    ["", ""],
    ["scan foo:Bar", "scan foo:Bar"],
    ["MONITOR a:B", "monitor a:B"],
    ["monitor:strict:5 A:b", "monitor:strict:5 A:b"],
  ])("normalises %j to %j", (line, command) => {
    expect(normalizeCommand(line)).toBe(command);
  });
});
