// SPDX-License-Identifier: BSD-3-Clause
import { formatTime, sentAppMetadata } from "../../wire/metadata.ts";
import type { Notification } from "../../wire/notification.ts";
import { isExpired } from "../notifications/lane.ts";
import { data, type Verb } from "./verb.ts";

function describe(notification: Notification, expired: boolean): Record<string, string> {
  const { metadata, expiresAt } = notification;
  return {
    id: notification.id,
    fromAtSign: notification.from,
    notificationDateTime: formatTime(notification.createdAt),
    toAtSign: notification.to,
    notification: notification.key,
    type: `NotificationType.${notification.type}`,
    opType: `OperationType.${notification.operation}`,
    messageType: `MessageType.${notification.messageType}`,
    priority: `NotificationPriority.${notification.priority}`,
    notificationStatus: `NotificationStatus.${expired ? "expired" : notification.status}`,
    retryCount: String(notification.retryCount),
    strategy: notification.strategy,
    depth: String(notification.depth),
    notifier: notification.notifier,
    expiresAt: expiresAt === undefined ? "null" : formatTime(expiresAt),
    atValue: notification.value ?? "null",
    atMetadata:
      metadata === undefined
        ? "null"
        : JSON.stringify({ ...metadata, appMetadata: sentAppMetadata(metadata) }),
    ttl: String(notification.ttl ?? null),
  };
}

/** One notification, every member a string (atProtocol, notify:fetch). */
export const notifyFetch: Verb = {
  name: "notify:fetch",
  accepts: (command) => command.startsWith("notify:fetch"),
  auth: "owner",
  grammar: /^notify:fetch:(?<notificationId>\S{1,248})$/i,
  usage: "notify:fetch:<id>",
  run(args, session, services) {
    const id = args.notificationId ?? "";
    const found = services.notifier.get(id);
    if (found === undefined) {
      return data(JSON.stringify({ id, notificationStatus: "NotificationStatus.expired" }));
    }
    services.authorization.demand(session, "fetch notify", found.key, "read");
    return data(JSON.stringify(describe(found, isExpired(found, services.now()))));
  },
};
