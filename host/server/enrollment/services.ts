// SPDX-License-Identifier: BSD-3-Clause
import type { Authorization } from "../access/authorization.ts";
import type { Enrollments } from "../access/enrollments.ts";
import type { Revoked } from "../access/revocation.ts";
import type { Session } from "../access/session.ts";
import type { Tuning } from "../config/config.ts";
import type { Notifier } from "../notifications/notifier.ts";
import type { Passcodes } from "../passcodes/passcodes.ts";
import type { Records } from "../records/records.ts";

/** What requests for enrollments and decisions about them work with. */
export interface EnrollmentServices {
  readonly atSign: string;
  readonly tuning: Tuning;
  readonly now: () => number;
  readonly newId: () => string;
  readonly records: Records;
  readonly enrollments: Enrollments;
  readonly passcodes: Passcodes;
  readonly authorization: Authorization;
  readonly notifier: Notifier;
  /** Hangs up every connection logged in with what was revoked, except one. */
  closeRevoked(revoked: Revoked, except: Session): void;
}
