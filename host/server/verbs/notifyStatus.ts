// SPDX-License-Identifier: BSD-3-Clause
import { isExpired } from "../notifications/lane.ts";
import { data, type Verb } from "./verb.ts";

/** What became of a notification (atProtocol, notify:status). */
export const notifyStatus: Verb = {
  name: "notify:status",
  accepts: (command) => command.startsWith("notify:status"),
  auth: "owner",
  grammar: /^notify:status:(?<notificationId>\S{1,248})$/i,
  usage: "notify:status:<id>",
  run(args, session, services) {
    const found = services.notifier.get(args.notificationId ?? "");
    if (found === undefined) return data(null);
    services.authorization.demand(session, "fetch notify", found.key, "read");
    return data(isExpired(found, services.now()) ? "expired" : found.status);
  },
};
