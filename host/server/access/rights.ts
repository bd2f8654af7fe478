// SPDX-License-Identifier: BSD-3-Clause
import { type AtKey, parseAtKey } from "../../wire/atkey.ts";
import type { MetadataOptions } from "../../wire/metadata.ts";
import type { NotificationOperation } from "../../wire/notification.ts";
import { reservedKind } from "../../wire/reservedKey.ts";
import type { Namespaces } from "./enrollments.ts";

/** What a verb does with a key; `remove` deletes the record, or has the copies of others deleted. */
export type Access = "read" | "write" | "remove";

/** What an approved enrollment was granted. */
export interface Rights {
  /** The enrollment's id. */
  readonly id: string;
  readonly namespaces: Namespaces;
}

/** Where enrollments are kept: only an entry of that name gives anything there, and nothing but otp, enroll and monitor. */
export const MANAGE = "__manage";
const EVERYTHING = "*";
/** Where each enrollment has an area of its own, `<id>.a.__e`. */
const AREAS = "__e";
/** What the atServer tells its clients. */
const SERVER = "__atserver";
const SECRET = "privatekey:at_secret";

/** The enrolled namespace that decides about a key (atProtocol, namespace authorisation); undefined when none does. */
export function decidingNamespace(namespaces: Namespaces, key: string): string | undefined {
  const { entity, namespace } = parseAtKey(key);
  const enrolled = Object.keys(namespaces);
  if (namespace !== undefined) {
    const name = `.${entity}.${namespace}`;
    const found =
      enrolled.find((candidate) => `.${namespace}`.endsWith(`.${candidate}`)) ??
      enrolled.find((candidate) => name.endsWith(`.${candidate}`));
    if (found !== undefined) return found;
  }
  return enrolled.includes(EVERYTHING) ? EVERYTHING : undefined;
}

/** Whether an enrollment has all rights: everything, and the enrollments. */
export function isRoot(namespaces: Namespaces): boolean {
  return namespaces[EVERYTHING] === "rw" && namespaces[MANAGE] === "rw";
}

function suffices(granted: string | undefined, access: Access): boolean {
  return granted === "rw" || (granted === "r" && access === "read");
}

function byEverything(namespaces: Namespaces, access: Access): boolean {
  return suffices(namespaces[EVERYTHING], access);
}

/** Whether an enrollment may write in at least one namespace of data. */
function writesSomewhere(namespaces: Namespaces): boolean {
  return Object.entries(namespaces).some(([name, right]) => name !== MANAGE && right === "rw");
}

function isOwnArea({ entity }: AtKey, id: string): boolean {
  return `.${entity}`.endsWith(`.${id}.a`);
}

function areaGrants(key: AtKey, id: string, access: Access): boolean {
  if (isOwnArea(key, id)) return true;
  return key.visibility === "public" && access === "read";
}

function namespaceGrants({ id, namespaces }: Rights, key: string, access: Access): boolean {
  const parts = parseAtKey(key);
  if (parts.visibility === "private" || parts.visibility === "privatekey") return false;
  switch (parts.namespace) {
    case MANAGE:
      return false;
    case AREAS:
      return areaGrants(parts, id, access);
    case SERVER:
      return access === "read";
    default: {
      const deciding = decidingNamespace(namespaces, key);
      if (deciding === undefined || deciding === MANAGE) return false;
      return suffices(namespaces[deciding], access);
    }
  }
}

/** A copy of the key another atSign shares with the own one. */
function isCachedSharedKey(key: string): boolean {
  return key.startsWith("cached:@") && reservedKind(key.slice("cached:".length)) === "sharedKey";
}

/**
 * Whether an enrollment may do something with a key (atProtocol, rights by key class). A key that can't be read is judged by
 * its namespace; no record has one.
 */
export function grants(rights: Rights, key: string, access: Access): boolean {
  const { namespaces } = rights;
  if (Object.keys(namespaces).length === 0) return false;
  switch (reservedKind(key)) {
    case "sharedKey":
      if (access === "remove") return byEverything(namespaces, access);
      return access === "read" || writesSomewhere(namespaces);
    case "publicKey":
      return access === "read" || isRoot(namespaces);
    case "signingPublicKey":
      return access === "read";
    // The atServer keeps them itself: who changes one is taken for that atSign.
    case "cachedPublicKey":
      return access === "read" || isRoot(namespaces);
    // With it the atServer proves to others whose it is: who has read it can do so for ever.
    case "signingPrivateKey":
      return false;
    case "internal":
      return key === SECRET && access === "remove" && isRoot(namespaces);
    case "note":
      return byEverything(namespaces, access);
    default:
      if (access === "read" && isCachedSharedKey(key)) return true;
      return namespaceGrants(rights, key, access);
  }
}

/** Whether an enrollment's monitor and lists show a notification about a key. */
export function seesNotification(rights: Rights, key: string): boolean {
  if (parseAtKey(key).namespace === MANAGE) return MANAGE in rights.namespaces;
  return grants(rights, key, "read");
}

/** Whether an enrollment's scan lists a key: with `*` all it may read, otherwise public ones and those of its namespaces. */
export function lists(rights: Rights, key: string): boolean {
  if (Object.keys(rights.namespaces).length === 0) return false;
  const { visibility, namespace } = parseAtKey(key);
  if (namespace === MANAGE) return false;
  if (visibility === "public") return true;
  if (EVERYTHING in rights.namespaces) return grants(rights, key, "read");
  return reservedKind(key) === undefined && namespaceGrants(rights, key, "read");
}

/**
 * Whether metadata makes a record expire, hides it until later or keeps it as it is for ever: then it is as good as removed
 * for whoever needs it, and takes the right to that too.
 */
export function takesAway(options: MetadataOptions): boolean {
  const { ttl, ttb, immutable, expiresAt, availableAt } = options;
  if ((ttl ?? 0) !== 0 || (ttb ?? 0) !== 0 || immutable === true) return true;
  return typeof expiresAt === "number" || typeof availableAt === "number";
}

/** What telling others of a key is: a deletion has their copies deleted. */
export function accessOf({ operation }: { operation: NotificationOperation }): Access {
  return operation === "delete" ? "remove" : "write";
}
