// SPDX-License-Identifier: BSD-3-Clause
import { keyType, MAX_CACHED_KEY_LENGTH } from "../../wire/atkey.ts";
import { AtError } from "../../wire/errors.ts";
import { jsonBytes } from "../../wire/json.ts";
import { MAX_LINE_BYTES } from "../../wire/line.ts";
import type { NewNotification } from "../notifications/notifier.ts";
import { cacheOptions } from "../peers/lookupAnswer.ts";
import { sizeOfNotification } from "../peers/peerUsage.ts";
import type { Services } from "./services.ts";

function cachedKeyOf(notification: NewNotification): string {
  const key = `cached:${notification.key}`;
  if (key.length > MAX_CACHED_KEY_LENGTH) {
    throw new AtError(
      "AT0016",
      `notification key length ${key.length} is greater than ${MAX_CACHED_KEY_LENGTH} chars`,
    );
  }
  return key;
}

/** Keeps, renews or drops the cached copy a notification is about (atProtocol, sending and receiving between servers). */
async function updateCache(notification: NewNotification, services: Services): Promise<void> {
  const { records, monitors } = services;
  const { metadata = {}, operation, value } = notification;
  if (notification.messageType === "text") return;
  const caches = metadata.ttr !== undefined && metadata.ttr !== 0;
  if (operation === "update" && !caches) return;
  const key = cachedKeyOf(notification);
  if (keyType(key) === "invalidKey") return;
  if (key === `cached:public:publickey${notification.from}`) {
    // Never dropped, and never changed unnoticed: the keys shared under the earlier one have to be set aside.
    if (operation === "update" && value !== undefined) {
      await services.publicKeys.keep(notification.from, value, metadata);
    }
    return;
  }
  const held = records.get(key);
  if (operation === "delete") {
    if (held?.metadata.ccd === true) monitors.pushStats(await records.remove(key), "delete");
    return;
  }
  if (value === undefined && held === undefined) return;
  const { createdAt, updatedAt, expiresAt } = metadata;
  const options = {
    ...cacheOptions(metadata),
    ...(createdAt !== undefined && { createdAt }),
    ...(updatedAt !== undefined && { updatedAt }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
  const how = { createdBy: notification.from, metadataOnly: value === undefined };
  const release = services.usage.reserveCopy(key, notification.from, value ?? null, options);
  try {
    monitors.pushStats(await records.put(key, value ?? null, options, how), "update");
  } finally {
    release();
  }
}

/** Throws AT0022 for one that makes a monitor's line longer than a line may be: escaped, a text can have six times its bytes. */
function demandReadable({ key, value, metadata = {} }: NewNotification): void {
  const texts = [key, value, ...Object.values(metadata)].filter((each) => typeof each === "string");
  const bytes = texts.reduce((sum, text) => sum + jsonBytes(text), 0);
  if (bytes > MAX_LINE_BYTES) throw new AtError("AT0022", "The notification is too long");
}

/**
 * Takes a peer's notification: cached copy first, then the notification; a known id is taken again without effect. Throws
 * AT0028 when too much of the peer is kept already, AT0022 for one that no monitor could read.
 */
export async function acceptFromPeer(
  notification: NewNotification,
  services: Services,
): Promise<void> {
  demandReadable(notification);
  if (await services.notifier.isKept(notification.id)) return;
  const release = services.usage.reserve("notifications", notification.from, {
    count: 1,
    bytes: sizeOfNotification(notification),
  });
  try {
    await updateCache(notification, services);
    await services.notifier.receive(notification);
  } finally {
    release();
  }
}
