// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { parseRegex } from "../records/keyFilter.ts";
import { gathered } from "../records/portions.ts";
import {
  LAST_DEFAULT_ID,
  type LongStatistic,
  type Statistic,
  type StatisticsContext,
  statistics,
} from "../running/statistics.ts";
import type { Verb } from "./verb.ts";

type AnyStatistic = Statistic | LongStatistic;

/** The statistics asked for, each once, in the order asked. Throws AT0003 for an unknown id. */
function chosen(ids: string | undefined): AnyStatistic[] {
  if (ids === undefined) return statistics.filter(({ id }) => id <= LAST_DEFAULT_ID);
  const wanted = new Set(ids.slice(1).split(","));
  return [...wanted].map((text) => {
    const found = statistics.find(({ id }) => String(id) === text);
    if (found === undefined) throw new AtError("AT0003", `Invalid syntax. ${stats.usage}`);
    return found;
  });
}

/** What stands in a JSON string for a part of its text. */
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The value of one, as JSON. */
async function* textOf(
  statistic: AnyStatistic,
  context: StatisticsContext,
): AsyncGenerator<string, void, undefined> {
  if ("value" in statistic) {
    yield JSON.stringify(await statistic.value(context));
    return;
  }
  yield '"';
  for await (const part of statistic.parts(context)) yield escaped(part);
  yield '"';
}

async function* shown(
  wanted: readonly AnyStatistic[],
  context: StatisticsContext,
): AsyncGenerator<string, void, undefined> {
  let before = "[";
  for (const statistic of wanted) {
    const { id, name } = statistic;
    yield `${before}{"id":"${id}","name":${JSON.stringify(name)},"value":`;
    yield* textOf(statistic, context);
    yield "}";
    before = ", ";
  }
  yield "]";
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
    return { pieces: gathered(shown(chosen(args.statId), context)), spaced: true };
  },
};
