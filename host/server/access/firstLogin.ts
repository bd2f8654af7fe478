// SPDX-License-Identifier: BSD-3-Clause
import type { Store } from "../../store/store.ts";
import { Records } from "../records/records.ts";
import { Enrollments } from "./enrollments.ts";

/** What an owner's first login leaves in a store, or what it begins with (atProtocol, the cram and pkam verbs). */
const LOGIN_KEYS = [
  "privatekey:at_pkam_publickey",
  "privatekey:at_secret",
  "privatekey:at_secret_deleted",
];

/** Whether the owner of a store has, or had, a way to log in: the shared secret, a PKAM key, or an approved enrollment. */
export function hasLogin(store: Store, atSign: string): boolean {
  if (LOGIN_KEYS.some((key) => typeof store.record(key)?.value === "string")) return true;
  const fail = (error: unknown): never => {
    throw error;
  };
  const records = new Records(store, atSign, Date.now, fail);
  const enrollments = new Enrollments(records, atSign, Date.now);
  return enrollments.list().some(({ state }) => state === "approved");
}
