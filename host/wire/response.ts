// SPDX-License-Identifier: BSD-3-Clause
import { type AtError, parseError } from "./errors.ts";
import { LineReader, MAX_LINE_BYTES } from "./line.ts";

/** What an atServer says, one a line (atProtocol, responses and prompts). */
export type Reply =
  | { readonly kind: "data"; readonly text: string }
  | { readonly kind: "error"; readonly error: AtError }
  /** A monitor's line: the JSON text of the notification. */
  | { readonly kind: "notification"; readonly text: string }
  /** A line of no known form; the connection's state can't be trusted any more. */
  | { readonly kind: "unknown"; readonly text: string };

/** Prompts (`@`, `@alice@`) before a line: none, one, or glued after a heartbeat. */
const LINE = /^(?:@(?:[^@:\s]+@)?){0,8}(data|error|notification):/;
const PROMPT_ONLY = /^(?:@(?:[^@:\s]+@)?){0,8}$/;
/** Room for the prompt and the `data:` before a value of the greatest length. */
const PREFIX_BYTES = 1024;

/**
 * Reads an atServer's side of a connection from chunks cut anywhere. The prompt has no line end, so
 * it is read as the head of the line that follows it.
 */
export class ResponseReader {
  private readonly lines: LineReader;
  private first: number | undefined;

  constructor(limit: number = MAX_LINE_BYTES + PREFIX_BYTES) {
    this.lines = new LineReader(limit);
  }

  /** Whether the greeting has come: undefined before the first byte, false when it isn't `@`. */
  get greeted(): boolean | undefined {
    return this.first === undefined ? undefined : this.first === 0x40;
  }

  /** A line was longer than the limit; nothing more will be read. */
  get overflowed(): boolean {
    return this.lines.overflowed;
  }

  /** The replies that a chunk completes, in order. */
  push(chunk: Uint8Array): Reply[] {
    this.first ??= chunk[0];
    const replies: Reply[] = [];
    for (const line of this.lines.push(chunk)) {
      const reply = readLine(line);
      if (reply !== undefined) replies.push(reply);
    }
    return replies;
  }
}

function readLine(line: string | null): Reply | undefined {
  if (line === null) return { kind: "unknown", text: "a line that is not UTF-8" };
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const match = LINE.exec(text);
  if (match === null) return PROMPT_ONLY.test(text) ? undefined : { kind: "unknown", text };
  const rest = text.slice(match[0].length);
  if (match[1] === "data") return { kind: "data", text: rest };
  if (match[1] === "error") return { kind: "error", error: parseError(rest) };
  return { kind: "notification", text: rest.trimStart() };
}
