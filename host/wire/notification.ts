// SPDX-License-Identifier: BSD-3-Clause
import { atSignName } from "./atsign.ts";
import { formatMetadataFragment, formatTime, type Metadata, sentAppMetadata } from "./metadata.ts";

/** Whether this atServer's owner sent a notification, received it, or sent it to itself. */
export type NotificationType = "sent" | "received" | "self";
/** What happened to the key. */
export type NotificationOperation = "update" | "delete";
/** Whether the key names a record or is itself the message (deprecated). */
export type MessageType = "key" | "text";
/** What became of a notification on its way to the recipient (atProtocol, notify:status). */
export type NotificationStatus = "delivered" | "errored" | "queued" | "expired";

/** A notification as both servers keep it (atProtocol, stored object). Instants are ms since the epoch. */
export interface Notification {
  id: string;
  from: string;
  to: string;
  /** The record's key, or the text of a text message behind `@recipient:`. */
  key: string;
  type: NotificationType;
  operation: NotificationOperation;
  messageType: MessageType;
  priority: "low" | "medium" | "high";
  status: NotificationStatus;
  retryCount: number;
  strategy: "all" | "latest";
  notifier: string;
  depth: number;
  createdAt: number;
  expiresAt?: number;
  /** Life in ms. */
  ttl?: number;
  value?: string;
  isEncrypted: boolean;
  metadata?: Metadata;
}

/** The parts of a text as the grammar cuts it: `<atKey>[@<atSign>][:<value>]`. */
interface TextParts {
  readonly atKey?: string;
  readonly atSign?: string;
  readonly value?: string;
}

/**
 * The key of a text message: whom it is for, and the text. Clients append `@<sender>` to a text; it is not part of the text.
 */
export function textKey(
  to: string,
  { atKey = "", atSign, value }: TextParts,
  sender: string,
): string {
  const rest = value === undefined ? "" : `:${value}`;
  const isAppended = rest === "" && `@${atSign?.toLowerCase().replaceAll(".", "")}` === sender;
  const tail = atSign === undefined || isAppended ? "" : `@${atSign}`;
  return `${to}:${atKey}${tail}${rest}`;
}

/** The object pushed to monitors and listed by notify:list; one shape for both, members in the order peers expect. */
export function notificationToJson(notification: Notification): Record<string, unknown> {
  const metadata = notification.metadata ?? {};
  const appMetadata = sentAppMetadata(metadata);
  const text = (instant: number | undefined): string =>
    instant === undefined ? "null" : formatTime(instant);
  return {
    id: notification.id,
    from: notification.from,
    to: notification.to,
    key: notification.key,
    value: notification.value ?? null,
    operation: notification.operation,
    epochMillis: notification.createdAt,
    messageType: `MessageType.${notification.messageType}`,
    isEncrypted: notification.isEncrypted,
    metadata: {
      encKeyName: metadata.encKeyName ?? null,
      encAlgo: metadata.encAlgo ?? null,
      ivNonce: metadata.ivNonce ?? null,
      skeEncKeyName: metadata.skeEncKeyName ?? null,
      skeEncAlgo: metadata.skeEncAlgo ?? null,
      sharedKeyEnc: metadata.sharedKeyEnc ?? null,
      pubKeyCS: metadata.pubKeyCS ?? null,
      availableAt: text(metadata.availableAt),
      expiresAt: text(notification.expiresAt),
      ...(metadata.pubKeyHash !== undefined && {
        pubKeyHash: JSON.stringify(metadata.pubKeyHash),
      }),
      ...(metadata.dataSignature !== undefined && { dataSignature: metadata.dataSignature }),
      ...(appMetadata !== undefined && { appMetadata }),
    },
  };
}

/** The line a monitor gets, without its line feed. */
export function formatNotificationLine(notification: Notification): string {
  return `notification: ${JSON.stringify(notificationToJson(notification))}`;
}

/** The line that tells monitors of a change and keeps their connections alive (atProtocol, statsNotification). */
export function formatStatsLine(
  atSign: string,
  commitId: number,
  operation: NotificationOperation,
  epochMillis: number,
): string {
  return `notification: ${JSON.stringify({
    id: "-1",
    from: atSign,
    to: atSign,
    key: `statsNotification.${atSign}`,
    value: String(commitId),
    operation,
    epochMillis,
    messageType: "MessageType.key",
    isEncrypted: false,
    metadata: null,
  })}`;
}

/** The `notify:` command by which one atServer hands a notification to another. */
export function formatPeerNotify(notification: Notification): string {
  const { metadata } = notification;
  const head = [
    `notify:id:${notification.id}`,
    notification.operation,
    `messageType:${notification.messageType}`,
    `notifier:${notification.notifier}`,
    `ttln:${notification.ttl ?? 0}`,
  ].join(":");
  const fragment =
    metadata === undefined ? "" : formatMetadataFragment(peerOptions(notification, metadata));
  const value = notification.value === undefined ? "" : `:${notification.value}`;
  return `${head}${fragment}:${notification.key}${value}`;
}

function peerOptions(notification: Notification, metadata: Metadata): Metadata {
  const caching =
    metadata.ttr === undefined || metadata.ttr === 0
      ? {}
      : { ttr: metadata.ttr, ccd: metadata.ccd ?? false };
  const { sharedKeyEnc, pubKeyCS, pubKeyHash, encoding } = metadata;
  const { encKeyName, encAlgo, ivNonce, skeEncKeyName, skeEncAlgo, appMetadata } = metadata;
  return {
    ttl: metadata.ttl ?? 0,
    ttb: metadata.ttb ?? 0,
    ...caching,
    isEncrypted: notification.isEncrypted,
    sharedKeyEnc,
    pubKeyCS,
    pubKeyHash,
    encoding,
    encKeyName,
    encAlgo,
    ivNonce,
    skeEncKeyName,
    skeEncAlgo,
    appMetadata,
  };
}

/** What a client's regular expression becomes. */
export interface TextPattern {
  /** Whether it matches anywhere in the text. */
  test(text: string): boolean;
}

/** Whether a filter wants a notification: the pattern fits its key or the name of its sender. */
export function notificationMatches(notification: Notification, regex: TextPattern): boolean {
  return regex.test(notification.key) || regex.test(atSignName(notification.from));
}
