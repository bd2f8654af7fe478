// SPDX-License-Identifier: BSD-3-Clause
// APKAM (atProtocol, APKAM enrollment): keys of an application or device of its own, approved by
// whoever manages the atSign.
import { setTimeout as pause } from "node:timers/promises";
import {
  aesDecryptText,
  aesEncryptText,
  generateAesKey,
  generateIv,
  ZERO_IV,
} from "../crypto/aesCtr.ts";
import type { AtKeys } from "../crypto/keyFile.ts";
import { generateP256KeyPair } from "../crypto/p256.ts";
import type { PkamIdentity } from "../crypto/pkam.ts";
import { generateRsaKeyPair, rsaDecrypt, rsaEncrypt } from "../crypto/rsa.ts";
import { AtError } from "../wire/errors.ts";
import type { AtConnection } from "./connection.ts";
import { jsonObject } from "./records.ts";
import { loginPkam, type NetworkOptions, openAtServer, type Session } from "./session.ts";

/** Access to each namespace: read, or read and write. */
export type Namespaces = Readonly<Record<string, "r" | "rw">>;
export type EnrollmentStatus = "pending" | "approved" | "denied" | "revoked" | "expired";

export type Enrollment = {
  readonly id: string;
  readonly appName: string;
  readonly deviceName: string;
  readonly namespaces: Namespaces;
  readonly status: string;
};

export type EnrollmentRequest = {
  readonly atSign: string;
  readonly appName: string;
  readonly deviceName: string;
  readonly namespaces: Namespaces;
  /** One-time passcode, from a manager of the atSign. */
  readonly otp: string;
  /** P-256 when absent. */
  readonly keyAlgorithm?: "p256" | "rsa2048" | undefined;
};

/** A request that waits for approval; its keys are nowhere else. */
export type PendingEnrollment = PkamIdentity & {
  readonly atSign: string;
  readonly enrollmentId: string;
  readonly apkamSymmetricKey: string;
  readonly encryptPublicKey: string;
};

const POLL_MILLIS = 5_000;
const MANAGED_SUFFIX = ".new.enrollments.__manage";

/** Asks for an enrollment on a connection without a login. Rejects with AT0011 for a wrong passcode. */
export async function requestEnrollment(
  request: EnrollmentRequest,
  network: NetworkOptions,
): Promise<PendingEnrollment> {
  const { atSign, appName, deviceName, namespaces, otp } = request;
  const pair =
    request.keyAlgorithm === "rsa2048" ? await generateRsaKeyPair() : generateP256KeyPair();
  const apkamSymmetricKey = generateAesKey();
  const connection = await openAtServer(atSign, network);
  try {
    const encryptPublicKey = await connection.request(`lookup:publickey${atSign}`);
    const parameters = {
      appName,
      deviceName,
      namespaces,
      otp,
      encryptedAPKAMSymmetricKey: rsaEncrypt(apkamSymmetricKey, encryptPublicKey),
      apkamPublicKey: pair.publicKey,
    };
    const reply = jsonObject(
      await connection.request(`enroll:request:${JSON.stringify(parameters)}`),
    );
    const { enrollmentId } = reply;
    if (typeof enrollmentId !== "string") {
      throw new AtError("AT0014", "the atServer's answer to the enrollment has no id");
    }
    return {
      atSign,
      enrollmentId,
      pkamPublicKey: pair.publicKey,
      pkamPrivateKey: pair.privateKey,
      apkamSymmetricKey,
      encryptPublicKey,
    };
  } finally {
    connection.close();
  }
}

/**
 * Tries to log in until the request is approved, then fetches the atSign's keys. Rejects with
 * AT0025 when it was denied, AT0028 when it expired, and with the signal's reason.
 */
export async function awaitApproval(
  pending: PendingEnrollment,
  network: NetworkOptions,
  options: { readonly pollMillis?: number; readonly signal?: AbortSignal } = {},
): Promise<AtKeys> {
  for (;;) {
    const connection = await openAtServer(pending.atSign, network);
    try {
      await loginPkam(connection, pending.atSign, pending);
      return await fetchKeys(connection, pending);
    } catch (error) {
      if (!(error instanceof AtError && error.code === "AT0026")) throw error;
    } finally {
      connection.close();
    }
    await pause(options.pollMillis ?? POLL_MILLIS, undefined, { signal: options.signal });
  }
}

async function fetchKeys(connection: AtConnection, pending: PendingEnrollment): Promise<AtKeys> {
  const { atSign, enrollmentId, apkamSymmetricKey } = pending;
  const fetch = async (name: string): Promise<string> => {
    const record = `${enrollmentId}.${name}.__manage${atSign}`;
    const { value, iv } = jsonObject(await connection.request(`keys:get:keyName:${record}`));
    if (typeof value !== "string") throw new AtError("AT0014", `${record} holds no key`);
    return aesDecryptText(value, apkamSymmetricKey, typeof iv === "string" ? iv : ZERO_IV);
  };
  return {
    ...pending,
    encryptPrivateKey: await fetch("default_enc_private_key"),
    selfEncryptionKey: await fetch("default_self_enc_key"),
  };
}

/** The enrollments of the atSign, those of the given states when there are any. */
export async function listEnrollments(
  session: Session,
  states: readonly EnrollmentStatus[] = [],
): Promise<Enrollment[]> {
  const filter =
    states.length === 0 ? "" : `:${JSON.stringify({ enrollmentStatusFilter: states })}`;
  const listed = jsonObject(await session.request(`enroll:list${filter}`));
  return Object.entries(listed).map(([key, value]) => readEnrollment(key, value));
}

/**
 * Approves a request: encrypts this atSign's keys to its symmetric key. Rejects with AT0011 when it
 * isn't pending, AT0015 when there is none of that id.
 */
export async function approveEnrollment(
  session: Session,
  keys: AtKeys,
  enrollmentId: string,
): Promise<void> {
  const fetched = jsonObject(
    await session.request(`enroll:fetch:${JSON.stringify({ enrollmentId })}`),
  );
  const wrapped = fetched.encryptedAPKAMSymmetricKey;
  if (typeof wrapped !== "string") {
    throw new AtError("AT0014", `the enrollment ${enrollmentId} came without its key`);
  }
  const apkamSymmetricKey = rsaDecrypt(wrapped, keys.encryptPrivateKey);
  const encPrivateKeyIV = generateIv();
  const selfEncKeyIV = generateIv();
  const parameters = {
    enrollmentId,
    encryptedDefaultEncryptionPrivateKey: aesEncryptText(
      keys.encryptPrivateKey,
      apkamSymmetricKey,
      encPrivateKeyIV,
    ),
    encryptedDefaultSelfEncryptionKey: aesEncryptText(
      keys.selfEncryptionKey,
      apkamSymmetricKey,
      selfEncKeyIV,
    ),
    encPrivateKeyIV,
    selfEncKeyIV,
  };
  await session.request(`enroll:approve:${JSON.stringify(parameters)}`);
}

/** Denies a pending request, or revokes an approved enrollment, whose live connections then end. */
export async function endEnrollment(
  session: Session,
  operation: "deny" | "revoke",
  enrollmentId: string,
): Promise<void> {
  await session.request(`enroll:${operation}:${JSON.stringify({ enrollmentId })}`);
}

function readEnrollment(key: string, value: unknown): Enrollment {
  const fields: Record<string, unknown> =
    typeof value === "object" && value !== null ? { ...value } : {};
  const end = key.indexOf(MANAGED_SUFFIX);
  const { namespace } = fields;
  return {
    id: end < 0 ? key : key.slice(0, end),
    appName: String(fields.appName ?? ""),
    deviceName: String(fields.deviceName ?? ""),
    namespaces: readNamespaces(namespace),
    status: String(fields.status ?? ""),
  };
}

function readNamespaces(value: unknown): Namespaces {
  const namespaces: Record<string, "r" | "rw"> = {};
  if (typeof value !== "object" || value === null) return namespaces;
  for (const [name, access] of Object.entries(value)) {
    if (access === "r" || access === "rw") namespaces[name] = access;
  }
  return namespaces;
}
