// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  KeyFilter,
  MAX_PATTERN,
  MAX_PATTERN_STEPS,
  parseRegex,
} from "../../server/records/keyFilter.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

/** Patterns that take exponential or high polynomial time on a backtracking engine. */
const EVIL = [
  "(a+)+$",
  "(a|aa)+$",
  "(a|a?)+!!",
  "(.*)*z",
  "^(([a-z])+.)+[0-9]([a-z])+#$",
  "(a*)*(a*)*(a*)*z",
  "a*a*a*a*a*a*a*a*a*a*a*a*z",
  "(a?){30}a{30}z",
];

describe("regular expressions of clients", () => {
  it.each([
    ["\\.wavi@", "phone.wavi@alice", true],
    ["\\.wavi@", "phonewavi@alice", false],
    ["^@bob:", "@bob:x@alice", true],
    ["^@bob:", "x@bob:y", false],
    ["wavi|buzz", "a.buzz@alice", true],
    ["Wavi", "a.wavi@alice", false],
    ["[\\w-]{1,8}\\.demo", "x-1.demo@a", true],
    ["(?<app>[a-z]+)@", "wavi@alice", true],
    ["🦄", "a🦄.b@alice", true],
    ["\\u{1F984}$", "x🦄", true],
    ["a/b", "a/b", true],
    ["\\:x", "public:x@alice", true],
    ["", "anything", true],
    [".*", "anything", true],
    [
      "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
      "4af24c03-d732-48f8-a9a2-570e8fb6a01c",
      true,
    ],
  ])("%s on %s: %s", async (pattern, text, matches) => {
    expect((await parseRegex(pattern)).test(text)).toBe(matches);
  });

  it.each(["(", "[z-a]", "a**", "(?=x)", "(?!x)y", "(?<=x)y", "(?<!x)y", "(a)\\1"])(
    "refuses %s, which can't be read",
    async (pattern) => {
      await expect(parseRegex(pattern)).rejects.toThrow("Invalid syntax. regex can't be read");
    },
  );

  it("takes the longest pattern and refuses one character more", async () => {
    expect((await parseRegex(`[${"a".repeat(MAX_PATTERN - 2)}]`)).test("a")).toBe(true);
    await expect(parseRegex("a".repeat(MAX_PATTERN + 1))).rejects.toThrow("regex too long");
  });

  it.each([
    `a{${MAX_PATTERN_STEPS}}`,
    ".{1000}".repeat(140),
    "((a{30}){30}){30}",
    `(${"ab".repeat(300)}){500}`,
    "(a?){999999999}",
  ])("refuses %s, which is large once written out", async (pattern) => {
    await expect(parseRegex(pattern)).rejects.toThrow("regex too large");
  });

  it.each(EVIL)("answers %s over many keys", async (pattern) => {
    const keys = Array.from({ length: 500 }, (_, i) => `${"a".repeat(200)}${i}!`);
    const filter = await KeyFilter.parse(pattern);
    expect(keys.filter((key) => filter.test(key))).toEqual([]);
  });

  it("work for a limited time altogether", async () => {
    const filter = await KeyFilter.parse("(a|.){200}[0-9][0-9][0-9][0-9][0-9][0-9]", 20);
    const key = "a".repeat(10_000);
    const work = (): void => {
      for (let i = 0; i < 1_000; i++) filter.test(key);
    };
    expect(work).toThrow("Invalid syntax. regex takes too long");
  });
});

describe("an atServer asked with evil patterns", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let watcher: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
    watcher = await alice.owner();
    for (let i = 0; i < 50; i++) {
      await owner.ask(`update:public:${"a".repeat(200)}${i}@alice x`);
    }
  });
  afterAll(() => world.close());

  it.each(EVIL)(
    "scan, notify:list and monitor answer %s, and so does everybody else",
    async (evil) => {
      const [scanner, other] = [await alice.open(), await alice.open()];
      scanner.send(`scan ${evil}\n`);
      expect(await other.ask("noop:0")).toBe("data:ok\n@");
      expect(await scanner.reply()).toBe("data:[]\n@");
      watcher.send(`monitor:strict:selfNotifications ${evil}\nnoop:0\n`);
      expect(await watcher.reply()).toMatch(/data:ok\n@alice@$/);
      const key = `@alice:${"a".repeat(200)}-.demo@alice`;
      expect(await owner.ask(`notify:${key}:1`)).toMatch(/^data:[0-9a-f-]+\n@alice@$/);
      expect(await owner.ask(`notify:list:${evil}`)).toBe("data:null\n@alice@");
    },
  );

  it.each(["scan (?=a)b", "scan (a)\\1"])("refuses %j with a sentence", async (command) => {
    const line = await alice.open();
    expect(await line.ask(command)).toBe(
      "error:AT0003-Exception: Invalid syntax. regex can't be read\n@",
    );
  });
});
