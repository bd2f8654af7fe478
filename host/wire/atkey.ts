// SPDX-License-Identifier: BSD-3-Clause
import { ENTITY, OWNER, SHARED, whole } from "./atkeyGrammar.ts";
import { AtError } from "./errors.ts";
import { reservedKind } from "./reservedKey.ts";

/** Longest record key without `cached:`, in UTF-16 units (atProtocol, keys). */
export const MAX_KEY_LENGTH = 248;
/** Longest record key with its `cached:`, in UTF-16 units. */
export const MAX_CACHED_KEY_LENGTH = 255;

/** Gives a key back. Throws AT0016 when it is longer than a record's key may be. */
export function demandKeyLength(key: string): string {
  const max = key.startsWith("cached:") ? MAX_CACHED_KEY_LENGTH : MAX_KEY_LENGTH;
  if (key.length <= max) return key;
  throw new AtError("AT0016", `key length ${key.length} is greater than max allowed ${max} chars`);
}

/** Kinds of records, by their key (atProtocol, key types). */
export type KeyType =
  | "reservedKey"
  | "publicKey"
  | "privateKey"
  | "sharedKey"
  | "selfKey"
  | "cachedPublicKey"
  | "cachedSharedKey"
  | "localKey"
  | "invalidKey";

const publicKey = whole(`public:${ENTITY}${OWNER}`);
const privateKey = whole(`private:(?:${SHARED})?${ENTITY}${OWNER}`);
const ownKey = whole(`(?<shared>${SHARED})?${ENTITY}(?<owner>${OWNER})`);
const cachedPublicKey = whole(`cached:public:${ENTITY}${OWNER}`);
const cachedSharedKey = whole(`cached:${SHARED}${ENTITY}${OWNER}`);
const localKey = whole(`local:${ENTITY}${OWNER}`);

let judged: { readonly key: string; readonly type: KeyType } | undefined;

/** Which kind of record a key names (atProtocol, key types); the first rule that fits decides. */
export function keyType(key: string): KeyType {
  if (key.length > 2 * MAX_CACHED_KEY_LENGTH) return "invalidKey";
  // One command asks for the same key several times.
  if (judged?.key !== key) judged = { key, type: judge(key) };
  return judged.type;
}

function judge(key: string): KeyType {
  if (reservedKind(key) !== undefined) return "reservedKey";
  if (publicKey.test(key)) return "publicKey";
  if (privateKey.test(key)) return "privateKey";
  const own = ownKey.exec(key);
  if (own !== null) {
    const { shared, owner } = own.groups ?? {};
    return shared === undefined || shared === `${owner}:` ? "selfKey" : "sharedKey";
  }
  if (cachedPublicKey.test(key)) return "cachedPublicKey";
  if (cachedSharedKey.test(key)) return "cachedSharedKey";
  if (localKey.test(key)) return "localKey";
  return "invalidKey";
}

/** What a key may begin with, before the colon, in place of a recipient. */
export type Visibility = "public" | "private" | "privatekey" | "local";

/** The parts of a record key `[cached:][visibility:|@sharedWith:]entity[.namespace][@owner]`. */
export interface AtKey {
  cached: boolean;
  visibility?: Visibility;
  /** atSign the record is shared with, with its `@`. */
  sharedWith?: string;
  /** Name without namespace. */
  entity: string;
  /** What follows the last dot of the name. */
  namespace?: string;
  /** Owner's atSign with its `@`; absent in `privatekey:` and local `_` keys. */
  owner?: string;
}

const VISIBILITIES: readonly Visibility[] = ["public", "private", "privatekey", "local"];

/** Splits a key into its parts without judging it; `keyType` says whether it is one. */
export function parseAtKey(key: string): AtKey {
  let rest = key;
  const cached = rest.startsWith("cached:");
  if (cached) rest = rest.slice("cached:".length);
  const visibility = VISIBILITIES.find((name) => rest.startsWith(`${name}:`));
  if (visibility !== undefined) rest = rest.slice(visibility.length + 1);
  let sharedWith: string | undefined;
  if (rest.startsWith("@") && rest.includes(":")) {
    sharedWith = rest.slice(0, rest.indexOf(":"));
    rest = rest.slice(sharedWith.length + 1);
  }
  const at = rest.lastIndexOf("@");
  const name = at < 0 ? rest : rest.slice(0, at);
  const dot = name.lastIndexOf(".");
  return {
    cached,
    ...(visibility !== undefined && { visibility }),
    ...(sharedWith !== undefined && { sharedWith }),
    entity: dot < 0 ? name : name.slice(0, dot),
    ...(dot >= 0 && { namespace: name.slice(dot + 1) }),
    ...(at >= 0 && { owner: rest.slice(at) }),
  };
}

/** Joins the parts again: the inverse of `parseAtKey`. */
export function formatAtKey(key: AtKey): string {
  const prefix = key.cached ? "cached:" : "";
  const visibility = key.visibility === undefined ? "" : `${key.visibility}:`;
  const sharedWith = key.sharedWith === undefined ? "" : `${key.sharedWith}:`;
  const namespace = key.namespace === undefined ? "" : `.${key.namespace}`;
  return `${prefix}${visibility}${sharedWith}${key.entity}${namespace}${key.owner ?? ""}`;
}

/** How a key is stored: trimmed, lower case, without spaces. */
export function canonicalKey(key: string): string {
  return key.trim().toLowerCase().replaceAll(" ", "");
}

/**
 * The stored form of a key that a command names. Throws AT0016 when it is longer than a key may be: every verb that takes a
 * key reads it here, before it is looked up, noted or logged.
 */
export function namedKey(text: string): string {
  return demandKeyLength(canonicalKey(text));
}

/** The key without the first part that says whom it is for: `public:` or an atSign. */
export function withoutScope(key: string): string {
  return key.replace(/^(?:public:|@[^:]+:)/, "");
}

/** Whether writes of this key enter the commit log (atProtocol, what is committed). */
export function isCommittedKey(key: string): boolean {
  if (key.startsWith("public:__")) return true;
  return !/^(?:private:|privatekey:|local:|public:_)/.test(key);
}
