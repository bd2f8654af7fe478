// SPDX-License-Identifier: BSD-3-Clause
import { keyType, parseAtKey } from "../wire/atkey.ts";
import { AtError } from "../wire/errors.ts";
import type { Enrollments, Namespaces } from "./enrollments.ts";
import type { Session } from "./session.ts";

export type Access = "read" | "write";

const MANAGE = "__manage";

/** The enrolled namespace that decides about a key (atProtocol, namespace authorisation); undefined when none does. */
export function decidingNamespace(namespaces: Namespaces, key: string): string | undefined {
  const { entity, namespace } = parseAtKey(key);
  const enrolled = Object.keys(namespaces);
  if (namespace !== undefined) {
    const name = `.${entity}.${namespace}`;
    const found =
      enrolled.find((candidate) => `.${namespace}`.endsWith(`.${candidate}`)) ??
      enrolled.find((candidate) => name.endsWith(`.${candidate}`));
    if (found !== undefined) return found;
  }
  return enrolled.includes("*") ? "*" : undefined;
}

/** Keys every enrollment needs for sharing; the other reserved ones are the owner's and those of `*` enrollments. */
function isSharingKey(key: string): boolean {
  return key.includes("shared_key") || key.startsWith("_") || key.startsWith("public:publickey@");
}

/** Decisions remembered for one enrollment. */
const MAX_DECISIONS = 1_000;
const NOT_APPROVED: Namespaces = {};

/** What APKAM enrollments may do with which keys. Connections without an enrollment may do everything. */
export class Authorization {
  private readonly enrollments: Enrollments;
  /** A device writes and reads the same few keys again and again. */
  private readonly decisions = new WeakMap<Namespaces, Map<string, boolean>>();

  constructor(enrollments: Enrollments) {
    this.enrollments = enrollments;
  }

  /** The approved namespaces of a connection's enrollment: undefined without one, empty when not approved. */
  namespaces(session: Session): Namespaces | undefined {
    if (session.enrollmentId === undefined) return undefined;
    const found = this.enrollments.get(session.enrollmentId);
    return found?.state === "approved" ? found.enrollment.namespaces : NOT_APPROVED;
  }

  allows(session: Session, key: string, access: Access): boolean {
    const namespaces = this.namespaces(session);
    if (namespaces === undefined) return true;
    return this.decided(namespaces, `${access} ${key}`, () => grants(namespaces, key, access));
  }

  /** Whether a monitor may see a notification about a key: read access, and `__manage` for enrollment requests. */
  allowsNotification(session: Session, key: string): boolean {
    const namespaces = this.namespaces(session);
    if (namespaces === undefined) return true;
    return this.decided(namespaces, `see ${key}`, () =>
      parseAtKey(key).namespace === MANAGE ? MANAGE in namespaces : grants(namespaces, key, "read"),
    );
  }

  /** Throws AT0009 in the words of the protocol. */
  demand(session: Session, verb: string, key: string, access: Access): void {
    if (this.allows(session, key, access)) return;
    throw new AtError(
      "AT0009",
      `Connection with enrollment ID ${session.enrollmentId} is not authorized to ${verb} key: ${key}`,
    );
  }

  private decided(namespaces: Namespaces, question: string, decide: () => boolean): boolean {
    let known = this.decisions.get(namespaces);
    if (known === undefined || known.size >= MAX_DECISIONS) {
      known = new Map();
      this.decisions.set(namespaces, known);
    }
    let decision = known.get(question);
    if (decision === undefined) {
      decision = decide();
      known.set(question, decision);
    }
    return decision;
  }
}

function grants(namespaces: Namespaces, key: string, access: Access): boolean {
  if (keyType(key) === "reservedKey" && isSharingKey(key)) {
    const readOnly = key.startsWith("public:publickey@") && access === "write";
    if (!readOnly) return Object.keys(namespaces).length > 0;
  }
  if (parseAtKey(key).namespace === MANAGE || key.startsWith("private:")) return false;
  const deciding = decidingNamespace(namespaces, key);
  if (deciding === undefined || deciding === MANAGE) return false;
  const granted = namespaces[deciding] ?? "";
  return access === "write" ? granted === "rw" : granted === "r" || granted === "rw";
}
