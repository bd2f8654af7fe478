// SPDX-License-Identifier: BSD-3-Clause
// APKAM (atProtocol, APKAM enrollment): keys of an application or device of its own, approved by
// whoever manages the atSign.
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
import { generateRsaKeyPair, rsaEncrypt, rsaKeysFit, rsaUnwrapKey } from "../crypto/rsa.ts";
import { Retry, retries } from "../net/retries.ts";
import { AtError } from "../wire/errors.ts";
import type { AtConnection } from "./connection.ts";
import { jsonObject } from "./records.ts";
import { loginPkam, type NetworkOptions, openAtServer, type Session } from "./session.ts";

/** Access to each namespace: read, or read and write. */
export type Namespaces = Readonly<Record<string, "r" | "rw">>;
/** What became of a request to enroll (atProtocol, APKAM enrollment). */
export type EnrollmentStatus = "pending" | "approved" | "denied" | "revoked" | "expired";

/** An enrollment as the atServer lists it; `status` is an EnrollmentStatus, or another word of a newer server. */
export type Enrollment = {
  readonly id: string;
  readonly appName: string;
  readonly deviceName: string;
  readonly namespaces: Namespaces;
  readonly status: string;
};

/** What an application or device asks for. */
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

/** Why an answer without IVs is refused, and what it costs to take it. */
const LEGACY_ANSWER =
  "the approving application encrypted the atSign's two keys with one keystream, as those of 2024 do: whoever runs the atServer, or reads its store, can work out the self key from that and read all that this atSign keeps for itself";

/**
 * How to wait for approval: `pollMillis` is the first pause between two tries, the protocol's when absent; `signal` ends
 * it.
 */
export type ApprovalOptions = {
  readonly pollMillis?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with what it costs when an answer without IVs is accepted; without this function it is refused. */
  readonly onLegacyAnswer?: ((cost: string) => void) | undefined;
};

/** A key as `keys:get` gives it: ciphertext, and IV unless the approver knew none. */
type KeyAnswer = { readonly ciphertext: string; readonly iv: string | undefined };

const MANAGED_SUFFIX = ".new.enrollments.__manage";

/**
 * Asks for an enrollment on a connection without a login. Rejects with AT0011 for a wrong passcode, with AT0028 for one that
 * wasn't looked at because there were too many wrong ones: it is still good.
 */
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
 * Tries to log in until the request is approved, then fetches the atSign's keys. Rejects with AT0025 when it was denied,
 * AT0028 when it expired, AT0023 when nobody decided for 48 hours, AT0014 for keys that are not to be used, and with the
 * signal's reason.
 */
export async function awaitApproval(
  pending: PendingEnrollment,
  network: NetworkOptions,
  options: ApprovalOptions = {},
): Promise<AtKeys> {
  const { pollMillis, signal } = options;
  const { enrollmentApproval: policy } = retries;
  const pace = pollMillis === undefined ? policy : { ...policy, firstMillis: pollMillis };
  const retry = new Retry(pace, network.pause);
  for (;;) {
    const keys = await tryToLogIn(pending, network, options);
    if (keys !== undefined) return keys;
    if (!(await retry.again(signal))) {
      throw new AtError("AT0023", "the request was neither approved nor denied in 48 hours");
    }
  }
}

/** The keys when the request is approved, undefined while it is pending. */
async function tryToLogIn(
  pending: PendingEnrollment,
  network: NetworkOptions,
  options: ApprovalOptions,
): Promise<AtKeys | undefined> {
  const connection = await openAtServer(pending.atSign, network);
  try {
    await loginPkam(connection, pending.atSign, pending);
    return await fetchKeys(connection, pending, options);
  } catch (error) {
    if (error instanceof AtError && error.code === "AT0026") return undefined;
    throw error;
  } finally {
    connection.close();
  }
}

/** Nothing is opened before both keys are here: what is asked doesn't depend on what they hold. */
async function fetchKeys(
  connection: AtConnection,
  pending: PendingEnrollment,
  { onLegacyAnswer }: ApprovalOptions,
): Promise<AtKeys> {
  const privateKey = await fetchKey(connection, pending, "default_enc_private_key");
  const selfKey = await fetchKey(connection, pending, "default_self_enc_key");
  if (!isSafe(privateKey, selfKey)) {
    if (onLegacyAnswer === undefined) {
      const remedy =
        "approve the request with a newer application, or take this answer all the same (--accept-legacy-answer)";
      throw new AtError("AT0014", `${LEGACY_ANSWER}; ${remedy}`);
    }
    onLegacyAnswer(LEGACY_ANSWER);
  }
  const keys = {
    ...pending,
    encryptPrivateKey: openKey(privateKey, pending),
    selfEncryptionKey: openKey(selfKey, pending),
  };
  checkKeys(keys);
  return keys;
}

async function fetchKey(
  connection: AtConnection,
  { atSign, enrollmentId }: PendingEnrollment,
  name: string,
): Promise<KeyAnswer> {
  const record = `${enrollmentId}.${name}.__manage${atSign}`;
  const { value, iv } = jsonObject(await connection.request(`keys:get:keyName:${record}`));
  if (typeof value !== "string") throw new AtError("AT0014", `${record} holds no key`);
  return { ciphertext: value, iv: typeof iv === "string" ? iv : undefined };
}

/** Both have an IV of their own, so no keystream is used twice. */
function isSafe({ iv: one }: KeyAnswer, { iv: other }: KeyAnswer): boolean {
  if (one === undefined || other === undefined || one === ZERO_IV || other === ZERO_IV)
    return false;
  return !Buffer.from(one, "base64").equals(Buffer.from(other, "base64"));
}

function openKey({ ciphertext, iv }: KeyAnswer, { apkamSymmetricKey }: PendingEnrollment): string {
  try {
    return aesDecryptText(ciphertext, apkamSymmetricKey, iv ?? ZERO_IV);
  } catch (cause) {
    throw wrongKeys(cause);
  }
}

/** Throws AT0014 unless the private key is the one of the public key that is published, and the self key is one. */
function checkKeys({ encryptPublicKey, encryptPrivateKey, selfEncryptionKey }: AtKeys): void {
  const isSelfKey = /^[A-Za-z0-9+/]{43}=$/.test(selfEncryptionKey);
  try {
    if (isSelfKey && rsaKeysFit(encryptPublicKey, encryptPrivateKey)) return;
  } catch (cause) {
    throw wrongKeys(cause);
  }
  throw wrongKeys();
}

function wrongKeys(cause?: unknown): AtError {
  const message = "the keys that came with the approval are not those of the atSign's public key";
  const remedy = "nothing was saved; revoke the enrollment and ask anew";
  return new AtError("AT0014", `${message}: ${remedy}`, { cause });
}

/**
 * The enrollments of the atSign in one of these states, all when none is given. Rejects with AT0014 for an answer that
 * can't be read, and as Session.request.
 */
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
 * Approves a request: encrypts this atSign's keys to its symmetric key. Resolves to what was approved, as it was before. Rejects
 * with AT0011 when it isn't pending, AT0015 for an unknown id, AT0014 after an approval that can't be used.
 */
export async function approveEnrollment(
  session: Session,
  keys: AtKeys,
  enrollmentId: string,
): Promise<Enrollment> {
  const fetched = jsonObject(
    await session.request(`enroll:fetch:${JSON.stringify({ enrollmentId })}`),
  );
  const wrapped = fetched.encryptedAPKAMSymmetricKey;
  if (typeof wrapped !== "string") {
    throw new AtError("AT0014", `the enrollment ${enrollmentId} came without its key`);
  }
  // Whether this is a key at all may not be seen from outside.
  const { key: apkamSymmetricKey, wasHeld } = rsaUnwrapKey(wrapped, keys.encryptPrivateKey);
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
  if (wasHeld) return readEnrollment(enrollmentId, fetched);
  const message = `${enrollmentId} is approved, but asked with a key that can't be opened, and so has none of the atSign's`;
  throw new AtError("AT0014", `${message}: revoke it`);
}

/**
 * Denies a pending request, or revokes an approved enrollment, whose open connections the atServer then closes. Rejects with
 * AT0011 when it is in another state, AT0028 for an unknown id, AT0031 for revoking the own one.
 */
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
