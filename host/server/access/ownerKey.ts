// SPDX-License-Identifier: BSD-3-Clause
import type { StoreWriter } from "../../store/store.ts";
import type { FoundEnrollment } from "./enrollments.ts";
import { hasLastingRoot } from "./revocation.ts";
import { publicKeyIdentity } from "./signatures.ts";

/** Record of the key with which the owner logs in without an enrollment. */
export const OWNER_KEY = "privatekey:at_pkam_publickey";

/**
 * Removes the owner's key when a revoked enrollment has the same one, as the first enrollment of an atSign does: revoked is
 * revoked, with and without an id. While no enrollment with all rights is left, it stays the only way in. Gives whether it
 * was removed.
 */
export function retireOwnerKeyIn(
  writer: StoreWriter,
  enrollments: readonly FoundEnrollment[],
): boolean {
  const key = writer.record(OWNER_KEY)?.value;
  if (typeof key !== "string" || !hasLastingRoot(enrollments)) return false;
  const identity = publicKeyIdentity(key);
  const revoked = enrollments.some(
    ({ enrollment }) =>
      enrollment.approval.state === "revoked" &&
      publicKeyIdentity(enrollment.apkamPublicKey) === identity,
  );
  if (revoked) writer.remove(OWNER_KEY, false);
  return revoked;
}
