// SPDX-License-Identifier: BSD-3-Clause
import type { StoreReader, StoreWriter } from "../../store/store.ts";
import { parseOwnJson } from "../../wire/json.ts";
import type { Records } from "../records/records.ts";

const DAY_MILLIS = 86_400_000;

/** Wrong passcodes within a day after which the semi-permanent one isn't accepted any more. */
export const MAX_WRONG_OF_DAY = 20;

/** What the record says: instants are ms since the epoch. */
interface Kept {
  /** The wrong ones of the last day, oldest first. */
  readonly wrong: readonly number[];
  readonly suspendedAt?: number;
}

/**
 * Whether the semi-permanent passcode is suspended: after MAX_WRONG_OF_DAY wrong ones in a day, until its owner sets or
 * confirms it. Kept in the store, so that a restart changes nothing.
 */
export class PasscodeSuspension {
  private readonly records: Records;
  private readonly key: string;

  constructor(records: Records, atSign: string) {
    this.records = records;
    this.key = `private:spp.guesses.__otp${atSign}`;
  }

  isSuspended(store: StoreReader): boolean {
    return this.read(store).suspendedAt !== undefined;
  }

  /** Notes a wrong passcode; resolves to true when the semi-permanent one is suspended by it. */
  wrong(now: number): Promise<boolean> {
    return this.records.store.write((writer) => {
      const { wrong, suspendedAt } = this.read(writer);
      if (suspendedAt !== undefined) return false;
      const day = [...wrong.filter((time) => Math.abs(now - time) < DAY_MILLIS), now];
      const suspended = day.length >= MAX_WRONG_OF_DAY;
      this.write(writer, suspended ? { wrong: [], suspendedAt: now } : { wrong: day });
      return suspended;
    });
  }

  lift(writer: StoreWriter): void {
    writer.remove(this.key, false);
  }

  private read(store: StoreReader): Kept {
    const value = store.record(this.key)?.value;
    return typeof value === "string" ? (parseOwnJson(value) as Kept) : { wrong: [] };
  }

  private write(writer: StoreWriter, kept: Kept): void {
    this.records.putIn(writer, this.key, JSON.stringify(kept));
  }
}
