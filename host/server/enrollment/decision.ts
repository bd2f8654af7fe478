// SPDX-License-Identifier: BSD-3-Clause
import type { StoreWriter } from "../../store/store.ts";
import { AtError } from "../../wire/errors.ts";
import type { Enrollment, FoundEnrollment, WrappedKeys } from "../access/enrollments.ts";
import { retireOwnerKeyIn } from "../access/ownerKey.ts";
import type { Revoked } from "../access/revocation.ts";
import {
  approversOf,
  demandApprover,
  demandRootLeft,
  revocationEvent,
  withDescendants,
} from "../access/revocation.ts";
import { actingEnrollment, type Session } from "../access/session.ts";
import { demandAuthority } from "./authority.ts";
import { type EnrollmentParameters, mandatory } from "./parameters.ts";
import type { EnrollmentServices } from "./services.ts";

export type Decision = "approve" | "deny" | "revoke" | "unrevoke";

/** Longest chain of enrollments of which each approved the next. */
export const MAX_APPROVAL_DEPTH = 32;

const rules = {
  approve: { from: "pending", to: "approved", verb: "approve", only: "approved" },
  deny: { from: "pending", to: "denied", verb: "deny", only: "denied" },
  revoke: { from: "approved", to: "revoked", verb: "revoke", only: "revoked" },
  unrevoke: { from: "revoked", to: "approved", verb: "un-revoke", only: "un-revoked" },
} as const;

function checkState(decision: Decision, target: FoundEnrollment): void {
  const { from, verb, only } = rules[decision];
  if (target.state === from) return;
  throw new AtError(
    "AT0011",
    `Failed to ${decision} enrollment id: ${target.id}. Cannot ${verb} a ${target.state} enrollment. Only ${from} enrollments can be ${only}`,
  );
}

function wrappedKeys(parameters: EnrollmentParameters): WrappedKeys {
  const operation = "enroll:approve";
  const { encPrivateKeyIV, selfEncKeyIV } = parameters;
  return {
    encryptedDefaultEncryptionPrivateKey: mandatory(
      parameters,
      "encryptedDefaultEncryptionPrivateKey",
      operation,
    ),
    encryptedDefaultSelfEncryptionKey: mandatory(
      parameters,
      "encryptedDefaultSelfEncryptionKey",
      operation,
    ),
    ...(encPrivateKeyIV !== undefined && { encPrivateKeyIV }),
    ...(selfEncKeyIV !== undefined && { selfEncKeyIV }),
  };
}

/** Who approves, and who approved that one. Throws AT0032 when the chain is too long. */
function approval(
  { id, enrollment }: FoundEnrollment,
  approver: FoundEnrollment | undefined,
): Enrollment {
  const approved: Enrollment = { ...enrollment, approval: { state: "approved" } };
  if (approver === undefined) return approved;
  const approvedBy = [approver.id, ...approversOf(approver)];
  if (approvedBy.length > MAX_APPROVAL_DEPTH) {
    throw new AtError(
      "AT0032",
      `Failed to approve enrollment id: ${id}. The approving enrollment is the last of ${MAX_APPROVAL_DEPTH} that approved each other; approve with an earlier one`,
    );
  }
  return { ...approved, parentEnrollmentId: approver.id, approvedBy };
}

/** Whose logins end with a decision, and the ids of those that were approved until then. */
interface Ended {
  revoked: Revoked;
  fallen: string[];
}

/** One decision about one enrollment, within the write that makes it. */
class Deciding {
  private readonly target: FoundEnrollment;
  /** The enrollment whose client decides; undefined with all rights. */
  private readonly by: string | undefined;
  private readonly writer: StoreWriter;
  private readonly services: EnrollmentServices;

  constructor(
    target: FoundEnrollment,
    by: string | undefined,
    writer: StoreWriter,
    services: EnrollmentServices,
  ) {
    this.target = target;
    this.by = by;
    this.writer = writer;
    this.services = services;
  }

  approve(keys: WrappedKeys): Ended {
    const { enrollments } = this.services;
    demandApprover("approve", this.target, (id) => enrollments.get(id));
    const approver = this.by === undefined ? undefined : enrollments.demand(this.by);
    const approved = approval(this.target, approver);
    const { id } = this.target;
    enrollments.putIn(this.writer, id, approved, { ttl: approved.apkamKeysExpiryInMillis });
    enrollments.putKeysIn(this.writer, id, approved, keys);
    // With another root the owner's key of a revoked one is no longer the only way in.
    return { revoked: { enrollmentIds: new Set(), ownerKey: this.retireOwnerKey() }, fallen: [] };
  }

  deny(): void {
    this.put(this.target, "denied");
  }

  unrevoke(): void {
    const { enrollments, now } = this.services;
    demandApprover("unrevoke", this.target, (id) => enrollments.get(id));
    this.put(this.target, "approved");
    this.note([revocationEvent("unrevoked", this.target, now(), this.by)]);
  }

  /** Revokes it with all it approved. */
  revoke(): Ended {
    const { enrollments, passcodes, now } = this.services;
    const { id } = this.target;
    const all = enrollments.list();
    const set = withDescendants(id, all);
    this.checkRevocation(set, all);
    const fallen = all.filter((each) => set.has(each.id) && each.state === "approved");
    const at = now();
    this.note(
      fallen.map((each) =>
        revocationEvent("revoked", each, at, this.by, each.id === id ? undefined : id),
      ),
    );
    for (const each of fallen) this.put(each, "revoked");
    passcodes.removeMadeBy(set, this.writer);
    const ownerKey = this.retireOwnerKey();
    return { revoked: { enrollmentIds: set, ownerKey }, fallen: fallen.map((each) => each.id) };
  }

  private retireOwnerKey(): boolean {
    const { records, enrollments } = this.services;
    return retireOwnerKeyIn(this.writer, records, enrollments.list());
  }

  private checkRevocation(set: ReadonlySet<string>, all: readonly FoundEnrollment[]): void {
    if (this.by === undefined) return;
    if (this.by !== this.target.id && set.has(this.by)) {
      throw new AtError(
        "AT0031",
        `Current client cannot revoke ${this.target.id}, by which its own enrollment was approved`,
      );
    }
    demandRootLeft(set, all);
  }

  /** Another state; its life ends when it would have anyway. */
  private put(
    { id, enrollment, expiresAt }: FoundEnrollment,
    state: "approved" | "denied" | "revoked",
  ): void {
    const decided: Enrollment = { ...enrollment, approval: { state } };
    this.services.enrollments.putIn(this.writer, id, decided, { expiresAt });
  }

  private note(events: readonly ReturnType<typeof revocationEvent>[]): void {
    const { enrollments, newId } = this.services;
    enrollments.noteEventsIn(this.writer, new Map(events.map((event) => [newId(), event])));
  }
}

interface Decided {
  status: string;
  enrollmentId: string;
  /** Those that fell with it. */
  cascadedEnrollmentIds?: string[];
  message?: string;
}

/**
 * Approves, denies, revokes or un-revokes (atProtocol, the enrollment state machine). Throws AT0011 for a wrong state or
 * missing authority, AT0028 by value for an unknown id, AT0031 for a revocation that would take the caller without force, or
 * the last root, AT0032 for an approver that isn't approved.
 */
export async function decideEnrollment(
  decision: Decision,
  parameters: EnrollmentParameters,
  force: boolean,
  session: Session,
  services: EnrollmentServices,
): Promise<Decided> {
  const { enrollments, records } = services;
  const id = mandatory(parameters, "enrollmentId", `enroll:${decision}`);
  const keys = decision === "approve" ? wrappedKeys(parameters) : undefined;
  const target = enrollments.demand(id);
  const by = actingEnrollment(session);
  const self = by === target.id;
  if (decision === "revoke" && self && !force) {
    throw new AtError("AT0031", "Current client cannot revoke its own enrollment");
  }
  const ended = await records.store.write((writer) => {
    // Decided once, by who may now: a command that was waiting for the disk sees what the one before it wrote.
    const current = enrollments.demand(id);
    demandAuthority(decision, current, session, services);
    checkState(decision, current);
    const deciding = new Deciding(current, by, writer, services);
    if (keys !== undefined) return deciding.approve(keys);
    if (decision === "deny") deciding.deny();
    else if (decision === "unrevoke") deciding.unrevoke();
    else return deciding.revoke();
    return undefined;
  });
  const status = rules[decision].to;
  if (ended === undefined) return { status, enrollmentId: id };
  services.closeRevoked(ended.revoked, session);
  // Who revoked its own enrollment, or ended the key it logged in with, gets some seconds.
  if (self || (ended.revoked.ownerKey && session.authType === "pkam"))
    session.closeAfter(services.tuning.selfRevokeCloseMillis);
  const cascaded = ended.fallen.filter((each) => each !== target.id);
  return {
    status,
    enrollmentId: id,
    ...(cascaded.length > 0 && { cascadedEnrollmentIds: cascaded }),
    ...(self && { message: "Enrollment is revoked. Closing the connection in 10 seconds" }),
  };
}
