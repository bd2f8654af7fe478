// SPDX-License-Identifier: BSD-3-Clause
import { atSignName } from "../../wire/atsign.ts";
import type { Metadata } from "../../wire/metadata.ts";
import type { NotificationOperation } from "../../wire/notification.ts";
import type { Records } from "../records/records.ts";
import { cacheOptions, parseLookupAnswer } from "./lookupAnswer.ts";

/** Called for every commit that no client made. */
export type OnCommit = (commitId: number, operation: NotificationOperation) => void;

interface PublicKeysOptions {
  records: Records;
  onCommit: OnCommit;
  atSign: string;
  now: () => number;
}

/** The public encryption keys of other atSigns, kept as cached records (atProtocol, caching). */
export class PublicKeys {
  private readonly records: Records;
  private readonly onCommit: OnCommit;
  private readonly atSign: string;
  private readonly now: () => number;

  constructor({ records, onCommit, atSign, now }: PublicKeysOptions) {
    this.records = records;
    this.onCommit = onCommit;
    this.atSign = atSign;
    this.now = now;
  }

  /** Takes a peer's answer to `lookup:all:publickey@peer`. */
  async remember(peer: string, answer: string): Promise<void> {
    const found = parseLookupAnswer(answer);
    if (found === undefined || found.value === null || peer === this.atSign) return;
    await this.keep(peer, found.value, found.metadata);
  }

  /** Keeps a peer's public encryption key for ever, and sets the keys shared under an earlier one aside. */
  async keep(peer: string, value: string, metadata: Metadata): Promise<void> {
    const key = `cached:public:publickey${peer}`;
    if (this.records.get(key)?.value === value) return;
    const shared = `shared_key.${atSignName(peer)}${this.atSign}`;
    const aside = `shared_key.${atSignName(peer)}.until.${this.now()}${this.atSign}`;
    const commitId = await this.records.store.write((writer) => {
      const known = writer.record(key)?.value;
      if (known === value) return undefined;
      if (typeof known === "string") {
        const old = writer.record(shared);
        if (old !== undefined) {
          writer.remove(shared, true);
          writer.put(aside, old, "*");
        }
        writer.remove(key, true);
      }
      const options = { ...cacheOptions(metadata), ttl: 0, ttr: -1 };
      return this.records.putIn(writer, key, value, options, { createdBy: peer });
    });
    if (commitId !== undefined) this.onCommit(commitId, "update");
  }
}
