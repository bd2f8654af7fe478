// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord } from "../../store/store.ts";
import type { NotificationOperation } from "../../wire/notification.ts";
import type { Session } from "../access/session.ts";
import type { Services } from "./services.ts";

/** A change that monitors get once the reply is written. */
export interface Changed {
  commitId: number;
  operation: NotificationOperation;
}

/**
 * What a verb answers: a payload behind `data:`, whole or, when it may be long, in pieces, bytes as they are without prompt,
 * or nothing at all. What throws before its first piece is answered with the error; `changed` is asked behind the last.
 */
export type Reply =
  | { data: string | null; spaced?: true; changed?: Changed }
  | { pieces: AsyncIterable<string>; spaced?: true; changed?: () => Changed | undefined }
  | { raw: string }
  | { silent: true };

export const silent: Reply = { silent: true };
/** A payload behind `data:` and a space, as stats and notify:all answer. */
export const spacedData = (payload: string): Reply => ({ data: payload, spaced: true });
export const data = (payload: string | null): Reply => ({ data: payload });

/** Named groups of the verb's grammar that took part in the match. */
export type Arguments = Readonly<Partial<Record<string, string>>>;

export interface Verb {
  readonly name: string;
  /** Whether a normalised command is this verb's, before its grammar is looked at. */
  accepts(command: string): boolean;
  /** `owner` is demanded before the grammar is looked at; with `none` the verb does its own checks. */
  readonly auth: "none" | "owner";
  readonly grammar: RegExp;
  /** Words behind `Invalid syntax.` */
  readonly usage: string;
  run(args: Arguments, session: Session, services: Services): Reply | Promise<Reply>;
}

/** The payload of llookup, lookup and plookup: value, `meta` or `all` (atProtocol, metadata JSON). */
export function recordPayload(
  operation: string | undefined,
  key: string,
  record: StoredRecord,
  metadata: Record<string, unknown>,
): string | null {
  switch (operation?.toLowerCase()) {
    case "meta":
      return JSON.stringify(metadata);
    case "all":
      return JSON.stringify({ key, data: record.value, metaData: metadata });
    default:
      return record.value;
  }
}
