// SPDX-License-Identifier: BSD-3-Clause
import { generateKeyPairSync, sign } from "node:crypto";
import { identity, signChallenge } from "./world.ts";

/** What an enrolled client logs in with. */
export interface ApkamKeys {
  /** As `apkamPublicKey` carries it. */
  readonly publicKey: string;
  /** The signature of a challenge, as pkam carries it. */
  sign(challenge: string): string;
}

/** A P-256 pair nobody else has: every enrollment of an atSign needs one of its own. */
export function newApkamKeys(): ApkamKeys {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-65);
  return {
    publicKey: point.toString("hex"),
    sign: (challenge) => {
      const key = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
      return sign("sha256", Buffer.from(challenge), key).toString("base64");
    },
  };
}

/** The RSA pair of @alpha or @bravo. */
export function apkamKeysOf(name: "@alpha" | "@bravo"): ApkamKeys {
  const { publicKey, privateKey } = identity(name);
  return { publicKey, sign: (challenge) => signChallenge(privateKey, challenge) };
}
