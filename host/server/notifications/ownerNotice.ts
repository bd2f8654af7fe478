// SPDX-License-Identifier: BSD-3-Clause
import { ENROLLMENT_NOTICE_TTL_MILLIS } from "../config/config.ts";
import type { NewNotification } from "./notifier.ts";

/** A notification of this atServer for its owner, about a key of `__manage`; monitors get it with `selfNotifications`. */
export function ownerNotice(
  id: string,
  atSign: string,
  key: string,
  value: Record<string, unknown>,
): NewNotification {
  return {
    id,
    from: atSign,
    to: atSign,
    key,
    type: "self",
    operation: "update",
    messageType: "key",
    priority: "low",
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    ttl: ENROLLMENT_NOTICE_TTL_MILLIS,
    isEncrypted: false,
    value: JSON.stringify(value),
  };
}
