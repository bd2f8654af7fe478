// SPDX-License-Identifier: BSD-3-Clause
import { CHALLENGE_TTL_MILLIS } from "../config/config.ts";
import type { Session } from "./session.ts";

/**
 * Takes a connection's challenge away, whoever it was made for: an answer, right or wrong, is the only one to it. Gives its
 * text, or undefined when it was made for another atSign, 60 s ago, or not at all.
 */
export function takeChallenge(session: Session, atSign: string, now: number): string | undefined {
  const { challenge } = session;
  delete session.challenge;
  if (challenge === undefined || challenge.atSign !== atSign) return undefined;
  // However far the clock was set back or forward meanwhile.
  const age = Math.abs(now - challenge.madeAt);
  return age <= CHALLENGE_TTL_MILLIS ? challenge.text : undefined;
}
