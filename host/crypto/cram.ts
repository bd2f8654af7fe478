// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";

/**
 * The answer to a challenge (atProtocol, the cram verb): 128 hex digits of SHA-512 over the secret's
 * text, which is not hex-decoded, and the challenge's.
 */
export function cramDigest(secret: string, challenge: string): string {
  return createHash("sha512").update(secret).update(challenge).digest("hex");
}
