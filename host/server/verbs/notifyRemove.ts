// SPDX-License-Identifier: BSD-3-Clause
import { data, type Verb } from "./verb.ts";

/** Forgets a notification, there or not (atProtocol, notify:remove). */
export const notifyRemove: Verb = {
  name: "notify:remove",
  accepts: (command) => command.startsWith("notify:remove:"),
  auth: "owner",
  grammar: /^notify:remove:(?<id>[\w-]{1,248})$/i,
  usage: "notify:remove:<id>",
  async run(args, session, services) {
    const found = services.notifier.get(args.id ?? "");
    if (found !== undefined) {
      services.authorization.demand(session, "remove notify", found.key, "remove");
      await services.notifier.remove(found.id);
    }
    return data("success");
  },
};
