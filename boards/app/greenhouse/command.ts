// SPDX-License-Identifier: BSD-3-Clause
// Commands of the greenhouse's peer, as boards/README.md describes them; boards/app/greenhouse reads the same in C.

export const INTERVAL_MIN_MS = 200;
export const INTERVAL_MAX_MS = 3_600_000;
/** Most bytes of an id as it is written, quotes included. */
const ID_MAX = 40;

/** A command, or what is wrong with it. `id` is JSON, as it was written; "null" when there is none. */
export type Command = { readonly id: string } & (
  | { readonly intervalMs: number }
  | { readonly error: string }
);

const TEXT = /"(?:[^"\\]|\\.)*"/gu;
/** A member of a flat object in valid JSON: name and value as they are written. */
const MEMBER = /("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}]+)/gu;

/** Half a surrogate pair can be escaped in JSON, and is not text. */
const isText = (raw: string) => !/\p{Surrogate}/u.test(JSON.parse(raw));

/**
 * The members of a flat JSON object in UTF-8, values as they are written, of several with a name the last. Throws when it
 * is something else.
 */
function flatMembers(value: Uint8Array): Map<string, string> {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  JSON.parse(text);
  const outside = text.replace(TEXT, "").trim();
  if (!/^\{[^[{]*$/.test(outside)) throw new SyntaxError("it is not a flat object");
  if (![...text.matchAll(TEXT)].every(([raw]) => isText(raw))) throw new SyntaxError("no text");
  return new Map(
    [...text.matchAll(MEMBER)].map(([, name = "", raw = ""]) => [JSON.parse(name), raw]),
  );
}

function idOf(raw = "null"): string | null {
  return /^["\d-]/.test(raw) && Buffer.byteLength(raw) <= ID_MAX ? raw : null;
}

function intervalOf(raw = ""): number | null {
  const ms = /^-?\d+$/.test(raw) ? Number(raw) : Number.NaN;
  return ms >= INTERVAL_MIN_MS && ms <= INTERVAL_MAX_MS ? ms : null;
}

/** Reads {"id":…,"set":"interval","ms":200..3600000}. */
export function parseCommand(value: Uint8Array): Command {
  let members: Map<string, string>;
  try {
    members = flatMembers(value);
  } catch {
    return { id: "null", error: "the command is not a flat JSON object" };
  }
  const id = idOf(members.get("id"));
  if (id === null) {
    return { id: "null", error: "id must be a number or a text of at most 40 bytes as written" };
  }
  const set = members.get("set");
  if (!set?.startsWith('"') || JSON.parse(set) !== "interval") {
    return { id, error: 'set must be "interval"' };
  }
  const intervalMs = intervalOf(members.get("ms"));
  if (intervalMs === null) {
    return { id, error: "ms must be a whole number from 200 to 3600000" };
  }
  return { id, intervalMs };
}

/** The reply: {"id":…,"ok":true,"intervalMs":…} or {"id":…,"ok":false,"error":"…"}. */
export function replyTo({ id, ...result }: Command): string {
  const rest = JSON.stringify({ ok: "intervalMs" in result, ...result });
  return `{"id":${id},${rest.slice(1)}`;
}
