// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { AtError, quoted } from "../../wire/errors.ts";
import type { Enrollment, Namespaces } from "../access/enrollments.ts";
import { linkOwnerKeyIn, OWNER_KEY } from "../access/ownerKey.ts";
import { actingEnrollment, type Session } from "../access/session.ts";
import { publicKeyIdentity } from "../access/signatures.ts";
import { ownerNotice } from "../notifications/ownerNotice.ts";
import { demandNames } from "./names.ts";
import { type EnrollmentParameters, mandatory } from "./parameters.ts";
import type { EnrollmentServices } from "./services.ts";

const OPERATION = "enroll:request";
/** Longest record of an enrollment. */
const MAX_ENROLLMENT_BYTES = 512_000;
/** Requests of one enrollment's client, and of all that have a passcode, that may wait for a decision. */
export const MAX_PENDING_OF_ENROLLMENT = 20;
export const MAX_PENDING_BY_PASSCODE = 200;
const NEW_CLIENT = "new client enroll:request";

function checkParameters(parameters: EnrollmentParameters): Enrollment {
  const enrollment: Enrollment = {
    sessionId: "",
    appName: mandatory(parameters, "appName", OPERATION),
    deviceName: mandatory(parameters, "deviceName", OPERATION),
    namespaces: { ...parameters.namespaces },
    apkamPublicKey: mandatory(parameters, "apkamPublicKey", OPERATION, "apkam public key"),
    requestType: "newEnrollment",
    approval: { state: "pending" },
    apkamKeysExpiryInMillis: parameters.apkamKeysExpiryInMillis ?? 0,
  };
  if (parameters.encryptedAPKAMSymmetricKey !== undefined) {
    enrollment.encryptedAPKAMSymmetricKey = parameters.encryptedAPKAMSymmetricKey;
  }
  if (parameters.signingAlgo !== undefined) enrollment.signingAlgo = parameters.signingAlgo;
  if (parameters.metadata !== undefined) enrollment.metadata = parameters.metadata;
  if (parameters.otp !== undefined) {
    mandatory(
      parameters,
      "encryptedAPKAMSymmetricKey",
      NEW_CLIENT,
      "encrypted apkam symmetric key",
    );
    if (Object.keys(enrollment.namespaces).length === 0) {
      throw new AtError("AT0011", `At least one namespace must be specified for ${NEW_CLIENT}`);
    }
  }
  demandNames(enrollment);
  if (Buffer.byteLength(JSON.stringify(enrollment)) > MAX_ENROLLMENT_BYTES) {
    throw new AtError("AT0022", `enrollment is larger than ${MAX_ENROLLMENT_BYTES} bytes`);
  }
  return enrollment;
}

function checkRate(session: Session, services: EnrollmentServices): void {
  const { enrollmentMaxRequests, enrollmentTimeFrameMillis } = services.tuning;
  const now = services.now();
  session.enrollRequests = session.enrollRequests.filter(
    (time) => time > now - enrollmentTimeFrameMillis,
  );
  if (session.enrollRequests.length >= enrollmentMaxRequests) {
    throw new AtError(
      "AT0011",
      "Enrollment requests have exceeded the limit within the specified time frame",
    );
  }
  session.enrollRequests.push(now);
}

/** The requester as it is recorded; undefined for the owner. */
function requesterOf(session: Session): string | undefined {
  return session.owner ? actingEnrollment(session) : "passcode";
}

/**
 * Throws AT0028 when too many requests wait already: of the client that asks, or of those that come with a passcode. Those
 * of an enrollment take no place from those, and the owner may ask always.
 */
function checkPending(session: Session, services: EnrollmentServices): void {
  const requester = requesterOf(session);
  if (requester === undefined) return;
  const waiting = services.enrollments
    .list()
    .filter(({ state, enrollment }) => state === "pending" && enrollment.requestedBy === requester);
  const most = session.owner ? MAX_PENDING_OF_ENROLLMENT : MAX_PENDING_BY_PASSCODE;
  if (waiting.length < most) return;
  throw new AtError("AT0028", `${most} enrollment requests wait to be approved or denied`);
}

function checkDuplicate(enrollment: Enrollment, services: EnrollmentServices): void {
  const { appName, deviceName } = enrollment;
  const twin = services.enrollments
    .list()
    .find(
      (found) =>
        (found.state === "pending" || found.state === "approved") &&
        found.enrollment.appName === appName &&
        found.enrollment.deviceName === deviceName,
    );
  if (twin === undefined) return;
  throw new AtError(
    "AT0011",
    `Another enrollment with id ${twin.id} exists with the app name: ${quoted(appName)} and device name: ${quoted(deviceName)} in ${twin.state} state`,
  );
}

/**
 * Throws AT0032 for a key that an enrollment has already, in whatever state, or one of `others`: who holds it would be two
 * clients.
 */
function checkKeyIsNew(
  { apkamPublicKey }: Enrollment,
  services: EnrollmentServices,
  others: readonly string[] = [],
): void {
  const identity = publicKeyIdentity(apkamPublicKey);
  const held = services.enrollments.list().map(({ enrollment }) => enrollment.apkamPublicKey);
  if (![...held, ...others].some((key) => publicKeyIdentity(key) === identity)) return;
  throw new AtError(
    "AT0032",
    "The apkamPublicKey is already held by another enrollment on this atSign; every enrollment needs a keypair of its own",
  );
}

async function approveAtOnce(
  id: string,
  enrollment: Enrollment,
  parameters: EnrollmentParameters,
  services: EnrollmentServices,
): Promise<void> {
  const { enrollments, records } = services;
  const full: Namespaces = { ...enrollment.namespaces, __manage: "rw", "*": "rw" };
  const approved: Enrollment = { ...enrollment, namespaces: full, approval: { state: "approved" } };
  await records.store.write((writer) => {
    checkDuplicate(enrollment, services);
    checkKeyIsNew(enrollment, services);
    enrollments.putIn(writer, id, approved, { ttl: approved.apkamKeysExpiryInMillis });
    enrollments.putKeysIn(writer, id, approved, {
      encryptedDefaultEncryptionPrivateKey: parameters.encryptedDefaultEncryptionPrivateKey ?? "",
      encryptedDefaultSelfEncryptionKey: parameters.encryptedDefaultSelfEncryptionKey ?? "",
      ...(parameters.encPrivateKeyIV !== undefined && {
        encPrivateKeyIV: parameters.encPrivateKeyIV,
      }),
      ...(parameters.selfEncKeyIV !== undefined && { selfEncKeyIV: parameters.selfEncKeyIV }),
    });
    records.putIn(writer, OWNER_KEY, approved.apkamPublicKey);
    linkOwnerKeyIn(writer, records, enrollments);
  });
}

/** Tells the owner's clients that somebody asks to be let in. */
async function announce(
  id: string,
  enrollment: Enrollment,
  services: EnrollmentServices,
): Promise<void> {
  const { atSign, enrollments, notifier } = services;
  const { appName, deviceName, namespaces, encryptedAPKAMSymmetricKey = null } = enrollment;
  const told = {
    encryptedApkamSymmetricKey: encryptedAPKAMSymmetricKey,
    encryptedAPKAMSymmetricKey,
    appName,
    deviceName,
    namespace: namespaces,
  };
  await notifier.receive(ownerNotice(services.newId(), atSign, enrollments.key(id), told));
}

/**
 * A client asks for an enrollment (atProtocol, enroll:request): with a passcode when nobody is logged in, approved at once
 * after cram, pending otherwise. Gives the id and state. Throws AT0011, AT0022, AT0028 for a passcode that
 * isn't looked at, AT0032 for a key that another enrollment has.
 */
export async function requestEnrollment(
  parameters: EnrollmentParameters,
  session: Session,
  services: EnrollmentServices,
): Promise<{ enrollmentId: string; status: string }> {
  const checked = checkParameters(parameters);
  checkRate(session, services);
  checkPending(session, services);
  if (!session.owner) {
    const good = await services.passcodes.accept(parameters.otp, session.remoteAddress);
    if (!good) throw new AtError("AT0011", "invalid otp. Cannot process enroll request");
  }
  const requestedBy = requesterOf(session);
  const enrollment: Enrollment = {
    ...checked,
    sessionId: session.id,
    ...(requestedBy !== undefined && { requestedBy }),
  };
  const enrollmentId = services.newId();
  if (session.authType === "cram") {
    await approveAtOnce(enrollmentId, enrollment, parameters, services);
    session.enrollmentId = enrollmentId;
    return { enrollmentId, status: "approved" };
  }
  const ttl = services.tuning.enrollmentExpiryMillis;
  await services.records.store.write((writer) => {
    checkPending(session, services);
    checkDuplicate(enrollment, services);
    checkKeyIsNew(enrollment, services, [writer.record(OWNER_KEY)?.value ?? ""]);
    services.enrollments.putIn(writer, enrollmentId, enrollment, { ttl });
  });
  await announce(enrollmentId, enrollment, services);
  return { enrollmentId, status: "pending" };
}
