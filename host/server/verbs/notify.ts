// SPDX-License-Identifier: BSD-3-Clause
import { namedKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import {
  METADATA_GRAMMAR,
  type Metadata,
  type MetadataOptions,
  parseMetadataFragment,
  textOptions,
} from "../../wire/metadata.ts";
import { type MessageType, type NotificationOperation, textKey } from "../../wire/notification.ts";
import { accessOf, takesAway } from "../access/rights.ts";
import { type Session, standing } from "../access/session.ts";
import type { NewNotification } from "../notifications/notifier.ts";
import { acceptFromPeer } from "./receiveNotification.ts";
import type { Services } from "./services.ts";
import { type Arguments, data, type Reply, type Verb } from "./verb.ts";

interface Parsed {
  operation: NotificationOperation;
  messageType: MessageType;
  options: MetadataOptions;
  value: string | undefined;
}

/** ttln belongs before ttb; some clients write it among the metadata. */
function checkOrder(args: Arguments): void {
  const fragment = (args.metadata ?? "").toLowerCase();
  const ttln = fragment.indexOf(":ttln:");
  if (ttln < 0) return;
  const ttb = fragment.indexOf(":ttb:");
  if (args.ttln !== undefined || (ttb >= 0 && ttb < ttln)) {
    throw new AtError("AT0003", `Invalid syntax. ${notify.usage}`);
  }
}

function parse(args: Arguments): Parsed {
  checkOrder(args);
  if (args.strategy?.toLowerCase() === "latest" && args.notifier === undefined) {
    throw new AtError("AT0003", "For Strategy latest, notifier cannot be null");
  }
  return {
    operation: args.operation?.toLowerCase() === "delete" ? "delete" : "update",
    messageType: args.messageType?.toLowerCase() === "text" ? "text" : "key",
    options: parseMetadataFragment(args.metadata ?? ""),
    value: args.value,
  };
}

function isEncrypted(parsed: Parsed, atKey: string): boolean {
  if (parsed.messageType === "text") return parsed.options.isEncrypted === true;
  if (atKey.toLowerCase().startsWith("public")) return false;
  return parsed.options.isEncrypted !== false;
}

const keptOptions = [
  "isBinary",
  ...textOptions,
  "pubKeyHash",
  "immutable",
  "appMetadata",
  "createdAt",
  "updatedAt",
  "expiresAt",
] as const;

/**
 * What the notification keeps of the metadata: ttr only where something can be cached or dropped. A peer's may be about the
 * metadata of a copy alone.
 */
function keptMetadata(
  parsed: Parsed,
  encrypted: boolean,
  fromPeer: boolean,
  now: number,
): Metadata {
  if (parsed.messageType === "text") return { isEncrypted: encrypted };
  const { options } = parsed;
  const { ttl, ttb, ttr } = options;
  const kept: Metadata = {
    isEncrypted: encrypted,
    ttl: ttl ?? 0,
    ttb: ttb ?? 0,
    availableAt: options.availableAt ?? now + (ttb ?? 0),
  };
  const caches = fromPeer || parsed.operation === "delete" || parsed.value !== undefined;
  if (caches && typeof ttr === "number" && ttr !== 0) {
    kept.ttr = ttr;
    kept.ccd = options.ccd ?? false;
  }
  for (const name of keptOptions) keep(name, options, kept);
  return kept;
}

function keep<K extends (typeof keptOptions)[number]>(
  name: K,
  options: MetadataOptions,
  kept: Metadata,
): void {
  const value = options[name];
  if (value !== undefined && value !== null) kept[name] = value as Metadata[K];
}

function life(args: Arguments, parsed: Parsed): number {
  return Number(args.ttln ?? parsed.options.ttln ?? 0);
}

function notificationKey(
  args: Arguments,
  to: string,
  owner: string,
  messageType: MessageType,
): string {
  if (messageType === "text") return textKey(to, args, owner);
  const atKey = args.atKey ?? "";
  const named = atKey.slice(0, "public:".length).toLowerCase() === "public:";
  const scope = args.publicScope !== undefined ? "public:" : named ? "" : `${to}:`;
  return namedKey(`${scope}${atKey}${owner}`);
}

function build(
  args: Arguments,
  parsed: Parsed,
  ends: { from: string; to: string; owner: string },
  services: Services,
): NewNotification {
  const encrypted = isEncrypted(
    parsed,
    args.publicScope === undefined ? (args.atKey ?? "") : "public",
  );
  const value = parsed.messageType === "text" ? undefined : parsed.value;
  return {
    id: args.id ?? services.newId(),
    from: ends.from,
    to: ends.to,
    key: notificationKey(args, ends.to, ends.owner, parsed.messageType),
    type: ends.to === services.atSign ? "received" : "sent",
    operation: parsed.operation,
    messageType: parsed.messageType,
    priority: (args.priority?.toLowerCase() ?? "low") as NewNotification["priority"],
    strategy: args.strategy?.toLowerCase() === "latest" ? "latest" : "all",
    notifier: args.notifier ?? "SYSTEM",
    depth: Number(args.latestN ?? 1),
    ttl: life(args, parsed),
    isEncrypted: encrypted,
    metadata: keptMetadata(parsed, encrypted, ends.from !== services.atSign, services.now()),
    value,
  };
}

async function send(args: Arguments, session: Session, services: Services): Promise<Reply> {
  const { atSign, authorization, notifier } = services;
  const parsed = parse(args);
  const isKey = parsed.messageType === "key";
  const owner = isKey && args.atSign !== undefined ? normalizeAtSign(args.atSign) : atSign;
  if (owner !== atSign) {
    throw new AtError("AT0009", `${owner} is not authorized to send notification as ${atSign}`);
  }
  if (args.forAtSign === undefined) {
    throw new AtError("AT0003", "Invalid syntax. notify needs the atSign to notify");
  }
  const to = normalizeAtSign(args.forAtSign);
  const notification = build(args, parsed, { from: atSign, to, owner }, services);
  authorization.demand(session, "notify", notification.key, accessOf(notification));
  if (takesAway(parsed.options)) {
    authorization.demand(session, "notify", notification.key, "remove");
  }
  if (notification.type === "sent") await notifier.send(notification);
  else await notifier.receive(notification);
  return data(notification.id);
}

async function receive(args: Arguments, peer: string, services: Services): Promise<Reply> {
  const { atSign } = services;
  const parsed = parse(args);
  const isKey = parsed.messageType === "key";
  const owner = isKey && args.atSign !== undefined ? normalizeAtSign(args.atSign) : peer;
  const to = args.forAtSign === undefined ? atSign : normalizeAtSign(args.forAtSign);
  if (owner !== peer || to !== atSign) {
    throw new AtError("AT0009", `${peer} is not authorized to notify ${to} about ${owner}`);
  }
  await acceptFromPeer(build(args, parsed, { from: peer, to, owner }, services), services);
  return data("success");
}

/** Sends a notification, or takes one from another atServer (atProtocol, the notify verb). */
export const notify: Verb = {
  name: "notify",
  accepts: (command) => /^notify:(?!(?:list|status|all|remove|fetch)\b)/.test(command),
  auth: "none",
  grammar: new RegExp(
    `^notify(?::id:(?<id>[\\w-]{1,248}))?(?::(?<operation>update|delete))?(?::messageType:(?<messageType>key|text))?(?::priority:(?<priority>low|medium|high))?(?::strategy:(?<strategy>all|latest))?(?::latestN:(?<latestN>\\d+))?(?::notifier:(?<notifier>[^\\s:]{1,248}))?(?::ttln:(?<ttln>\\d+))?${METADATA_GRAMMAR}:(?:(?<publicScope>public)|@(?<forAtSign>[^:@\\s]+)):(?<atKey>[^:@](?:[^:@]|:(?!:))*)(?:@(?<atSign>[^:@\\s]+))?(?::(?<value>.+))?$`,
    "is",
  ),
  usage:
    "notify[:id:<id>][:update|:delete][:messageType:<key|text>][:<options>][:<metadata>]:@<atSign>:<key>[@<owner>][:<value>]",
  run(args, session, services) {
    switch (standing(session)) {
      case "owner":
        return send(args, session, services);
      case "peer":
        return receive(args, session.peer ?? "", services);
      case "anonymous":
        throw new AtError("AT0401", "Notify command cannot be executed without authentication");
    }
  },
};
