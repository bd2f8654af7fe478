// SPDX-License-Identifier: BSD-3-Clause
import type { FoundEnrollment } from "../access/enrollments.ts";

/** When an enrollment ends, ISO 8601 in UTC; null when it lives for ever. */
function endOf({ expiresAt }: FoundEnrollment): string | null {
  return expiresAt === undefined ? null : new Date(expiresAt).toISOString();
}

/** What fetch shows of an enrollment. */
export function brief(found: FoundEnrollment): Record<string, unknown> {
  const { enrollment, state } = found;
  return {
    appName: enrollment.appName,
    deviceName: enrollment.deviceName,
    namespace: enrollment.namespaces,
    encryptedAPKAMSymmetricKey: enrollment.encryptedAPKAMSymmetricKey ?? null,
    status: state,
    expiresAt: endOf(found),
  };
}

/** The record as it is kept, with what it means now. */
export function whole(found: FoundEnrollment): Record<string, unknown> {
  return { ...found.enrollment, ...brief(found) };
}

/** Who is there, without anybody's keys. */
export function rosterEntry(found: FoundEnrollment): Record<string, unknown> {
  const { enrollment, state } = found;
  return {
    appName: enrollment.appName,
    deviceName: enrollment.deviceName,
    namespaces: enrollment.namespaces,
    namespace: enrollment.namespaces,
    requestType: enrollment.requestType,
    approval: enrollment.approval,
    status: state,
    apkamKeysExpiryInMillis: enrollment.apkamKeysExpiryInMillis,
    signingAlgo: enrollment.signingAlgo ?? null,
    parentEnrollmentId: enrollment.parentEnrollmentId ?? null,
    expiresAt: endOf(found),
  };
}
