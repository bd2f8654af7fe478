// SPDX-License-Identifier: BSD-3-Clause
import type { Notification } from "../wire/notification.ts";

/** A notification as it is kept: its members without their names, in this order; a new one is added at the end. */
export type NotificationRow = readonly [
  id: Notification["id"],
  from: Notification["from"],
  to: Notification["to"],
  key: Notification["key"],
  type: Notification["type"],
  operation: Notification["operation"],
  messageType: Notification["messageType"],
  priority: Notification["priority"],
  status: Notification["status"],
  retryCount: Notification["retryCount"],
  strategy: Notification["strategy"],
  notifier: Notification["notifier"],
  depth: Notification["depth"],
  createdAt: Notification["createdAt"],
  expiresAt: Notification["expiresAt"],
  ttl: Notification["ttl"],
  value: Notification["value"],
  isEncrypted: Notification["isEncrypted"],
  metadata: Notification["metadata"],
];

/** Places of members in a row. */
export const ID = 0;
export const EXPIRES_AT = 14;

export function rowOf(notification: Notification): NotificationRow {
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
  ];
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
