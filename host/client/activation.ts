// SPDX-License-Identifier: BSD-3-Clause
// Activation of a fresh atSign with its CRAM secret (atProtocol, onboarding).
import { aesEncryptText, generateAesKey, ZERO_IV } from "../crypto/aesCtr.ts";
import type { AtKeys } from "../crypto/keyFile.ts";
import { generateP256KeyPair } from "../crypto/p256.ts";
import { generateRsaKeyPair } from "../crypto/rsa.ts";
import { AtError } from "../wire/errors.ts";
import type { AtConnection } from "./connection.ts";
import { jsonObject } from "./records.ts";
import { loginCram, type NetworkOptions, openAtServer, openLoggedIn } from "./session.ts";

/** Whom to activate, with what, and where its new keys go. */
export type ActivationOptions = {
  readonly atSign: string;
  readonly cramSecret: string;
  /** Of the PKAM key; RSA-2048, which every atSDK can use, when absent. */
  readonly keyAlgorithm?: "p256" | "rsa2048" | undefined;
  /**
   * Puts the keys where they are safe, and returns only when they are. Called before anything that
   * can't be undone; when it rejects the atSign can still be activated with its secret.
   */
  readonly save: (keys: AtKeys) => Promise<void>;
};

/**
 * Makes the atSign's keys, enrols the first application, publishes the public key and deletes the
 * secret. Rejects with AT0401 for a wrong secret and AT0015 when the atSign is activated already.
 */
export async function activate(
  options: ActivationOptions,
  network: NetworkOptions,
): Promise<AtKeys> {
  const { atSign } = options;
  const cram = await openAtServer(atSign, network);
  let keys: AtKeys;
  try {
    await loginCram(cram, atSign, options.cramSecret);
    keys = await enrollFirst(cram, options);
  } finally {
    cram.close();
  }
  const connection = await openLoggedIn(atSign, keys, network);
  try {
    await options.save(keys);
    await connection.request(
      `update:isEncrypted:false:public:publickey${atSign} ${keys.encryptPublicKey}`,
    );
    await connection.request("delete:privatekey:at_secret");
  } finally {
    connection.close();
  }
  return keys;
}

/** A request on a connection with a CRAM login is approved at once, with access to everything. */
async function enrollFirst(
  connection: AtConnection,
  { atSign, keyAlgorithm }: ActivationOptions,
): Promise<AtKeys> {
  const encryption = await generateRsaKeyPair();
  const pkam = keyAlgorithm === "p256" ? generateP256KeyPair() : await generateRsaKeyPair();
  const selfEncryptionKey = generateAesKey();
  const apkamSymmetricKey = generateAesKey();
  const wrap = (key: string): string => aesEncryptText(key, apkamSymmetricKey, ZERO_IV);
  const parameters = {
    appName: "firstApp",
    deviceName: "firstDevice",
    encryptedDefaultEncryptionPrivateKey: wrap(encryption.privateKey),
    encryptedDefaultSelfEncryptionKey: wrap(selfEncryptionKey),
    apkamPublicKey: pkam.publicKey,
  };
  const reply = jsonObject(
    await connection.request(`enroll:request:${JSON.stringify(parameters)}`),
  );
  const { enrollmentId, status } = reply;
  if (typeof enrollmentId !== "string" || status !== "approved") {
    throw new AtError("AT0014", "the atServer did not approve the first enrollment");
  }
  return {
    atSign,
    pkamPublicKey: pkam.publicKey,
    pkamPrivateKey: pkam.privateKey,
    encryptPublicKey: encryption.publicKey,
    encryptPrivateKey: encryption.privateKey,
    selfEncryptionKey,
    apkamSymmetricKey,
    enrollmentId,
  };
}
