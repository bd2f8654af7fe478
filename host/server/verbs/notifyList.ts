// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import {
  type Notification,
  notificationMatches,
  notificationToJson,
} from "../../wire/notification.ts";
import { parseRegex } from "../keyFilter.ts";
import { type Session, standing } from "../session.ts";
import { data, type Services, type Verb } from "../verb.ts";

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

/** The owner's received notifications, or what was sent to the asking peer. */
function visible(session: Session, services: Services): Notification[] {
  const all = services.notifier.list();
  switch (standing(session)) {
    case "owner":
      return all.filter(
        ({ type, key }) =>
          type === "received" && services.authorization.allowsNotification(session, key),
      );
    case "peer":
      return all.filter(({ type, to }) => type === "sent" && to === session.peer);
    case "anonymous":
      return [];
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
    const found = visible(session, services).filter(
      (notification) => inTime(notification) && notificationMatches(notification, regex),
    );
    return data(found.length === 0 ? null : JSON.stringify(found.map(notificationToJson)));
  },
};
