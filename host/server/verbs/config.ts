// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { isRoot } from "../access/rights.ts";
import type { Session } from "../access/session.ts";
import type { Services } from "./services.ts";
import { data, type Reply, type Verb } from "./verb.ts";

/** Only who may manage all enrollments decides about the atServer as a whole. */
function demandRoot(session: Session, services: Services): void {
  const namespaces = services.authorization.namespaces(session);
  if (namespaces === undefined || isRoot(namespaces)) return;
  throw new AtError(
    "AT0009",
    `Connection with enrollment ID ${session.enrollmentId} is not authorized to configure the atServer`,
  );
}

/** Ends what atSigns have open, in both directions. */
function hangUp(atSigns: readonly string[], services: Services): void {
  for (const atSign of atSigns) services.peers.hangUp(atSign);
  for (const session of [...services.connections()]) {
    if (session.peer !== undefined && atSigns.includes(session.peer)) session.close();
  }
}

async function block(operation: string, typed: string, services: Services): Promise<Reply> {
  const atSigns = typed.split(" ");
  try {
    if (operation === "add") {
      await services.blockList.add(atSigns);
      hangUp(atSigns.map(normalizeAtSign), services);
      return data("success");
    }
    const removed = await services.blockList.remove(atSigns);
    for (const atSign of atSigns) services.notifier.nudge(normalizeAtSign(atSign));
    return data(removed ? "success" : null);
  } catch (cause) {
    if (!(cause instanceof AtError) || cause.code !== "AT0011") throw cause;
    throw new AtError("AT0003", `Invalid syntax. ${cause.message}`, { cause });
  }
}

async function adjust(operation: string, text: string, services: Services): Promise<Reply> {
  const { parameters, tuning } = services;
  if (!tuning.testingMode) return data("testing mode disabled by default");
  switch (operation) {
    case "set": {
      const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (name === undefined || value === undefined) {
        throw new AtError("AT0003", `Invalid syntax. ${config.usage}`);
      }
      await parameters.set(name, value);
      return data("ok");
    }
    case "reset":
      parameters.reset(text);
      return data("ok");
    default:
      return data(parameters.print(text));
  }
}

/** Block list, and in testing mode parameters of the running atServer (atProtocol, the config verb). */
export const config: Verb = {
  name: "config",
  accepts: (command) => command.startsWith("config:"),
  auth: "owner",
  grammar:
    /^config:block:(?<operation>add|remove):(?<atSigns>@[^:@\s]+(?: @[^:@\s]+)*)$|^config:block:(?<show>show)\s?$|^config:(?<setOperation>set|reset|print):(?<parameter>.+)$/is,
  usage:
    "config:block:<add|remove>:@<atSign>[ @<atSign>]…, config:block:show, config:set:<name>=<value> or config:<reset|print>:<name>",
  async run(args, session, services) {
    demandRoot(session, services);
    if (args.show !== undefined) {
      const blocked = services.blockList.list();
      return data(blocked.length === 0 ? null : JSON.stringify(blocked));
    }
    if (args.operation !== undefined) {
      return block(args.operation.toLowerCase(), args.atSigns ?? "", services);
    }
    return adjust(args.setOperation?.toLowerCase() ?? "", args.parameter ?? "", services);
  },
};
