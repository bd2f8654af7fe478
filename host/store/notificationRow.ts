// SPDX-License-Identifier: BSD-3-Clause
import type { Notification } from "../wire/notification.ts";

/** Places of members in a row. */
export const ID = 0;
export const EXPIRES_AT = 14;

/** A notification as it is kept: its members without their names, in this order; a new one is added at the end. */
export type NotificationRow = ReturnType<typeof rowOf>;

export function rowOf(notification: Notification) {
  return [
    notification.id,
    notification.from,
    notification.to,
    notification.key,
    notification.type,
    notification.operation,
    notification.messageType,
    notification.priority,
    notification.status,
    notification.retryCount,
    notification.strategy,
    notification.notifier,
    notification.depth,
    notification.createdAt,
    notification.expiresAt,
    notification.ttl,
    notification.value,
    notification.isEncrypted,
    notification.metadata,
  ] as const;
}

export function notificationOf(row: NotificationRow): Notification {
  const [
    id,
    from,
    to,
    key,
    type,
    operation,
    messageType,
    priority,
    status,
    retryCount,
    strategy,
    notifier,
    depth,
    createdAt,
    expiresAt,
    ttl,
    value,
    isEncrypted,
    metadata,
  ] = row;
  return {
    id,
    from,
    to,
    key,
    type,
    operation,
    messageType,
    priority,
    status,
    retryCount,
    strategy,
    notifier,
    depth,
    createdAt,
    expiresAt,
    ttl,
    value,
    isEncrypted,
    metadata,
  };
}
