// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import type { Arguments } from "../../server/verbs/verb.ts";
import { normalizeCommand } from "../../wire/command.ts";
import { families, type Slots } from "./grammarFamilies.ts";
import { published, read } from "./grammarReader.ts";

/** Every line with at most two parts other than usual. */
function* lines(slots: Slots): Generator<string> {
  const usual = slots.map(([first = ""]) => first);
  yield usual.join("");
  for (const [i, alternatives] of slots.entries()) {
    for (const one of alternatives.slice(1)) {
      yield usual.with(i, one).join("");
      for (const [j, others] of slots.entries()) {
        if (j <= i) continue;
        for (const other of others.slice(1)) yield usual.with(i, one).with(j, other).join("");
      }
    }
  }
}

const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  config: { atSign: "atSigns", op2: "show", configNew: "parameter" },
  "notify:all": { forAtSign: "forAtSigns" },
  sync: { from_commit_seq: "from" },
};
/** Read by the grammar, of no consequence, and not kept. */
const unkept = new Set(["priority", "page", "sharedKeyStatus"]);

/** The arguments by their published names, the metadata options among them. */
function named(verb: string, args: Arguments): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(args)) if (value !== undefined) found.set(name, value);
  if (args.metadata !== undefined) {
    for (const [, name = "", value = ""] of args.metadata.matchAll(/:(\w+):([^:]+)/g)) {
      found.set(name.toLowerCase(), value);
    }
    found.delete("metadata");
  }
  for (const [theirs, ours] of Object.entries(renamed[verb] ?? {})) {
    const value = found.get(ours);
    if (value !== undefined) found.set(theirs, value);
  }
  return found;
}

/** What the published grammar reads and the atServer reads differently. */
function differences(
  verb: string,
  line: string,
  groups: Record<string, string | undefined>,
): string[] {
  const got = read(line);
  if (got?.verb !== verb) return [`${line}: read by ${got?.verb ?? "nobody"}`];
  const ours = named(verb, got.args);
  return Object.entries(groups).flatMap(([name, value]) => {
    if (value === undefined || unkept.has(name)) return [];
    const mine = ours.get(name) ?? ours.get(name.toLowerCase());
    return mine === value ? [] : [`${line}: ${name} is ${mine}, not ${value}`];
  });
}

describe.each(families)("the grammar of $verb", (family) => {
  const { verb, slots, wider, narrower, otherwise } = family;
  const grammar = published(verb);
  const all = [...new Set(lines(slots))];
  const readable = all.flatMap((line) => {
    const found = grammar.exec(normalizeCommand(line));
    return found === null ? [] : [{ line, groups: found.groups ?? {} }];
  });

  it("reads what is published, into the same arguments", () => {
    const meant = readable.filter(
      ({ line, groups }) => !narrower?.(groups, line) && !otherwise?.(groups),
    );
    expect(meant.length).toBeGreaterThan(0);
    expect(meant.flatMap(({ line, groups }) => differences(verb, line, groups))).toEqual([]);
  });

  it("refuses the rest, but for what is meant to be wider", () => {
    const published = new Set(readable.map(({ line }) => line));
    const wrong = all.filter(
      (line) => !published.has(line) && read(line)?.verb === verb && !wider?.test(line),
    );
    expect(wrong).toEqual([]);
  });

  it("refuses what is meant to be narrower, and reads what is meant to be read otherwise", () => {
    for (const { line, groups } of readable) {
      if (narrower?.(groups, line)) expect(read(line)?.verb, line).not.toBe(verb);
      else if (otherwise?.(groups)) expect(read(line)?.verb, line).toBe(verb);
    }
  });
});
