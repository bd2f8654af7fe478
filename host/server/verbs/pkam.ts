// SPDX-License-Identifier: BSD-3-Clause
import { AtError, type ErrorCode } from "../../wire/errors.ts";
import { type EnrollmentState, invalidEnrollment } from "../access/enrollments.ts";
import { takeChallenge } from "../access/loginChallenge.ts";
import { isLastWayIn, OWNER_KEY, ownerKeyHolder } from "../access/ownerKey.ts";
import { resetLogin } from "../access/session.ts";
import {
  algorithmOf,
  type HashingAlgorithm,
  type SigningAlgorithm,
  verifyPkam,
} from "../access/signatures.ts";
import { keyNotFound } from "../records/records.ts";
import type { Services } from "./services.ts";
import { data, type Verb } from "./verb.ts";

const refusals: Partial<Record<EnrollmentState, ErrorCode>> = {
  denied: "AT0025",
  pending: "AT0026",
  revoked: "AT0027",
};

interface LoginKey {
  publicKey: string;
  /** The enrollment's, in its one spelling. */
  enrollmentId?: string;
  /** Recorded with the key; what the command says doesn't count then. */
  signingAlgo?: SigningAlgorithm;
}

/** The key of an approved enrollment. Throws by value why it may not log in. */
function enrolledKey(id: string, services: Services): LoginKey {
  const found = services.enrollments.get(id);
  if (found === undefined || found.state === "expired") throw invalidEnrollment(id);
  const code = refusals[found.state];
  if (code !== undefined) {
    throw new AtError(code, `enrollment_id: ${id} is ${found.state}`, { byValue: true });
  }
  const { apkamPublicKey: publicKey, signingAlgo } = found.enrollment;
  const key = { publicKey, enrollmentId: found.id };
  return signingAlgo === undefined ? key : { ...key, signingAlgo };
}

function ownerKey({ records }: Services): LoginKey {
  const record = records.get(OWNER_KEY);
  if (record === undefined) throw keyNotFound(OWNER_KEY);
  if (!record.value) throw new AtError("AT0401", "pkam publickey not found");
  return { publicKey: record.value };
}

/**
 * The enrollment a login with the owner's key is one of: the one that has the same key, with all that comes of it. Undefined
 * for the owner's own key, and for a revoked one's while nobody else could get in. Throws by value why it may not log in.
 */
function holderOfOwnerKey(services: Services): string | undefined {
  const { records, enrollments } = services;
  const record = records.get(OWNER_KEY);
  const all = enrollments.list();
  const holder = record && ownerKeyHolder(record, all);
  if (holder === undefined) return undefined;
  if (holder.found?.state === "revoked" && isLastWayIn(records, all)) return undefined;
  return enrolledKey(holder.id, services).enrollmentId;
}

/** Login with the owner's or an enrollment's key pair (atProtocol, the pkam verb). */
export const pkam: Verb = {
  name: "pkam",
  accepts: (command) => command.startsWith("pkam:"),
  auth: "none",
  grammar:
    /^pkam:(?:signingAlgo:(?<signingAlgo>ecc_secp256r1|rsa2048):)?(?:hashingAlgo:(?<hashingAlgo>sha256|sha512):)?(?:enrollmentId:(?<enrollmentId>[^:]+):)?(?<signature>.+)$/is,
  usage: "pkam:[signingAlgo:<algorithm>:][hashingAlgo:<algorithm>:][enrollmentId:<id>:]<signature>",
  run(args, session, services) {
    const { signature = "" } = args;
    const { atSign } = services;
    const uuid = takeChallenge(session, atSign, services.now());
    const key =
      args.enrollmentId === undefined
        ? ownerKey(services)
        : enrolledKey(args.enrollmentId, services);
    const { publicKey, signingAlgo = args.signingAlgo?.toLowerCase() } = key;
    const signing = (signingAlgo ?? algorithmOf(publicKey)) as SigningAlgorithm;
    const hashing = (args.hashingAlgo?.toLowerCase() ?? "sha256") as HashingAlgorithm;
    const challenge = `${session.id}${atSign}:${uuid}`;
    const proven =
      uuid !== undefined && verifyPkam(signing, hashing, publicKey, signature, challenge);
    if (!proven) {
      resetLogin(session);
      throw new AtError("AT0401", "pkam authentication failed");
    }
    resetLogin(session);
    const enrollmentId = key.enrollmentId ?? holderOfOwnerKey(services);
    session.owner = true;
    session.authType = enrollmentId === undefined ? "pkam" : "apkam";
    if (enrollmentId !== undefined) session.enrollmentId = enrollmentId;
    services.fromRate.loggedIn(session, "own");
    services.records.logAccess(atSign, "pkam");
    return data("success");
  },
};
