// SPDX-License-Identifier: BSD-3-Clause
import { canonicalKey, namedKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { type Metadata, parseMetadataFragment } from "../../wire/metadata.ts";
import { textKey } from "../../wire/notification.ts";
import { accessOf, takesAway } from "../access/rights.ts";
import { signWithServerKey } from "../access/signatures.ts";
import type { NewNotification } from "../notifications/notifier.ts";
import type { Services } from "./services.ts";
import { type Arguments, spacedData, type Verb } from "./verb.ts";

/** The recipients as typed, each with its one spelling; the same atSign typed twice counts once. */
function recipients(list: string): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  for (const typed of list.split(",")) {
    try {
      const atSign = normalizeAtSign(typed);
      if (!seen.has(atSign)) found.set(typed, atSign);
      seen.add(atSign);
    } catch (cause) {
      throw new AtError("AT0003", `Invalid syntax. ${notifyAll.usage}`, { cause });
    }
  }
  return found;
}

/** Caching and life of the record, and the owner's server's signature of its key. */
function metadataOf(args: Arguments, key: string, services: Services): Metadata {
  const fragment = ["ttl", "ttb", "ttr", "ccd"]
    .map((name) => (args[name] === undefined ? "" : `:${name}:${args[name]}`))
    .join("");
  const { ttl, ttb, ttr, ccd } = parseMetadataFragment(fragment);
  return {
    ttl: ttl ?? 0,
    ttb: ttb ?? 0,
    availableAt: services.now() + (ttb ?? 0),
    ...(typeof ttr === "number" && ttr !== 0 && { ttr, ccd: ccd ?? false }),
    isEncrypted: false,
    dataSignature: signWithServerKey(services.signingKey(), key),
  };
}

/** The notification for all recipients; only the recipient differs. */
function build(args: Arguments, to: string, key: string, services: Services): NewNotification {
  const isText = args.messageType?.toLowerCase() === "text";
  const told = isText
    ? { key: textKey(to, args, services.atSign), metadata: { isEncrypted: false } }
    : { key: namedKey(`${to}:${key}`), metadata: metadataOf(args, key, services) };
  const { value } = args;
  return {
    id: services.newId(),
    from: services.atSign,
    to,
    type: to === services.atSign ? "received" : "sent",
    operation: args.operation?.toLowerCase() === "delete" ? "delete" : "update",
    messageType: isText ? "text" : "key",
    priority: "low",
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    ttl: services.tuning.notificationExpiryMillis,
    isEncrypted: false,
    ...told,
    ...(!isText && value !== undefined && { value }),
  };
}

/** Sends the same notification, not encrypted, to several atSigns (atProtocol, notify:all). */
export const notifyAll: Verb = {
  name: "notify:all",
  accepts: (command) => command.startsWith("notify:all"),
  auth: "owner",
  grammar:
    /^notify:all:(?:(?<operation>update|delete):)?(?:messageType:(?<messageType>key|text):)?(?:ttl:(?<ttl>\d+):)?(?:ttb:(?<ttb>\d+):)?(?:ttr:(?<ttr>-?\d+):)?(?:ccd:(?<ccd>true|false):)?(?<forAtSigns>@[^:@,\s]+(?:,@[^:@,\s]+)*):(?<atKey>[^@:\s]+)(?:@(?<atSign>[^@:\s]+))?(?::(?<value>.+))?$/is,
  usage:
    "notify:all:[<update|delete>:][messageType:<key|text>:][ttl:<ms>:][ttb:<ms>:][ttr:<s>:][ccd:<true|false>:]@<atSign>[,@<atSign>]…:<key>[@<owner>][:<value>]",
  async run(args, session, services) {
    const { atSign, authorization, notifier } = services;
    const owner = args.atSign === undefined ? atSign : normalizeAtSign(args.atSign);
    if (owner !== atSign) {
      throw new AtError("AT0009", `${owner} is not authorized to send notification as ${atSign}`);
    }
    const to = recipients(args.forAtSigns ?? "");
    const key = canonicalKey(`${args.atKey}${owner}`);
    const notifications = [...to].map(
      ([typed, recipient]) => [typed, build(args, recipient, key, services)] as const,
    );
    for (const [, notification] of notifications) {
      authorization.demand(session, "notify", notification.key, accessOf(notification));
      const { ttl, ttb } = notification.metadata ?? {};
      if (takesAway({ ...(ttl !== undefined && { ttl }), ...(ttb !== undefined && { ttb }) })) {
        authorization.demand(session, "notify", notification.key, "remove");
      }
    }
    for (const [, notification] of notifications) {
      if (notification.type === "sent") await notifier.send(notification);
      else await notifier.receive(notification);
    }
    const ids = notifications.map(([typed, { id }]) => [typed, id]);
    return spacedData(JSON.stringify(Object.fromEntries(ids)));
  },
};
