// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import type { FoundEnrollment, Namespaces } from "../access/enrollments.ts";
import { MANAGE } from "../access/rights.ts";
import type { Session } from "../access/session.ts";
import type { EnrollmentServices } from "./services.ts";

/**
 * The access to a namespace: by its own name, else by that of the nearest one above it, else by `*`; to `__manage` by its own
 * name alone. Undefined without any.
 */
export function accessTo(granted: Namespaces, namespace: string): string | undefined {
  if (namespace === MANAGE) return granted[MANAGE];
  const [nearest] = Object.keys(granted)
    .filter((name) => name === namespace || namespace.endsWith(`.${name}`))
    .sort((a, b) => b.length - a.length);
  return granted[nearest ?? "*"];
}

/** Whether granted namespaces cover all of an enrollment's with at least its access. */
function coversAll(granted: Namespaces, wanted: Namespaces): boolean {
  return Object.entries(wanted).every(([namespace, access]) => {
    const right = accessTo(granted, namespace);
    return right === "rw" || (right === "r" && access === "r");
  });
}

/** Why a connection may not decide about an enrollment, or look into it; undefined when it may. */
function missingAuthority(
  { enrollment }: FoundEnrollment,
  session: Session,
  services: EnrollmentServices,
): string | undefined {
  const granted = services.authorization.namespaces(session);
  if (granted === undefined) return undefined;
  if (!(MANAGE in granted)) {
    return `The approving enrollment does not have access to "${MANAGE}" namespace`;
  }
  const { namespaces } = enrollment;
  const some = Object.keys(namespaces).length > 0;
  if (some && coversAll(granted, namespaces)) return undefined;
  return "Client is not authorized for namespaces in the enrollment request";
}

/** Why a connection that may look into an enrollment may not decide about it. */
function missingDecision(session: Session, services: EnrollmentServices): string | undefined {
  const granted = services.authorization.namespaces(session);
  if (granted === undefined || granted[MANAGE] === "rw") return undefined;
  return `The approving enrollment may only read the "${MANAGE}" namespace`;
}

export function hasAuthority(
  target: FoundEnrollment,
  session: Session,
  services: EnrollmentServices,
): boolean {
  return missingAuthority(target, session, services) === undefined;
}

/** Throws AT0011 when the connection's enrollment may only look at enrollments, or not decide about the target's namespaces. */
export function demandAuthority(
  operation: string,
  target: FoundEnrollment,
  session: Session,
  services: EnrollmentServices,
): void {
  const missing = missingAuthority(target, session, services) ?? missingDecision(session, services);
  if (missing === undefined) return;
  throw new AtError("AT0011", `Failed to ${operation} enrollment id: ${target.id}. ${missing}`);
}
