// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { parseRegex } from "../records/keyFilter.ts";
import { LAST_DEFAULT_ID, type Statistic, statistics } from "../running/statistics.ts";
import { spacedData, type Verb } from "./verb.ts";

/** The statistics asked for, each once, in the order asked. Throws AT0003 for an id there is none of. */
function chosen(ids: string | undefined): Statistic[] {
  if (ids === undefined) return statistics.filter(({ id }) => id <= LAST_DEFAULT_ID);
  const wanted = new Set(ids.slice(1).split(","));
  return [...wanted].map((text) => {
    const found = statistics.find(({ id }) => String(id) === text);
    if (found === undefined) throw new AtError("AT0003", `Invalid syntax. ${stats.usage}`);
    return found;
  });
}

/** Figures of the running atServer (atProtocol, the stats verb). */
export const stats: Verb = {
  name: "stats",
  accepts: (command) => command.startsWith("stats"),
  auth: "owner",
  grammar: /^stats(?<statId>:(?:(?!0)\d+)?(?:,\d+)*)?(?::(?<regex>(?<=:3:|:15:).+))?$/is,
  usage: "stats[:<id>[,<id>]…] or stats:<3|15>:<regex>",
  async run(args, session, services) {
    const context = { services, session, regex: await parseRegex(args.regex ?? ".*") };
    const shown: string[] = [];
    for (const { id, name, value } of chosen(args.statId)) {
      shown.push(JSON.stringify({ id: String(id), name, value: await value(context) }));
    }
    return spacedData(`[${shown.join(", ")}]`);
  },
};
