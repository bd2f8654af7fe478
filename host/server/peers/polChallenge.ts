// SPDX-License-Identifier: BSD-3-Clause
// The challenge of pol: a UUID, or a token that also says who asks, so that nobody can pass another's on (atProtocol, from
// and pol).
import { Buffer } from "node:buffer";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";

const PREFIX = "pol1.";
const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
/** `proof:<session>@me:<challenge>` */
const ANSWER = new RegExp(`^proof:(_${UUID})(@[^:\\s]+):(\\S+)$`, "i");
const BARE = new RegExp(`^${UUID}$`, "i");
const BASE64URL = /^[\w-]+={0,2}$/;

/** What a peer's atServer has to sign to be let in by the atServer of `verifier`. */
export function boundChallenge(verifier: string, uuid: string): string {
  const json = JSON.stringify({ v: verifier, n: uuid });
  // With the padding that base64url has in Dart, whose decoder demands it.
  const token = Buffer.from(json).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  return `${PREFIX}${token}`;
}

/** A challenge that may be signed. */
export interface PolChallenge {
  /** Session of the peer's atServer: `_` and a UUID, lower case. */
  readonly session: string;
  /** What is signed, as it came. */
  readonly text: string;
  /** Whether it says that the peer asks. */
  readonly bound: boolean;
}

/**
 * Reads what `peer` answered to `from:<own>`. Throws AT0008 when it is no challenge to `own`, when it is another's than the
 * peer's, and, unless `allowBare`, when it doesn't say whose it is.
 */
export function readChallenge(
  answer: string,
  peer: string,
  own: string,
  allowBare: boolean,
): PolChallenge {
  const [, session = "", prover, text = ""] = ANSWER.exec(answer.trim()) ?? [];
  if (prover !== own) throw refused(peer, "answered from with no challenge");
  const bound = text.startsWith(PREFIX);
  if (bound) {
    const verifier = verifierIn(text.slice(PREFIX.length));
    if (verifier === undefined) throw refused(peer, "sent a challenge that can't be read");
    if (verifier !== peer) throw refused(peer, "sent a challenge of another atSign");
  } else if (!BARE.test(text)) {
    throw refused(peer, "answered from with no challenge");
  } else if (!allowBare) {
    throw refused(peer, "sent a challenge that doesn't say whose it is");
  }
  return { session: session.toLowerCase(), text, bound };
}

function refused(peer: string, what: string): AtError {
  return new AtError("AT0008", `${peer} ${what}`);
}

/** The atSign a token names; undefined for anything else. Further members are ignored. */
function verifierIn(token: string): string | undefined {
  if (!BASE64URL.test(token)) return undefined;
  try {
    const json = parseJson(Buffer.from(token, "base64url").toString(), jsonLimits.polChallenge);
    if (typeof json !== "object" || json === null) return undefined;
    const { v, n } = json as Record<string, unknown>;
    if (typeof v !== "string" || typeof n !== "string" || n === "") return undefined;
    return normalizeAtSign(v);
  } catch (error) {
    if (error instanceof JsonError || error instanceof AtError) return undefined;
    throw error;
  }
}
