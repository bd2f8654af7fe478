// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import {
  formatMetadataFragment,
  LAST_INSTANT,
  type Metadata,
  metadataFromJson,
} from "../wire/metadata.ts";
import type { PlainValue, ValueCipher } from "./cipher.ts";
import {
  jsonObject,
  type PutOptions,
  type Records,
  readAtKey,
  requireUnreserved,
} from "./records.ts";
import type { Session } from "./session.ts";

/** What became of a notification that was sent (atProtocol, notify:status). */
export type NotificationState = "delivered" | "queued" | "errored" | "expired";

/** As for a record, and what is the notification's own. */
export type NotifyOptions = PutOptions & {
  /** UUID; the same id twice is one notification. Made by the atServer when absent. */
  readonly id?: string | undefined;
  /** Life of the notification itself in ms. */
  readonly ttln?: number | undefined;
};

/** A notification as a monitor's listener gets it. */
export type ReceivedNotification = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly key: string;
  readonly operation: "update" | "delete";
  readonly epochMillis: number;
  /** Decrypted; undefined for a delete, or when the sender announced a key alone. */
  readonly value: PlainValue | undefined;
  /** False for plaintext, which anyone on its way could have written, and where there is no value. */
  readonly encrypted: boolean;
};

/** A monitor's line, read but not decrypted. */
export type NotificationEnvelope = Omit<ReceivedNotification, "value" | "encrypted"> & {
  readonly ciphertext: string | undefined;
  readonly isEncrypted: boolean;
  /** The key is the message itself (deprecated). */
  readonly isText: boolean;
  readonly metadata: Metadata;
};

/**
 * Sends `notify` (atProtocol, the notify verb) for an atKey `@bob:name.ns@me`; without a value it announces a deletion. Resolves
 * to the notification's id. Rejects with AT0016 for a key that is invalid, reserved or without recipient, AT0022 for bytes,
 * AT0014 when it was sent but the recipient may be unable to read it, and as Session.request.
 */
export async function sendNotification(
  session: Session,
  records: Records,
  text: string,
  value: PlainValue | undefined,
  options: NotifyOptions,
): Promise<string> {
  const target = readAtKey(text);
  requireUnreserved(target);
  if (typeof value !== "string" && value !== undefined) {
    const remedy = "put a record and notify its key, or write the bytes as base64";
    throw new AtError("AT0022", `a notification carries text only: ${remedy}`);
  }
  if (target.parts.sharedWith === undefined) {
    throw new AtError("AT0016", `"${text}" names no recipient: write @recipient:name.ns@owner`);
  }
  const { id, ttln, ttl, ttb, ttr, ccd } = options;
  const head = [
    "notify",
    ...(id === undefined ? [] : [`id:${id}`]),
    value === undefined ? "delete" : "update",
    "messageType:key",
    ...(ttln === undefined ? [] : [`ttln:${ttln}`]),
  ].join(":");
  if (value === undefined) return await session.request(`${head}:${target.key}`);
  const encoded = await records.encode(target, value);
  const fragment = formatMetadataFragment({ ttl, ttb, ttr, ccd, ...encoded.metadata });
  const notified = await session.request(`${head}${fragment}:${target.key}:${encoded.text}`);
  if (encoded.complaint !== undefined) throw encoded.complaint;
  return notified;
}

/** What became of a notification; undefined when the atServer doesn't know the id. Rejects as Session.request. */
export async function notificationState(
  session: Session,
  id: string,
): Promise<NotificationState | undefined> {
  const answer = await session.request(`notify:status:${id}`);
  const states: readonly NotificationState[] = ["delivered", "queued", "errored", "expired"];
  return states.find((state) => state === answer);
}

/** Reads the JSON of a monitor's line. Throws AT0014 for anything but a notification. */
export function readNotification(text: string): NotificationEnvelope {
  const json = jsonObject(text);
  const { id, from, to, key, value, operation, messageType, isEncrypted, metadata } = json;
  if (typeof id !== "string" || typeof from !== "string" || typeof key !== "string") {
    throw new AtError("AT0014", "a notification without id, from or key");
  }
  return {
    id,
    from: normalizeAtSign(from),
    to: typeof to === "string" ? to : "",
    key,
    operation: operation === "delete" ? "delete" : "update",
    epochMillis: instantOf(json.epochMillis),
    ciphertext: typeof value === "string" && value !== "null" ? value : undefined,
    isEncrypted: String(isEncrypted) === "true",
    isText: /\btext$/i.test(String(messageType)),
    metadata: metadataFromJson(
      typeof metadata === "object" && metadata !== null ? { ...metadata } : {},
    ),
  };
}

/** What a server says an instant is: whole ms that a date can say, or 0, which is before all that is waited for. */
function instantOf(value: unknown): number {
  const instant = typeof value === "string" ? Number(value || "x") : value;
  const possible = typeof instant === "number" && Number.isInteger(instant);
  return possible && instant > 0 && instant <= LAST_INSTANT ? instant : 0;
}

/** The atServer's own word that somebody asks for an enrollment; never encrypted. */
const ENROLLMENT_REQUEST = /^(?:@[^:@]+:)?[^:@]+\.new\.enrollments\.__manage@/;

/**
 * Decrypts with the key of its sender; a notification to oneself with the self key. Rejects with AT0014 for plaintext, unless
 * it is accepted.
 */
export async function openNotification(
  cipher: ValueCipher,
  atSign: string,
  envelope: NotificationEnvelope,
  acceptPlaintext: boolean,
): Promise<ReceivedNotification> {
  const { ciphertext, isEncrypted, isText, metadata, ...rest } = envelope;
  const own = rest.from === atSign;
  if (rest.operation === "delete") return { ...rest, value: undefined, encrypted: false };
  const accepted = acceptPlaintext || (own && ENROLLMENT_REQUEST.test(rest.key));
  const what = `the notification ${rest.key} of ${rest.from}`;
  if (ciphertext === undefined) {
    // A key that is announced says nothing; a text message is its key.
    if (isText && !isEncrypted) cipher.decodeUnprotected("", metadata, what, accepted);
    return { ...rest, value: undefined, encrypted: false };
  }
  if (!isEncrypted) {
    return { ...rest, ...cipher.decodeUnprotected(ciphertext, metadata, what, accepted) };
  }
  const value = own
    ? cipher.decodeSelf(ciphertext, metadata)
    : await cipher.decodeSharedWithMe(ciphertext, metadata, rest.from);
  return { ...rest, value, encrypted: true };
}
