// SPDX-License-Identifier: BSD-3-Clause
import { alpha, encryptValue, unwrapKey, type World } from "./world.ts";

/** What the approving client leaves; null in place of an IV: none. */
export type Answer = {
  readonly encryptionKey?: string;
  readonly selfKey?: string;
  readonly ivs?: readonly [string | null, string | null];
};

export const IVS = ["+cJII8KdZWV8jCcBittbVQ==", "XuYYvbKqV+vTLZ/P8rvGdQ=="] as const;

/** Approves what is pending as the manager's client does: opens the symmetric key and leaves the two keys. */
export function approve(world: World, answer: Answer = {}): void {
  const { ivs = IVS } = answer;
  for (const e of world.enrollments.values()) {
    if (e.status !== "pending") continue;
    e.status = "approved";
    const key = unwrapKey(e.symmetric, alpha);
    const leave = (name: string, text: string, iv: string | null) =>
      world.records.set(`${e.id}.${name}.__manage@alpha`, {
        value: JSON.stringify({
          value: encryptValue(text, key, iv || null),
          ...(iv === null ? {} : { iv }),
        }),
      });
    const { privateKeyPkcs8Base64 } = alpha.encryption;
    leave("default_enc_private_key", answer.encryptionKey ?? privateKeyPkcs8Base64, ivs[0]);
    leave("default_self_enc_key", answer.selfKey ?? alpha.selfEncryptionKeyBase64, ivs[1]);
  }
}
