// SPDX-License-Identifier: BSD-3-Clause
import { AddressRate } from "../../net/addressRate.ts";
import { AtError } from "../../wire/errors.ts";
import type { Tuning } from "../config/config.ts";
import { type Session, standing } from "./session.ts";

/**
 * How often nobody in particular may say `from` from one address: as the owner, and, apart from that, as others, which each
 * time has the directory asked. Those that go on to log in don't count.
 */
export class FromRate {
  private readonly own: AddressRate;
  private readonly others: AddressRate;
  private readonly now: () => number;
  /** Connections whose latest `from` counts. */
  private readonly counted = new WeakSet<Session>();

  constructor(tuning: Tuning, now: () => number) {
    this.own = new AddressRate(() => tuning.ownFromPerMinute);
    this.others = new AddressRate(() => tuning.otherFromPerMinute);
    this.now = now;
  }

  /** Throws AT0028 when there were too many. */
  demand(session: Session, kind: "own" | "others"): void {
    this.counted.delete(session);
    if (standing(session) !== "anonymous") return;
    if (!this[kind].take(session.remoteAddress, this.now())) {
      throw new AtError("AT0028", "Too many logins were begun from here: try again in a minute");
    }
    this.counted.add(session);
  }

  /** The latest `from` of a connection led to a login. */
  loggedIn(session: Session, kind: "own" | "others"): void {
    if (this.counted.delete(session)) this[kind].giveBack(session.remoteAddress, this.now());
  }
}
