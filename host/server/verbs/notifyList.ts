// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import {
  type Notification,
  notificationMatches,
  notificationToJson,
} from "../../wire/notification.ts";
import { type Session, standing } from "../access/session.ts";
import { parseRegex } from "../records/keyFilter.ts";
import { fromPortions, jsonArray } from "../records/portions.ts";
import { limited } from "./concurrencyLimit.ts";
import type { Services } from "./services.ts";
import { data, type Verb } from "./verb.ts";

function instant(date: string, time: string): number {
  const [year = "", month = "", day = ""] = date.split("-");
  const text = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}T${time}`;
  const millis = Date.parse(text);
  if (Number.isNaN(millis)) throw new AtError("AT0022", "Invalid date format");
  return millis;
}

function between(
  fromDate: string | undefined,
  toDate: string | undefined,
  now: number,
): (n: Notification) => boolean {
  if (fromDate === undefined) return () => true;
  const from = instant(fromDate, "00:00:00.000");
  const to = toDate === undefined ? now : instant(toDate, "23:59:59.999Z");
  if (to < from) throw new AtError("AT0022", "ToDate cannot be less than FromDate");
  return ({ createdAt }) => createdAt >= from && createdAt <= to;
}

/** Whether it is one of the owner's received notifications, or was sent to the asking peer. */
function visibleTo(session: Session, services: Services): (notification: Notification) => boolean {
  switch (standing(session)) {
    case "owner":
      return ({ type, key }) =>
        type === "received" && services.authorization.allowsNotification(session, key);
    case "peer":
      return ({ type, to }) => type === "sent" && to === session.peer;
    case "anonymous":
      return () => false;
  }
}

/** Lists notifications (atProtocol, notify:list). */
export const notifyList: Verb = {
  name: "notify:list",
  accepts: (command) => command.startsWith("notify:list"),
  auth: "none",
  grammar:
    /^notify:list(?::(?<fromDate>\d{4}-[01]?\d?-[0123]?\d?))?(?::(?<toDate>\d{4}-[01]?\d?-[0123]?\d?))?(?::(?<regex>[^:]+))?/i,
  usage: "notify:list[:<from date>[:<to date>]][:<regex>]",
  async run(args, session, services) {
    const regex = await parseRegex(args.regex ?? ".*");
    const inTime = between(args.fromDate, args.toDate, services.now());
    if (standing(session) === "anonymous") return data(null);
    const isVisible = visibleTo(session, services);
    function* wanted(portion: Iterable<Notification>): Iterable<unknown> {
      for (const found of portion) {
        if (!isVisible(found) || !inTime(found) || !notificationMatches(found, regex)) continue;
        yield notificationToJson(found);
      }
    }
    const pieces = jsonArray(fromPortions(session, services.notifier.all(), wanted), "null");
    return { pieces: limited(session, pieces, services.lists) };
  },
};
