// SPDX-License-Identifier: BSD-3-Clause
import { parseAtKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import type { NotificationOperation } from "../../wire/notification.ts";
import type { Services } from "./services.ts";

/** Notifies a shared record's recipient of a change (atProtocol, auto-notify); the own atSign gets none. */
export async function autoNotify(
  key: string,
  operation: NotificationOperation,
  value: string | undefined,
  services: Services,
): Promise<void> {
  const { sharedWith, owner } = parseAtKey(key);
  if (!services.tuning.autoNotify || sharedWith === undefined || sharedWith === owner) return;
  const to = normalizeAtSign(sharedWith);
  if (to === services.atSign) return;
  const metadata = services.records.get(key)?.metadata;
  const described = operation === "update" && metadata !== undefined;
  try {
    await services.notifier.send({
      id: services.newId(),
      from: services.atSign,
      to,
      key,
      type: "sent",
      operation,
      messageType: "key",
      priority: "low",
      strategy: "all",
      notifier: "system",
      depth: 1,
      ttl: services.tuning.notificationExpiryMillis,
      isEncrypted: metadata?.isEncrypted ?? false,
      ...(value !== undefined && { value }),
      ...(described && { metadata }),
    });
  } catch (cause) {
    throw new AtError("AT0002", "the notification can't be stored", { cause });
  }
}
