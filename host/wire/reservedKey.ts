// SPDX-License-Identifier: BSD-3-Clause
import { ATSIGN, OWNER, SHARED, whole } from "./atkeyGrammar.ts";

/**
 * What a reserved record is for (atProtocol, reserved records): the atServer's own affairs, a client's own note `_x`, the
 * symmetric key two atSigns share (for the other one, or the own copy), the owner's public encryption key, the atServer's
 * signing pair, and copies of the public keys of others.
 */
export type ReservedKind =
  | "internal"
  | "note"
  | "sharedKey"
  | "publicKey"
  | "signingPublicKey"
  | "signingPrivateKey"
  | "cachedPublicKey";

const INTERNAL =
  "at_pkam_publickey|at_pkam_privatekey|privatekey|self_encryption_key|at_secret|at_secret_deleted|signing_keypair_generated|commitLogCompactionStats|accessLogCompactionStats|notificationCompactionStats";

const kinds: readonly (readonly [kind: ReservedKind, key: RegExp])[] = [
  ["sharedKey", whole(`${SHARED}shared_key${OWNER}|shared_key\\.${ATSIGN}${OWNER}`)],
  ["publicKey", whole(`public:publickey${OWNER}`)],
  ["signingPublicKey", whole(`public:signing_publickey${OWNER}`)],
  ["signingPrivateKey", whole(`${SHARED}signing_privatekey${OWNER}`)],
  ["cachedPublicKey", whole(`cached:public:(?:signing_)?publickey${OWNER}`)],
  ["internal", whole(`privatekey:(?:${INTERNAL})|configkey|private:blocklist${OWNER}`)],
  ["note", whole(`_[\\w.\\-'*"]+`)],
];

/** What a key is reserved for; undefined when it isn't. The whole key has to fit, not a part of it. */
export function reservedKind(key: string): ReservedKind | undefined {
  return kinds.find(([, pattern]) => pattern.test(key))?.[0];
}
