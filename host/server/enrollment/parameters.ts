// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import type { Namespaces } from "../access/enrollments.ts";
import {
  isSigningAlgorithm,
  type SigningAlgorithm,
  signingAlgorithms,
} from "../access/signatures.ts";

/** The JSON object of an enroll command; members not given are absent. */
export interface EnrollmentParameters {
  enrollmentId?: string;
  appName?: string;
  deviceName?: string;
  namespaces?: Namespaces;
  otp?: string;
  encryptedDefaultEncryptionPrivateKey?: string;
  encPrivateKeyIV?: string;
  encryptedDefaultSelfEncryptionKey?: string;
  selfEncKeyIV?: string;
  encryptedAPKAMSymmetricKey?: string;
  apkamPublicKey?: string;
  enrollmentStatusFilter?: string[];
  apkamKeysExpiryInMillis?: number;
  /** How the client signs its pkam logins. */
  signingAlgo?: SigningAlgorithm;
  /** What the client tells other enrolled clients about itself; kept as it is. */
  metadata?: Record<string, unknown>;
}

const texts = [
  "enrollmentId",
  "appName",
  "deviceName",
  "otp",
  "encryptedDefaultEncryptionPrivateKey",
  "encPrivateKeyIV",
  "encryptedDefaultSelfEncryptionKey",
  "selfEncKeyIV",
  "encryptedAPKAMSymmetricKey",
  "apkamPublicKey",
] as const;

function parseObject(json: string): Record<string, unknown> {
  try {
    const value = parseJson(json, jsonLimits.enrollment);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    const { fault, message } = cause;
    const what =
      fault === "malformed" ? "enroll parameters are not JSON" : `enroll JSON ${message}`;
    throw new AtError("AT0011", `FormatException: ${what}`, { cause, closes: true });
  }
  throw new AtError("AT0022", "Enroll parameters not provided");
}

function readNamespaces(value: unknown): Namespaces | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const namespaces = Object.entries(value).map(([name, access]) => {
    if (access === "r" || access === "rw") return [name.toLowerCase(), access];
    throw new AtError("AT0022", "access to a namespace has to be r or rw");
  });
  return Object.fromEntries(namespaces);
}

function readSigningAlgorithm(value: unknown): SigningAlgorithm | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" && isSigningAlgorithm(value)) return value;
  throw new AtError("AT0022", `signingAlgo has to be ${signingAlgorithms.join(" or ")}`);
}

/** Reads the parameters; unknown members are left out. Throws AT0011 (closing) for bad JSON, AT0022. */
export function parseParameters(json: string): EnrollmentParameters {
  const object = parseObject(json);
  const parameters: EnrollmentParameters = {};
  for (const name of texts) {
    const value = object[name];
    if (typeof value === "string" && value !== "") parameters[name] = value;
  }
  const namespaces = readNamespaces(object.namespaces);
  if (namespaces !== undefined) parameters.namespaces = namespaces;
  const filter = object.enrollmentStatusFilter;
  if (Array.isArray(filter)) parameters.enrollmentStatusFilter = filter.map(String);
  const expiry = Number(object.apkamKeysExpiryInMillis ?? object.apkamKeysExpiryDuration ?? 0);
  if (!Number.isSafeInteger(expiry) || expiry < 0) {
    throw new AtError("AT0022", "apkamKeysExpiryInMillis has to be a whole number of milliseconds");
  }
  parameters.apkamKeysExpiryInMillis = expiry;
  const signingAlgo = readSigningAlgorithm(object.signingAlgo);
  if (signingAlgo !== undefined) parameters.signingAlgo = signingAlgo;
  const { metadata } = object;
  if (typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)) {
    parameters.metadata = metadata as Record<string, unknown>;
  }
  return parameters;
}

/** The parameter, or AT0011 in the protocol's words. */
export function mandatory(
  parameters: EnrollmentParameters,
  name: (typeof texts)[number],
  operation: string,
  wording: string = name,
): string {
  const value = parameters[name];
  if (value !== undefined) return value;
  throw new AtError("AT0011", `${wording} is mandatory for ${operation}`);
}
