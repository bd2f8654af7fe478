// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { CommitEntry } from "../../store/store.ts";
import { keyType } from "../../wire/atkey.ts";
import { metadataToText } from "../../wire/metadata.ts";
import { commitFilter, visitCommitsAfter } from "../records/commitLog.ts";
import { parseRegex } from "../records/keyFilter.ts";
import type { Records } from "../records/records.ts";
import { data, type Verb } from "./verb.ts";

/** An entry as a client gets it; undefined when its record is gone or its key is invalid. */
function describe(entry: CommitEntry, records: Records): string | undefined {
  const { key: atKey, commitId, operation } = entry;
  if (keyType(atKey) === "invalidKey") return undefined;
  if (operation === "-") {
    return JSON.stringify({ atKey, value: null, metadata: null, commitId, operation });
  }
  const record = records.get(atKey);
  if (record === undefined) return undefined;
  const { value } = record;
  const metadata = metadataToText(record.metadata);
  return JSON.stringify({ atKey, value, metadata, commitId, operation });
}

/** Collects entries as long as they fit on one page. The first one always does. */
class Page {
  private readonly entries: string[] = [];
  private bytes = "[]".length;
  private readonly limit: number;
  private readonly maxBytes: number;

  constructor(limit: number, maxBytes: number) {
    this.limit = limit;
    this.maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.entries.length >= this.limit;
  }

  /** False when there is no room for the entry. */
  add(entry: string): boolean {
    const grown = this.bytes + Buffer.byteLength(entry) + (this.entries.length === 0 ? 0 : 1);
    if (this.full || (this.entries.length > 0 && grown > this.maxBytes)) return false;
    this.entries.push(entry);
    this.bytes = grown;
    return true;
  }

  toString(): string {
    return `[${this.entries.join(",")}]`;
  }
}

/**
 * A page of the commit log (atProtocol, the sync verb), also under its old name `sync:<commit id>`. A client asks on with
 * the last commit id it got until it has the one `stats:3` shows; so the very last entry isn't left out even when
 * `skipDeletesUntil` would have it so.
 */
export const sync: Verb = {
  name: "sync",
  accepts: (command) => command.startsWith("sync:"),
  auth: "owner",
  grammar:
    /^sync:(?:from:(?<from>\d+|-1)(?::limit:(?<limit>\d+))?(?::skipDeletesUntil:(?<skipDeletesUntil>\d+|-1))?|(?<after>\d+|-1))(?::(?<regex>(?!(?:limit|skipDeletesUntil):).+))?$/is,
  usage: "sync:from:<commit id>[:limit:<number>][:skipDeletesUntil:<commit id>][:<regex>]",
  async run(args, session, services) {
    const { records, authorization, tuning } = services;
    const wanted = commitFilter(
      await parseRegex(args.regex ?? ".*"),
      authorization.reader(session),
    );
    const limit = Math.min(Number(args.limit ?? tuning.syncPageLimit), tuning.syncPageLimit);
    const skipDeletesUntil = Number(args.skipDeletesUntil ?? -1);
    const page = new Page(limit, tuning.syncBufferSize);
    let skipped: string | undefined;
    await visitCommitsAfter(records.store, Number(args.from ?? args.after), (entry) => {
      const text = wanted(entry.key) ? describe(entry, records) : undefined;
      if (text === undefined) return true;
      if (entry.operation === "-" && entry.commitId <= skipDeletesUntil) {
        skipped = text;
        return true;
      }
      skipped = undefined;
      return page.add(text) && !page.full;
    });
    if (skipped !== undefined) page.add(skipped);
    return data(page.toString());
  },
};
