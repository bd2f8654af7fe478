// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import type { FoundEnrollment, RevocationEvent } from "./enrollments.ts";
import { isRoot } from "./rights.ts";

/** Logins that are no longer good. */
export interface Revoked {
  readonly enrollmentIds: ReadonlySet<string>;
  /** Those with the owner's key, without an enrollment. */
  readonly ownerKey: boolean;
}

/** The enrollments an enrollment was approved by, nearest first. */
export function approversOf({ enrollment }: FoundEnrollment): readonly string[] {
  const { parentEnrollmentId, approvedBy = [] } = enrollment;
  if (parentEnrollmentId === undefined || approvedBy.includes(parentEnrollmentId))
    return approvedBy;
  return [parentEnrollmentId, ...approvedBy];
}

/** The ids of an enrollment and of all it approved, and they approved, in whatever state. */
export function withDescendants(id: string, all: readonly FoundEnrollment[]): Set<string> {
  const taken = new Set([id]);
  for (let size = 0; size < taken.size; ) {
    size = taken.size;
    for (const each of all) {
      if (approversOf(each).some((approver) => taken.has(approver))) taken.add(each.id);
    }
  }
  return taken;
}

/** Whether an enrollment can log in and has all rights. */
function isUsableRoot({ state, enrollment }: FoundEnrollment): boolean {
  const { namespaces, apkamPublicKey } = enrollment;
  return state === "approved" && isRoot(namespaces) && apkamPublicKey.trim() !== "";
}

/** Whether an enrollment with all rights remains that lives for ever. */
export function hasLastingRoot(enrollments: readonly FoundEnrollment[]): boolean {
  return enrollments.some((each) => isUsableRoot(each) && each.expiresAt === undefined);
}

/** Throws AT0031 when one of the enrollments that are to fall is a root and none that lasts is left. */
export function demandRootLeft(fallen: ReadonlySet<string>, all: readonly FoundEnrollment[]): void {
  if (!all.some((each) => fallen.has(each.id) && isUsableRoot(each))) return;
  if (hasLastingRoot(all.filter(({ id }) => !fallen.has(id)))) return;
  throw new AtError(
    "AT0031",
    'The last enrollment with all rights ({"*":"rw","__manage":"rw"}) cannot be revoked: approve another one first',
  );
}

/**
 * Throws AT0032 when the approver isn't approved, or isn't known any more: what was revoked with it doesn't come back because
 * it was deleted.
 */
export function demandApprover(
  operation: string,
  target: FoundEnrollment,
  find: (id: string) => FoundEnrollment | undefined,
): void {
  const [id] = approversOf(target);
  if (id === undefined) return;
  const state = find(id)?.state ?? "no longer known";
  if (state === "approved") return;
  throw new AtError(
    "AT0032",
    `Failed to ${operation} enrollment id: ${target.id}. The enrollment that approved it, ${id}, is ${state}`,
  );
}

/** What is noted of enrollments that are revoked, or one that no longer is, at one instant. */
export function revocationEvent(
  event: RevocationEvent["event"],
  { id, enrollment }: FoundEnrollment,
  at: number,
  by: string | undefined,
  cascadedFrom?: string,
): RevocationEvent {
  return {
    event,
    enrollmentId: id,
    at: new Date(at).toISOString(),
    namespaces: enrollment.namespaces,
    ...(by !== undefined && { byEnrollmentId: by }),
    ...(cascadedFrom !== undefined && { cascadedFrom }),
  };
}
