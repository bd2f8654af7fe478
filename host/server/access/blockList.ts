// SPDX-License-Identifier: BSD-3-Clause
import type { StoreReader } from "../../store/store.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { parseOwnJson } from "../../wire/json.ts";
import type { Records } from "../records/records.ts";

/** The atSigns whose atServers may not log in (atProtocol, block list), as they were typed. */
export class BlockList {
  private readonly records: Records;
  private readonly atSign: string;

  constructor(records: Records, atSign: string) {
    this.records = records;
    this.atSign = atSign;
  }

  list(): string[] {
    return this.read(this.records.store);
  }

  /** Whether a normalised atSign is on the list, however it was typed there. */
  has(atSign: string): boolean {
    return this.list().some((blocked) => normalizeAtSign(blocked) === atSign);
  }

  /** Throws AT0013 for one on the list: to be asked again after whatever a login waited for. */
  demandWelcome(atSign: string): void {
    if (this.has(atSign)) throw new AtError("AT0013", "Unable to connect");
  }

  /** Adds atSigns, without the own one. Throws AT0011 for an invalid atSign. */
  async add(atSigns: readonly string[]): Promise<void> {
    const others = atSigns.filter((atSign) => normalizeAtSign(atSign) !== this.atSign);
    if (others.length > 0) await this.change((blocked) => [...new Set([...blocked, ...others])]);
  }

  /** Takes atSigns off; false when the list was empty. Throws AT0011 for an invalid atSign. */
  async remove(atSigns: readonly string[]): Promise<boolean> {
    const gone = new Set(atSigns.map(normalizeAtSign));
    const before = await this.change((blocked) =>
      blocked.filter((atSign) => !gone.has(normalizeAtSign(atSign))),
    );
    return before.length > 0;
  }

  private change(to: (blocked: string[]) => string[]): Promise<string[]> {
    return this.records.store.write((writer) => {
      const before = this.read(writer);
      this.records.putIn(writer, this.key(), JSON.stringify({ blockList: to(before) }));
      return before;
    });
  }

  private read(store: StoreReader): string[] {
    const stored = store.record(this.key())?.value;
    if (typeof stored !== "string") return [];
    const { blockList = [] } = parseOwnJson(stored) as { blockList?: string[] };
    return blockList;
  }

  private key(): string {
    return `private:blocklist${this.atSign}`;
  }
}
