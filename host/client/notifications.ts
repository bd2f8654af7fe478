// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import { formatMetadataFragment, type Metadata, metadataFromJson } from "../wire/metadata.ts";
import type { PlainValue, ValueCipher } from "./cipher.ts";
import { jsonObject, type PutOptions, type Records, readAtKey } from "./records.ts";
import type { Session } from "./session.ts";

export type NotificationState = "delivered" | "queued" | "errored" | "expired";

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
};

/** A monitor's line, read but not decrypted. */
export type NotificationEnvelope = Omit<ReceivedNotification, "value"> & {
  readonly ciphertext: string | undefined;
  readonly isEncrypted: boolean;
  readonly metadata: Metadata;
};

/** Sends `notify` (atProtocol, the notify verb) for an atKey `@bob:name.ns@me`; resolves to the id. */
export async function sendNotification(
  session: Session,
  records: Records,
  text: string,
  value: PlainValue | undefined,
  options: NotifyOptions,
): Promise<string> {
  const target = readAtKey(text);
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
  return await session.request(`${head}${fragment}:${target.key}:${encoded.text}`);
}

/** What became of a notification; undefined when the atServer doesn't know the id. */
export async function notificationState(
  session: Session,
  id: string,
): Promise<NotificationState | undefined> {
  const answer = await session.request(`notify:status:${id}`);
  const states: readonly NotificationState[] = ["delivered", "queued", "errored", "expired"];
  return states.find((state) => state === answer);
}

/** Reads the JSON of a monitor's line. Throws AT0014 for what is no notification. */
export function readNotification(text: string): NotificationEnvelope {
  const json = jsonObject(text);
  const { id, from, to, key, value, operation, epochMillis, isEncrypted, metadata } = json;
  if (typeof id !== "string" || typeof from !== "string" || typeof key !== "string") {
    throw new AtError("AT0014", "a notification without id, from or key");
  }
  return {
    id,
    from: normalizeAtSign(from),
    to: typeof to === "string" ? to : "",
    key,
    operation: operation === "delete" ? "delete" : "update",
    epochMillis: Number(epochMillis),
    ciphertext: typeof value === "string" && value !== "null" ? value : undefined,
    isEncrypted: String(isEncrypted) === "true",
    metadata: metadataFromJson(
      typeof metadata === "object" && metadata !== null ? { ...metadata } : {},
    ),
  };
}

/** Decrypts with the key of its sender; a notification to oneself with the self key. */
export async function openNotification(
  cipher: ValueCipher,
  atSign: string,
  envelope: NotificationEnvelope,
): Promise<ReceivedNotification> {
  const { ciphertext, isEncrypted, metadata, ...rest } = envelope;
  if (ciphertext === undefined || rest.operation === "delete") return { ...rest, value: undefined };
  if (!isEncrypted) return { ...rest, value: cipher.decodePublic(ciphertext, metadata) };
  const value =
    rest.from === atSign
      ? cipher.decodeSelf(ciphertext, metadata)
      : await cipher.decodeSharedWithMe(ciphertext, metadata, rest.from);
  return { ...rest, value };
}
