// SPDX-License-Identifier: BSD-3-Clause
// The .atKeys file: the keys of one atSign, or of one enrollment of it. The whole file is secret.
import { homedir } from "node:os";
import { join } from "node:path";
import { atSignName, normalizeAtSign } from "../wire/atsign.ts";
import { JsonError, jsonLimits, parseJson } from "../wire/json.ts";
import { aesDecryptText, aesEncryptText, ZERO_IV } from "./aesCtr.ts";
import { createSecretFile, readSecretFile } from "./secretFile.ts";

/** Keys as the atProtocol carries them: RSA base64 of SPKI and PKCS#8, AES base64 of 32 bytes. */
export type AtKeys = {
  readonly atSign: string;
  readonly pkamPublicKey: string;
  readonly pkamPrivateKey: string;
  readonly encryptPublicKey: string;
  readonly encryptPrivateKey: string;
  readonly selfEncryptionKey: string;
  readonly apkamSymmetricKey?: string | undefined;
  readonly enrollmentId?: string | undefined;
};

/** A key file that can't be used; the message names the file and what to do. */
export class KeyFileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "KeyFileError";
  }
}

const encryptedFields = {
  aesPkamPublicKey: "pkamPublicKey",
  aesPkamPrivateKey: "pkamPrivateKey",
  aesEncryptPublicKey: "encryptPublicKey",
  aesEncryptPrivateKey: "encryptPrivateKey",
} as const;

/** Where an atSign's keys are by custom: `~/.atsign/keys/@alice_key.atKeys`. */
export function defaultKeyFile(atSign: string, home: string = homedir()): string {
  return join(home, ".atsign", "keys", `@${atSignName(atSign)}_key.atKeys`);
}

/** The JSON text of a key file; the four RSA fields encrypted under the self key with the zero IV. */
export function formatKeyFile(keys: AtKeys): string {
  const fields: Record<string, string> = {};
  for (const [field, name] of Object.entries(encryptedFields)) {
    fields[field] = aesEncryptText(keys[name], keys.selfEncryptionKey, ZERO_IV);
  }
  fields.selfEncryptionKey = keys.selfEncryptionKey;
  fields[keys.atSign] = keys.selfEncryptionKey;
  if (keys.apkamSymmetricKey !== undefined) fields.apkamSymmetricKey = keys.apkamSymmetricKey;
  if (keys.enrollmentId !== undefined) fields.enrollmentId = keys.enrollmentId;
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/** Reads the text of a key file. Throws KeyFileError; `name` is what its message calls the file. */
export function parseKeyFile(text: string, atSign: string, name: string): AtKeys {
  const fields = parseFields(text, name);
  if ("iv" in fields && "content" in fields) {
    throw new KeyFileError(
      `${name} is protected by a passphrase, which this version can't open: unwrap it with the tool that wrote it`,
    );
  }
  const take = (field: string): string => {
    const value = fields[field];
    if (typeof value !== "string" || value === "") {
      throw new KeyFileError(`${name} has no ${field}: it is not a complete .atKeys file`);
    }
    return value;
  };
  const selfEncryptionKey = take("selfEncryptionKey");
  const decrypt = (field: keyof typeof encryptedFields): string => {
    const ciphertext = take(field);
    try {
      return aesDecryptText(ciphertext, selfEncryptionKey, ZERO_IV);
    } catch (cause) {
      throw new KeyFileError(`${name} is damaged: ${field} can't be decrypted`, { cause });
    }
  };
  const optional = (field: string): string | undefined =>
    typeof fields[field] === "string" ? fields[field] : undefined;
  return {
    atSign: normalizeAtSign(atSign),
    pkamPublicKey: decrypt("aesPkamPublicKey"),
    pkamPrivateKey: decrypt("aesPkamPrivateKey"),
    encryptPublicKey: decrypt("aesEncryptPublicKey"),
    encryptPrivateKey: decrypt("aesEncryptPrivateKey"),
    selfEncryptionKey,
    apkamSymmetricKey: optional("apkamSymmetricKey"),
    enrollmentId: optional("enrollmentId"),
  };
}

/** Reads a key file. Throws KeyFileError, or the file system's error when it can't be read. */
export async function readKeyFile(path: string, atSign: string): Promise<AtKeys> {
  return parseKeyFile(await readSecretFile(path), atSign, path);
}

/**
 * Writes a new key file (0600, atomically), then reads it back and compares: when this returns, the
 * keys are safe on disk. An existing file is never replaced: rejects with EEXIST.
 */
export async function writeKeyFile(path: string, keys: AtKeys): Promise<void> {
  await createSecretFile(path, formatKeyFile(keys));
  const written = await readKeyFile(path, keys.atSign);
  for (const name of Object.keys(keys) as (keyof AtKeys)[]) {
    if (written[name] !== keys[name]) {
      throw new KeyFileError(`${path} does not hold what was written to it: check the disk`);
    }
  }
}

function parseFields(text: string, name: string): Record<string, unknown> {
  let fields: unknown;
  try {
    fields = parseJson(text, jsonLimits.file);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    const remedy = "it is not an .atKeys file, or it is damaged";
    throw new KeyFileError(`${name} ${cause.message}: ${remedy}`);
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new KeyFileError(`${name} is not a JSON object: it is not an .atKeys file`);
  }
  return { ...fields };
}
