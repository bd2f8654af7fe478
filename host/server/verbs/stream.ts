// SPDX-License-Identifier: BSD-3-Clause
import { namedKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import type { Session } from "../access/session.ts";
import type { Services } from "./services.ts";
import { type Arguments, silent, type Verb } from "./verb.ts";

function invalid(): AtError {
  return new AtError("AT0003", `Invalid syntax. ${stream.usage}`);
}

/** The receiver's atSign, when the connection may tell it of a stream. Throws AT0401, AT0009. */
function demandReceiver(
  receiver: string,
  key: string,
  session: Session,
  services: Services,
): string {
  // A peer could have others told in the owner's name.
  if (!session.owner) throw new AtError("AT0401", "Command cannot be executed without auth");
  const to = normalizeAtSign(receiver);
  const { atSign, authorization } = services;
  authorization.demand(session, "notify", namedKey(`${to}:${key}${atSign}`), "write");
  return to;
}

/** Tells the receiver of a stream; the text stands where other notifications have their key. */
async function tell(to: string, text: string, services: Services): Promise<void> {
  const { atSign, notifier, newId, tuning } = services;
  const notification = {
    id: newId(),
    from: atSign,
    to,
    key: `${to}:${text}`,
    operation: "update",
    messageType: "key",
    priority: "low",
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    ttl: tuning.notificationExpiryMillis,
    isEncrypted: false,
  } as const;
  if (to === atSign) await notifier.receive({ ...notification, type: "received" });
  else await notifier.send({ ...notification, type: "sent" });
}

async function init(args: Arguments, session: Session, services: Services): Promise<void> {
  const { receiver, streamId, length } = args;
  const fileName = args.fileName?.trimEnd();
  // The notification is taken apart at colons and at signs.
  if (!receiver || !streamId || !fileName || !length || /[:@]/.test(fileName)) throw invalid();
  const key = args.namespace === undefined ? "stream_id" : `stream_id.${args.namespace}`;
  const to = demandReceiver(receiver, key, session, services);
  if (Number(args.startByte ?? 0) > 0) services.streams.tearDown(streamId);
  services.streams.open(streamId, session);
  const text = `${key} ${services.atSign}:${streamId}:${fileName}:${length}`;
  await tell(to, text, services);
}

/**
 * Hands a file from a client to another atSign's client, byte by byte (atProtocol, the stream verb). Nothing is answered
 * when it succeeds; who knows a stream's id may receive or finish it.
 */
export const stream: Verb = {
  name: "stream",
  accepts: (command) => command.startsWith("stream"),
  auth: "none",
  grammar:
    /^stream:(?<operation>init|send|receive|done|resume)(?:@(?<receiver>[^@:\s]+))?(?: ?namespace:(?<namespace>[\w-]+))?(?: ?startByte:(?<startByte>\d+))?(?: (?<streamId>[\w-]{1,248})(?: (?<fileName>\S.{0,254} ))?)?(?<length>\d*)$/i,
  usage:
    "stream:init@<receiver>[ namespace:<namespace>][ startByte:<n>] <stream id> <file name> <length>, stream:receive <stream id>, stream:done <stream id> or stream:resume@<receiver> startByte:<n> <stream id>",
  async run(args, session, services) {
    const { streamId, receiver, startByte } = args;
    if (streamId === undefined) throw invalid();
    switch (args.operation?.toLowerCase()) {
      case "init":
        await init(args, session, services);
        break;
      case "receive":
        services.streams.receive(streamId, session);
        break;
      case "done":
        services.streams.finish(streamId);
        break;
      case "resume": {
        if (receiver === undefined || startByte === undefined) throw invalid();
        const to = demandReceiver(receiver, "stream_resume", session, services);
        await tell(to, `stream_resume ${streamId}:${startByte}`, services);
        break;
      }
      default:
        break;
    }
    return silent;
  },
};
