// SPDX-License-Identifier: BSD-3-Clause
// Numbers, flat JSON and keys of at.h, compiled with sanitizers, against this machine's own.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TESTED } from "../compilerFlags.mjs";

const source = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const RUNS = 2_000;
/** Kinds and errors of json.h. */
const KIND = { null: 0, boolean: 1, number: 2, text: 3 } as const;
const ERROR = {
  syntax: -1,
  nested: -2,
  missing: -3,
  otherKind: -4,
  range: -5,
  noRoom: -6,
} as const;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-maker-"));
  execFileSync(process.env.CC ?? "cc", [
    ...[...TESTED, "-I", source(".")],
    ...["test/makerHarness.c", "json.c", "decimal.c", "text.c", "atKey.c", "peer.c"].map(source),
    ...["-o", join(folder, "harness")],
  ]);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

const hex = (bytes: Uint8Array | string) => {
  const text = Buffer.from(bytes as string).toString("hex");
  return text === "" ? "-" : text;
};
const unhex = (text = "-") => Buffer.from(text === "-" ? "" : text, "hex").toString("utf8");

/** The harness' answers to questions, in one run. */
function ask(questions: readonly string[]): string[] {
  const input = `${questions.join("\n")}\n`;
  const text = execFileSync(join(folder, "harness"), {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const answers = text.split("\n").slice(0, -1);
  expect(answers).toHaveLength(questions.length);
  return answers;
}

const one = (question: string) => ask([question])[0] ?? "";

/** Many cases of a property, asked in one run of the harness. */
function sampled<T>(arbitrary: fc.Arbitrary<T>): T[] {
  return fc.sample(arbitrary, {
    numRuns: RUNS,
    ...(process.env.ATMICRO_SEED && { seed: Number(process.env.ATMICRO_SEED) }),
  });
}

const text = fc.string({ unit: "binary", maxLength: 12 });
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const flat = fc.dictionary(text, scalar, { maxKeys: 6 });

/** What JSON.parse makes of it, when it is a flat object in UTF-8. */
function parsedFlat(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    );
    if (typeof json !== "object" || json === null || Array.isArray(json)) return null;
    const values = Object.values(json);
    // Half a surrogate pair is text to JavaScript and not to Unicode.
    const words = [...Object.keys(json), ...values].filter((value) => typeof value === "string");
    if (words.some((word) => /\p{Surrogate}/u.test(word))) return null;
    return values.some((value) => typeof value === "object" && value !== null)
      ? null
      : (json as Record<string, unknown>);
  } catch {
    return null;
  }
}

describe("decimal numbers", () => {
  it.each([
    [264, 1, "26.4"],
    [-5, 1, "-0.5"],
    [0, 0, "0"],
    [0, 3, "0.000"],
    [7, 9, "0.000000007"],
    [2_147_483_647, 9, "2.147483647"],
    [-2_147_483_648, 9, "-2.147483648"],
    [-2_147_483_648, 0, "-2147483648"],
    [5, 99, "0.000000005"],
  ])("writes %d with %d places as %s", (value, places, expected) => {
    expect(one(`fixed ${value} ${places}`)).toBe(expected);
  });

  it.each([
    ["26.4", 1, "0 264"],
    ["26.44", 1, "0 264"],
    ["26.45", 1, "0 265"],
    ["-26.45", 1, "0 -265"],
    ["-0.04", 1, "0 0"],
    ["7", 3, "0 7000"],
    ["2147483647", 0, "0 2147483647"],
    ["-2147483648", 0, "0 -2147483648"],
    ["2147483648", 0, "-2 12345"],
    ["2147483647.5", 0, "-2 12345"],
    ["-2147483648.4", 0, "0 -2147483648"],
    ["99999999999999999999", 0, "-2 12345"],
    ["3000000", 3, "-2 12345"],
    ["", 0, "-1 12345"],
    ["-", 0, "-1 12345"],
    ["1.", 1, "-1 12345"],
    [".5", 1, "-1 12345"],
    ["+1", 1, "-1 12345"],
    ["1e3", 0, "-1 12345"],
    ["1 ", 0, "-1 12345"],
    ["0x10", 0, "-1 12345"],
  ])("reads %j with %d places", (text, places, expected) => {
    expect(one(`read ${places} ${hex(text)}`)).toBe(expected);
  });

  it("reads back every number it writes", () => {
    const cases = sampled(fc.tuple(fc.integer(), fc.nat({ max: 9 })));
    const written = ask(cases.map(([value, places]) => `fixed ${value} ${places}`));
    const read = ask(cases.map(([, places], i) => `read ${places} ${hex(written[i] ?? "")}`));
    expect(read).toEqual(cases.map(([value]) => `0 ${value}`));
    expect(written.map(Number)).toEqual(
      cases.map(([value, places]) => Number(`${value}e-${places}`)),
    );
  });

  it("rounds a half away from zero", () => {
    const cases = sampled(fc.tuple(fc.integer(), fc.integer({ min: 1 })));
    const expected = cases.map(([value, unit]) => {
      const [x, y] = [BigInt(Math.abs(value)), BigInt(unit)];
      return String(
        (2n * x + y) / (2n * y) === 0n ? 0 : BigInt(Math.sign(value)) * ((2n * x + y) / (2n * y)),
      );
    });
    expect(ask(cases.map(([value, unit]) => `round ${value} ${unit}`))).toEqual(expected);
  });
});

describe("flat JSON that is read", () => {
  it.each([
    ["{}", 0],
    [' \t\r\n{ "a" : 1 , "b":"x" } \n', 0],
    ['{"a":-0.5e+10,"b":true,"c":false,"d":null,"":0}', 0],
    ['{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83c\\udf31"}', 0],
    ["", ERROR.syntax],
    ["5", ERROR.syntax],
    ["[1]", ERROR.syntax],
    ["null", ERROR.syntax],
    ["\ufeff{}", ERROR.syntax],
    ["{", ERROR.syntax],
    ["{}x", ERROR.syntax],
    ['{"a":1,}', ERROR.syntax],
    ['{"a" 1}', ERROR.syntax],
    ["{a:1}", ERROR.syntax],
    ['{"a":01}', ERROR.syntax],
    ['{"a":1.}', ERROR.syntax],
    ['{"a":.5}', ERROR.syntax],
    ['{"a":+1}', ERROR.syntax],
    ['{"a":1e}', ERROR.syntax],
    ['{"a":tru}', ERROR.syntax],
    ['{"a":truer}', ERROR.syntax],
    ['{"a":"', ERROR.syntax],
    ['{"a":"\n"}', ERROR.syntax],
    ['{"a":"\\x41"}', ERROR.syntax],
    ['{"a":"\\u12g4"}', ERROR.syntax],
    ['{"a":"\\ud83c"}', ERROR.syntax],
    ['{"a":"\\ud83c\\u0041"}', ERROR.syntax],
    ['{"a":"\\udf31\\ud83c"}', ERROR.syntax],
    ['{"a":{}}', ERROR.nested],
    ['{"a":[]}', ERROR.nested],
  ])("%j is judged", (object, expected) => {
    expect(one(`check ${hex(object)}`)).toBe(String(expected));
  });

  it("does not follow nesting, however deep", () => {
    expect(one(`check ${hex(`{"a":${"[".repeat(20_000)}`)}`)).toBe(String(ERROR.nested));
  });

  it.each([
    ["a continuation alone", [0x80]],
    ["two bytes for one", [0xc0, 0xaf]],
    ["three bytes for two", [0xe0, 0x9f, 0xbf]],
    ["four bytes for three", [0xf0, 0x8f, 0xbf, 0xbf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["cut off", [0xe2, 0x82]],
    ["Latin-1", [0xe9]],
  ])("text that is not UTF-8 is refused: %s", (_, bytes) => {
    const object = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(one(`check ${hex(object)}`)).toBe(String(ERROR.syntax));
  });

  it("agrees with JSON.parse about anything, and about pieces of JSON in any order", () => {
    const pieces = [
      "{",
      "}",
      '"',
      ":",
      ",",
      '"a"',
      "1",
      "-",
      "0",
      ".5",
      "e3",
      "null",
      "true",
      "\\",
      "\\u0061",
      "[",
      " ",
      "é",
    ];
    const soup = fc
      .array(fc.constantFrom(...pieces), { maxLength: 12 })
      .map((parts) => Buffer.from(`{${parts.join("")}}`));
    const broken = fc.tuple(flat, fc.nat(), fc.nat({ max: 255 })).map(([object, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(object));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    const anything = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    const cases = [soup, broken, anything].flatMap((arbitrary) => sampled(arbitrary));
    const answers = ask(cases.map((bytes) => `check ${hex(bytes)}`));
    const wrong = cases.filter((bytes, i) => (answers[i] === "0") !== (parsedFlat(bytes) !== null));
    expect(wrong.map(String)).toEqual([]);
  });

  it("finds every member as JSON.parse does", () => {
    const objects = sampled(flat.filter((object) => Object.keys(object).length > 0));
    const questions = objects.flatMap((object) => {
      const written = hex(JSON.stringify(object));
      return Object.keys(object)
        .filter((name) => !name.includes("\0"))
        .map((name) => ({ value: object[name], question: `find ${hex(name)} ${written}` }));
    });
    const answers = ask(questions.map(({ question }) => question));
    answers.forEach((answer, i) => {
      const [kind, raw] = answer.split(" ");
      const { value } = questions[i] ?? {};
      const wanted = value === null ? "null" : typeof value === "string" ? "text" : typeof value;
      expect(Number(kind)).toBe(KIND[wanted as keyof typeof KIND]);
      expect(JSON.parse(unhex(raw))).toEqual(value === 0 ? expect.any(Number) : value);
    });
  });

  it.each([
    ['{"ms":200}', "0 200"],
    ['{"ms":-0}', "0 0"],
    ['{"ms":2147483647}', "0 2147483647"],
    ['{"ms":1,"ms":2}', "0 2"],
    ['{"\\u006ds":3}', "0 3"],
    ['{"ms":2147483648}', `${ERROR.range} 12345`],
    ['{"ms":200.0}', `${ERROR.otherKind} 12345`],
    ['{"ms":2e2}', `${ERROR.otherKind} 12345`],
    ['{"ms":"200"}', `${ERROR.otherKind} 12345`],
    ['{"ms":null}', `${ERROR.otherKind} 12345`],
    ['{"m":1,"mss":2}', `${ERROR.missing} 12345`],
    ['{"x":"ms","y":1}', `${ERROR.missing} 12345`],
    ['{"ms":1', `${ERROR.missing} 12345`],
    ['{"ms":1,"a":[]}', `${ERROR.missing} 12345`],
  ])("%s has this whole number", (object, expected) => {
    expect(one(`integer ${hex("ms")} ${hex(object)}`)).toBe(expected);
  });

  it.each([
    ['{"t":26.45}', "0 265"],
    ['{"t":-3}', "0 -30"],
    ['{"t":1e3}', `${ERROR.otherKind} 12345`],
    ['{"t":300000000.5}', `${ERROR.range} 12345`],
  ])("%s has this number of tenths", (object, expected) => {
    expect(one(`decimal ${hex("t")} 1 ${hex(object)}`)).toBe(expected);
  });

  it("knows true, false, and what is neither", () => {
    const question = (object: string) => `boolean ${hex("on")} ${hex(object)}`;
    expect(ask(['{"on":true}', '{"on":false}', '{"on":1}', "{}"].map(question))).toEqual([
      "0 1",
      "0 0",
      `${ERROR.otherKind} 12345`,
      `${ERROR.missing} 12345`,
    ]);
  });

  it("gives every text, its escapes resolved, or says that it has no room", () => {
    const texts = sampled(text);
    const object = (value: string) => JSON.stringify({ a: value });
    const escaped = (value: string) =>
      `{"a":"${[...value].map((x) => [...Array(x.length).keys()].map((i) => `\\u${x.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")).join("")}"}`;
    for (const form of [object, escaped]) {
      const answers = ask(texts.map((value) => `text ${hex("a")} 64 ${hex(form(value))}`));
      expect(answers).toEqual(
        texts.map((value) =>
          value.includes("\0") ? `${ERROR.range} -` : `${Buffer.byteLength(value)} ${hex(value)}`,
        ),
      );
    }
    const long = '{"a":"h\u00e9llo"}';
    expect(one(`text ${hex("a")} 7 ${hex(long)}`)).toBe(`6 ${hex("h\u00e9llo")}`);
    expect(one(`text ${hex("a")} 6 ${hex(long)}`)).toBe(`${ERROR.noRoom} -`);
    expect(one(`text ${hex("a")} 1 ${hex('{"a":""}')}`)).toBe("0 -");
    expect(one(`text ${hex("a")} 64 ${hex('{"a":5}')}`)).toBe(`${ERROR.otherKind} -`);
  });

  it("compares a text with a word, however it is escaped", () => {
    const is = (object: string) => one(`is ${hex("set")} ${hex("interval")} ${hex(object)}`);
    expect(is('{"set":"interval"}')).toBe("1");
    expect(is('{"set":"\\u0069nterval"}')).toBe("1");
    expect(is('{"set":"interva"}')).toBe("0");
    expect(is('{"set":"intervals"}')).toBe("0");
    expect(is('{"set":1}')).toBe("0");
  });
});

describe("flat JSON that is written", () => {
  it("is what JSON.stringify writes, for texts, whole numbers, booleans and null", () => {
    const member = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
    const objects = sampled(
      fc.dictionary(
        fc
          .string({ unit: "binary", minLength: 1, maxLength: 8 })
          .filter((name) => !name.includes("\0") && name !== "__proto__"),
        member,
        { maxKeys: 6 },
      ),
    ).filter((object) => Object.keys(object).length > 0);
    const part = ([name, value]: [string, unknown]) => {
      if (value === null) return `n:${hex(name)}`;
      if (typeof value === "string") return `t:${hex(name)}:${hex(value)}`;
      return typeof value === "boolean"
        ? `b:${hex(name)}:${Number(value)}`
        : `i:${hex(name)}:${value}`;
    };
    const answers = ask(
      objects.map((object) => `write 2048 ${Object.entries(object).map(part).join(" ")}`),
    );
    expect(answers.map((answer) => unhex(answer.split(" ")[1]))).toEqual(
      objects.map((object) => JSON.stringify(object)),
    );
  });

  it("has decimals with their places, and values as they were written elsewhere", () => {
    const answer = one(`write 99 d:${hex("t")}:264:1 r:${hex("id")}:${hex('"x\\u0041"')}`);
    expect(unhex(answer.split(" ")[1])).toBe('{"t":26.4,"id":"x\\u0041"}');
  });

  it("says when there is no room, at every size, and writes nothing beyond it", () => {
    const members = `i:${hex("n")}:17 t:${hex("a")}:${hex('é"')}`;
    const whole = '{"n":17,"a":"é\\""}';
    for (let cap = 1; cap < Buffer.byteLength(whole); cap++) {
      expect(one(`write ${cap} ${members}`)).toBe(`${ERROR.noRoom} -`);
    }
    expect(one(`write ${Buffer.byteLength(whole)} ${members}`)).toBe(
      `${Buffer.byteLength(whole)} ${hex(whole)}`,
    );
  });

  it("refuses text that is not UTF-8", () => {
    expect(one(`write 99 t:${hex("a")}:ff`)).toBe(`${ERROR.syntax} -`);
  });
});

describe("keys and commands", () => {
  it("names records of the device, shared and its own", () => {
    const key = (withWhom: string, name: string) =>
      one(`key ${hex(withWhom)} ${hex(name)}`).split(" ");
    expect(unhex(key("@alice", "reading")[1])).toBe("@alice:reading.green@greenhouse");
    expect(unhex(key("", "reading")[1])).toBe("reading.green@greenhouse");
  });

  it("refuses a name one byte too long, and nothing shorter", () => {
    const rest = ".green@greenhouse".length;
    const fits = "n".repeat(255 - rest);
    expect(one(`key - ${hex(fits)}`)).toBe(`255 ${hex(`${fits}.green@greenhouse`)}`);
    expect(one(`key - ${hex(`${fits}n`)}`)).toBe("-8 -");
    expect(one(`send ${hex(`${fits}n`)} 5`)).toBe("-8");
  });

  it("sends to the peer, and passes on that a value could not be written", () => {
    expect(one(`send ${hex("latest")} 5`)).toBe(
      "submit 2 @alice:latest.green@greenhouse value 5 7",
    );
    expect(one(`send ${hex("latest")} -6`)).toBe("-6");
  });

  const command = (key: string, from = "@alice", isDelete = 0, verdict = 15) =>
    one(`command ${hex(key)} ${hex(from)} ${isDelete} ${verdict}`);

  it("obeys the peer's own record alone", () => {
    expect(command("@greenhouse:command.green@alice")).toBe(
      "1 2 a command is authenticated by the key at first use of @alice",
    );
    expect(command("@greenhouse:command.green@alice", "@alice", 1)).toBe("0");
    expect(command("@greenhouse:command.green@alice", "@mallory")).toBe(
      "0 1 ignored a command from @mallory",
    );
    expect(command("@greenhouse:command.green@alice", "@alice", 0, 0)).toBe(
      "0 1 ignored a command that was not encrypted",
    );
  });

  it("says what is known of a command", () => {
    const verdict = (bits: number) => command("@greenhouse:command.green@alice", "@alice", 0, bits);
    expect(verdict(1)).toBe("1 1 nobody vouches for a command of @alice");
    expect(verdict(31)).toBe("1 2 a command is authenticated by the provisioned key of @alice");
  });

  it.each([
    "command.green@alice",
    "@greenhouse:command.green@mallory",
    "@other:command.green@alice",
    "@greenhouse:xcommand.green@alice",
    "@greenhouse:command.greenhouse@alice",
    "@greenhouse:command.green@alice2",
    "@greenhouse:command.green@alic",
    "public:command.green@alice",
    "cached:@greenhouse:command.green@alice",
    "",
  ])("takes %j for something else", (key) => {
    expect(command(key)).toBe("0");
  });
});
