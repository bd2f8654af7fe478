// SPDX-License-Identifier: BSD-3-Clause
import { AtError, quoted } from "../../wire/errors.ts";
import type { Enrollments, Namespaces } from "./enrollments.ts";
import { type Access, grants, type Rights, seesNotification } from "./rights.ts";
import { actingEnrollment, type Session } from "./session.ts";

/** Decisions remembered for one enrollment. */
const MAX_DECISIONS = 1_000;
/** Longest question that is remembered, characters; the text of a notification stands where others have a key. */
const MAX_QUESTION = 512;
const NOT_APPROVED: Namespaces = {};

/** What the enrollment of a connection may do. The logins with cram and with the owner's own key may do everything. */
export class Authorization {
  private readonly enrollments: Enrollments;
  /** A device writes and reads the same few keys again and again. */
  private readonly decisions = new WeakMap<Namespaces, Map<string, boolean>>();

  constructor(enrollments: Enrollments) {
    this.enrollments = enrollments;
  }

  /** The rights of a connection's enrollment: undefined without one, none when it isn't approved. */
  rights(session: Session): Rights | undefined {
    const id = actingEnrollment(session);
    if (id === undefined) return undefined;
    const found = this.enrollments.get(id);
    const approved = found?.state === "approved";
    return { id, namespaces: approved ? found.enrollment.namespaces : NOT_APPROVED };
  }

  /** The approved namespaces of a connection's enrollment: undefined without one, empty when not approved. */
  namespaces(session: Session): Namespaces | undefined {
    return this.rights(session)?.namespaces;
  }

  allows(session: Session, key: string, access: Access): boolean {
    const rights = this.rights(session);
    if (rights === undefined) return true;
    return this.decided(rights, `${access} ${key}`, () => grants(rights, key, access));
  }

  /** Whether a connection may read a key, for one that asks about many at once. */
  reader(session: Session): (key: string) => boolean {
    const rights = this.rights(session);
    return (key) => rights === undefined || grants(rights, key, "read");
  }

  /** Whether a monitor may see a notification about a key: read access, and `__manage` for enrollment requests. */
  allowsNotification(session: Session, key: string): boolean {
    const rights = this.rights(session);
    if (rights === undefined) return true;
    return this.decided(rights, `see ${key}`, () => seesNotification(rights, key));
  }

  /** Throws AT0009 in the words of the protocol. */
  demand(session: Session, verb: string, key: string, access: Access): void {
    if (this.allows(session, key, access)) return;
    throw new AtError(
      "AT0009",
      `Connection with enrollment ID ${session.enrollmentId} is not authorized to ${verb} key: ${quoted(key)}`,
    );
  }

  private decided({ namespaces }: Rights, question: string, decide: () => boolean): boolean {
    if (question.length > MAX_QUESTION) return decide();
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
