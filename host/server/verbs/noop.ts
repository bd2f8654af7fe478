// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as delay } from "node:timers/promises";
import { AtError } from "../../wire/errors.ts";
import { NOOP_MAX_MILLIS } from "../config/config.ts";
import { data, type Verb } from "./verb.ts";

/** Answers after a pause (atProtocol, the noop verb); clients keep their connection alive with it. */
export const noop: Verb = {
  name: "noop",
  accepts: (command) => command.startsWith("noop:"),
  auth: "none",
  grammar: /^noop:(?<delayMillis>\d+)$/i,
  usage: "noop:<milliseconds>",
  async run(args) {
    const millis = Number(args.delayMillis);
    if (millis > NOOP_MAX_MILLIS) {
      throw new AtError(
        "AT0022",
        `noop:<durationInMillis> where the duration maximum is ${NOOP_MAX_MILLIS} milliseconds`,
      );
    }
    if (millis > 0) await delay(millis);
    return data("ok");
  },
};
