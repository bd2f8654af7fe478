// SPDX-License-Identifier: BSD-3-Clause
import { parseRegex } from "../records/keyFilter.ts";
import { silent, type Verb } from "./verb.ts";

/** Turns on the pushing of notifications on this connection (atProtocol, the monitor verb). */
export const monitor: Verb = {
  name: "monitor",
  accepts: (command) => command.startsWith("monitor"),
  auth: "owner",
  grammar:
    /^monitor(?::(?<strict>strict))?(?::(?<selfNotifications>selfNotifications))?(?::(?<multiplexed>multiplexed))?(?::(?<epochMillis>\d+))?(?: +(?<regex>.+))?$/is,
  usage: "monitor[:strict][:selfNotifications][:multiplexed][:<epochMillis>][ <regex>]",
  async run(args, session, services) {
    const filter = {
      regex: await parseRegex(args.regex ?? ".*"),
      strict: args.strict !== undefined,
      selfNotifications: args.selfNotifications !== undefined,
      multiplexed: args.multiplexed !== undefined,
    };
    const since = args.epochMillis === undefined ? undefined : Number(args.epochMillis);
    await services.monitors.watch(session, filter, since, services.notifier);
    return silent;
  },
};
