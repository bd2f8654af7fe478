// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Reply, ResponseReader } from "../../wire/response.ts";

type Seen = string | { code: string; message: string };

function see(reply: Reply): Seen {
  if (reply.kind !== "error") return `${reply.kind}:${reply.text}`;
  return { code: reply.error.code, message: reply.error.message };
}

function read(chunks: readonly Uint8Array[]): Seen[] {
  const reader = new ResponseReader();
  return chunks.flatMap((chunk) => reader.push(chunk)).map(see);
}

const notFound = "key not found : note.demo@alice does not exist in keystore";
const cases: readonly (readonly [name: string, stream: string, expected: readonly Seen[]])[] = [
  ["a greeting alone", "@", []],
  ["a reply after the greeting", "@data:ok\n@", ["data:ok"]],
  ["a login", "@data:_a@alice:b\n@data:success\n@alice@", ["data:_a@alice:b", "data:success"]],
  ["a reply without a prompt", "data:1\ndata:2\n", ["data:1", "data:2"]],
  ["an empty value", "@alice@data:\n", ["data:"]],
  ["CR LF", "@data:ok\r\n@", ["data:ok"]],
  ["blank lines and prompts alone", "@\n\r\n@alice@\ndata:1\n", ["data:1"]],
  [
    "a value with prompts, colons and error words in it",
    "@alice@data:@bob@ error:AT0015-x data:y : @\n@alice@",
    ["data:@bob@ error:AT0015-x data:y : @"],
  ],
  ["UTF-8 of all lengths", "@data:é☕🛠\n@", ["data:é☕🛠"]],
  ["a prompt with an emoji", "@data:1\n@alice🛠@data:2\n", ["data:1", "data:2"]],
  [
    "an error with a hyphen",
    `@alice@error:AT0015-${notFound}\n@alice@`,
    [{ code: "AT0015", message: notFound }],
  ],
  [
    "an error with a colon",
    "@error:AT0026:enrollment_id: 1 is pending\n@",
    [{ code: "AT0026", message: "enrollment_id: 1 is pending" }],
  ],
  [
    "an error in JSON",
    '@error:{"errorCode":"AT0401","errorDescription":"no"}\n@',
    [{ code: "AT0401", message: "no" }],
  ],
  [
    "a notification, with and without the space",
    '@alice@notification: {"id":"1"}\nnotification:{"id":"2"}\n',
    ['notification:{"id":"1"}', 'notification:{"id":"2"}'],
  ],
  [
    "a notification glued to the prompt of a heartbeat",
    '@alice@data:ok\n@alice@notification: {"id":"1"}\n@alice@data:ok\n@alice@',
    ["data:ok", 'notification:{"id":"1"}', "data:ok"],
  ],
  ["what is no reply", "@hello\n", ["unknown:@hello"]],
  ["a prompt with a space", "@al ice@data:1\n", ["unknown:@al ice@data:1"]],
];

describe("the reader of replies", () => {
  describe.each(cases)("reads %s", (_, stream, expected) => {
    const bytes = Buffer.from(stream);

    it("whole", () => {
      expect(read([bytes])).toEqual(expected);
    });

    it("byte by byte", () => {
      expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
    });

    it("at every split", () => {
      for (let at = 1; at < bytes.length; at++) {
        expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
      }
    });
  });

  it("gives what was sent, whatever the values and the chunks", () => {
    const value = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n]/g, ""));
    const chunked = fc.array(fc.nat(40), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(value), chunked, (values, sizes) => {
        const stream = Buffer.from(`@${values.map((text) => `data:${text}\n@alice@`).join("")}`);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        chunks.push(stream.subarray(at));
        expect(read(chunks)).toEqual(values.map((text) => `data:${text}`));
      }),
    );
  });

  it("knows a server that greets from one that doesn't", () => {
    const silent = new ResponseReader();
    expect(silent.greeted).toBeUndefined();
    silent.push(Buffer.from("@"));
    expect(silent.greeted).toBe(true);
    const other = new ResponseReader();
    other.push(Buffer.from("HTTP/1.1 400 Bad Request\r\n"));
    expect(other.greeted).toBe(false);
  });

  it("says when a line isn't UTF-8, and stops at its limit", () => {
    const reader = new ResponseReader(16);
    expect(reader.push(Uint8Array.of(0x40, 0xff, 0x0a)).map(see)).toEqual([
      "unknown:a line that is not UTF-8",
    ]);
    expect(reader.push(Buffer.from("data:0123456789\n")).map(see)).toEqual(["data:0123456789"]);
    expect(reader.overflowed).toBe(false);
    expect(reader.push(Buffer.from("data:01234567890\n"))).toEqual([]);
    expect(reader.overflowed).toBe(true);
  });
});
