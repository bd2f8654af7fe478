// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../wire/errors.ts";
import { type EnrollmentParameters, mandatory } from "./enrollmentParameters.ts";
import type { Enrollment, FoundEnrollment, Namespaces, WrappedKeys } from "./enrollments.ts";
import type { Session } from "./session.ts";
import type { Services } from "./verb.ts";

export type Decision = "approve" | "deny" | "revoke" | "unrevoke";

const MANAGE = "__manage";

const rules = {
  approve: { from: "pending", to: "approved", verb: "approve", only: "approved" },
  deny: { from: "pending", to: "denied", verb: "deny", only: "denied" },
  revoke: { from: "approved", to: "revoked", verb: "revoke", only: "revoked" },
  unrevoke: { from: "revoked", to: "approved", verb: "un-revoke", only: "un-revoked" },
} as const;

/** The access to a namespace by way of itself, a parent, or `*`: the widest there is; undefined without any. */
export function accessTo(granted: Namespaces, namespace: string): "r" | "rw" | undefined {
  const rights = Object.entries(granted)
    .filter(([name]) => name === "*" || name === namespace || namespace.endsWith(`.${name}`))
    .map(([, right]) => right);
  if (rights.includes("rw")) return "rw";
  return rights.includes("r") ? "r" : undefined;
}

/** Whether the granted namespaces cover one asked for with at least the same access. */
function covers(granted: Namespaces, namespace: string, access: string): boolean {
  const right = accessTo(granted, namespace);
  return right === "rw" || (right === "r" && access === "r");
}

/** Throws AT0011 when the connection's enrollment may not decide about the target's namespaces. */
export function demandAuthority(
  operation: string,
  target: FoundEnrollment,
  session: Session,
  services: Services,
): void {
  const granted = services.authorization.namespaces(session);
  if (granted === undefined) return;
  const failed = `Failed to ${operation} enrollment id: ${target.id}.`;
  if (!(MANAGE in granted)) {
    throw new AtError(
      "AT0011",
      `${failed} The approving enrollment does not have access to "${MANAGE}" namespace`,
    );
  }
  for (const [namespace, access] of Object.entries(target.enrollment.namespaces)) {
    if (covers(granted, namespace, access)) continue;
    throw new AtError(
      "AT0011",
      `${failed} Client is not authorized for namespaces in the enrollment request`,
    );
  }
}

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

/** The life left of a decided enrollment, ms; 0 for ever. A denied or revoked one is kept so that it can be told. */
function lifeAfter(decision: Decision, enrollment: Enrollment): number {
  return decision === "approve" || decision === "unrevoke" ? enrollment.apkamKeysExpiryInMillis : 0;
}

/**
 * Approves, denies, revokes or un-revokes (atProtocol, the enrollment state machine). Throws AT0011 for a wrong state or
 * missing authority, AT0028 by value for an unknown id, AT0031 for revoking oneself without force.
 */
export async function decideEnrollment(
  decision: Decision,
  parameters: EnrollmentParameters,
  force: boolean,
  session: Session,
  services: Services,
): Promise<Record<string, string>> {
  const { enrollments, records } = services;
  const id = mandatory(parameters, "enrollmentId", `enroll:${decision}`);
  const keys = decision === "approve" ? wrappedKeys(parameters) : undefined;
  const target = enrollments.demand(id);
  const self = session.enrollmentId === target.id;
  if (decision === "revoke" && self && !force) {
    throw new AtError("AT0031", "Current client cannot revoke its own enrollment");
  }
  demandAuthority(decision, target, session, services);
  const state = rules[decision].to;
  await records.store.write((writer) => {
    // Decided once: a second command that was waiting for the disk sees what the first one wrote.
    checkState(decision, enrollments.demand(id));
    const decided: Enrollment = { ...target.enrollment, approval: { state } };
    enrollments.putIn(writer, id, decided, lifeAfter(decision, decided));
    if (keys !== undefined) enrollments.putKeysIn(writer, id, decided, keys);
  });
  if (decision !== "revoke") return { status: state, enrollmentId: id };
  services.closeEnrolled(id, session);
  if (!self) return { status: state, enrollmentId: id };
  session.closeAfter(services.tuning.selfRevokeCloseMillis);
  return {
    status: state,
    enrollmentId: id,
    message: "Enrollment is revoked. Closing the connection in 10 seconds",
  };
}
