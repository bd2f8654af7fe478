// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { verbs } from "../../server/verbs/index.ts";
import type { Arguments } from "../../server/verbs/verb.ts";
import { normalizeCommand } from "../../wire/command.ts";
import { AtError } from "../../wire/errors.ts";
import { parseMetadataFragment } from "../../wire/metadata.ts";

interface Fixture {
  metadata: string;
  verbs: Record<string, string>;
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/grammars.json", import.meta.url), "utf8"),
);

/** The protocol's grammar of a verb (atProtocol, §2). */
export function published(verb: string): RegExp {
  const source = fixture.verbs[verb];
  if (source === undefined) throw new Error(`no grammar of ${verb}`);
  return new RegExp(source.replace("META", fixture.metadata), "i");
}

/** Values of metadata options are judged after the grammar, with the same answer to what isn't one. */
function isRefusedMetadata(fragment: string): boolean {
  try {
    parseMetadataFragment(fragment);
    return false;
  } catch (error) {
    if (!(error instanceof AtError)) throw error;
    return error.message.startsWith("Invalid syntax.");
  }
}

/** What the atServer reads in a line: the verb's name and its arguments; undefined when it is refused. */
export function read(line: string): { verb: string; args: Arguments } | undefined {
  const command = normalizeCommand(line);
  const verb = verbs.find((candidate) => candidate.accepts(command));
  const found = verb?.grammar.exec(command) ?? undefined;
  if (verb === undefined || found === undefined) return undefined;
  const args = { ...found.groups };
  return isRefusedMetadata(args.metadata ?? "") ? undefined : { verb: verb.name, args };
}
