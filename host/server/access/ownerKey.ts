// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord, StoreWriter } from "../../store/store.ts";
import { AtError } from "../../wire/errors.ts";
import type { Records } from "../records/records.ts";
import type { Enrollments, FoundEnrollment } from "./enrollments.ts";
import { hasLastingRoot } from "./revocation.ts";
import { publicKeyIdentity } from "./signatures.ts";

/** Record of the key with which the owner logs in without an enrollment. */
export const OWNER_KEY = "privatekey:at_pkam_publickey";
const SECRET = "privatekey:at_secret";

/** What `appMetadata` of the record says: the enrollment whose key it is, for when that one is gone. */
interface Link {
  readonly enrollmentId: string;
  /** Of that enrollment's key (`publicKeyIdentity`): a key written later has nothing to do with it. */
  readonly identity: string;
}

/** The enrollment the owner's key belongs to, as the key of an atSign's first one does. */
export interface Holder {
  readonly id: string;
  /** Undefined once it is gone. */
  readonly found?: FoundEnrollment;
}

/** Whether an enrollment was approved once; nobody gets hold of a key by asking for an enrollment with it. */
function wasApproved({ enrollment }: FoundEnrollment): boolean {
  return enrollment.approval.state === "approved" || enrollment.approval.state === "revoked";
}

/** The holder of the owner's key; undefined when no enrollment has, or had, the same. A revoked one counts before others. */
export function ownerKeyHolder(
  { value, metadata }: StoredRecord,
  enrollments: readonly FoundEnrollment[],
): Holder | undefined {
  if (!value) return undefined;
  const identity = publicKeyIdentity(value);
  const holders = enrollments.filter(
    (each) => wasApproved(each) && publicKeyIdentity(each.enrollment.apkamPublicKey) === identity,
  );
  const isApproved = ({ state }: FoundEnrollment): boolean => state === "approved";
  const found = holders.find(isRevoked) ?? holders.find(isApproved) ?? holders[0];
  if (found !== undefined) return { id: found.id, found };
  const link = (metadata.appMetadata ?? {}) as Partial<Link>;
  return link.identity === identity && typeof link.enrollmentId === "string"
    ? { id: link.enrollmentId }
    : undefined;
}

const isRevoked = ({ enrollment }: FoundEnrollment): boolean =>
  enrollment.approval.state === "revoked";

/** Whether the owner's key is the only way in: no enrollment with all rights lasts, and the first login's secret is gone. */
export function isLastWayIn(records: Records, enrollments: readonly FoundEnrollment[]): boolean {
  return !hasLastingRoot(enrollments) && records.get(SECRET) === undefined;
}

/**
 * Removes the owner's key when the enrollment that has the same one is revoked or gone: revoked is revoked, with and without
 * an id. While it is the only way in, it stays. Gives whether it was removed.
 */
export function retireOwnerKeyIn(
  writer: StoreWriter,
  records: Records,
  enrollments: readonly FoundEnrollment[],
): boolean {
  const record = writer.record(OWNER_KEY);
  const holder = record && ownerKeyHolder(record, enrollments);
  if (holder === undefined || isLastWayIn(records, enrollments)) return false;
  const ended = holder.found === undefined || isRevoked(holder.found);
  if (ended) writer.remove(OWNER_KEY, false);
  return ended;
}

/** Throws AT0031 for an enrollment whose key, as the owner's, is the only way in. */
export function demandOtherWayIn(
  { id }: FoundEnrollment,
  records: Records,
  enrollments: readonly FoundEnrollment[],
): void {
  const record = records.get(OWNER_KEY);
  const holder = record && ownerKeyHolder(record, enrollments);
  if (holder?.id !== id || !isLastWayIn(records, enrollments)) return;
  throw new AtError(
    "AT0031",
    `The key of enrollment ${id} is the only one that can log in: approve an enrollment with all rights first`,
  );
}

/** Notes with the owner's key whose it is, so that it ends with that enrollment also once the enrollment is gone. */
export function linkOwnerKeyIn(
  writer: StoreWriter,
  records: Records,
  enrollments: Enrollments,
): void {
  const record = writer.record(OWNER_KEY);
  const holder = record && ownerKeyHolder(record, enrollments.list());
  if (record === undefined || holder?.found === undefined) return;
  const link: Link = { enrollmentId: holder.id, identity: publicKeyIdentity(record.value ?? "") };
  const known = (record.metadata.appMetadata ?? {}) as Partial<Link>;
  if (known.enrollmentId === link.enrollmentId && known.identity === link.identity) return;
  records.putIn(writer, OWNER_KEY, null, { appMetadata: { ...link } }, { metadataOnly: true });
}
