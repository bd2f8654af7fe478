// SPDX-License-Identifier: BSD-3-Clause

import { AtError, errorTable } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import { MAX_LINE_BYTES } from "../../wire/line.ts";
import { traceOf } from "../../wire/trace.ts";
import type { Session } from "../access/session.ts";
import type { Services } from "./services.ts";
import { type Changed, data, type Reply, type Verb } from "./verb.ts";

type Execute = (command: string, session: Session, services: Services) => Promise<Reply>;

/** Verbs whose answer isn't one payload, or that would let a batch hold batches. */
const ALONE = /^(?:batch:|monitor|stream|pol$)/i;

interface Outcome {
  response: Record<string, string>;
  changed?: Changed;
}

function parseCommands(json: string): Record<string, unknown>[] {
  let value: unknown;
  try {
    value = parseJson(json, jsonLimits.command);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    const detail = `FormatException: batch ${cause.message}`;
    throw new AtError("AT0011", detail, { cause, closes: true });
  }
  const isList = Array.isArray(value) && value.every((each) => typeof each === "object" && each);
  if (isList) return value as Record<string, unknown>[];
  throw new AtError("AT0011", "FormatException: batch is no JSON array of objects", {
    closes: true,
  });
}

function failure(error: unknown, services: Services): Outcome {
  if (!(error instanceof AtError)) {
    services.log.error({ trace: traceOf(error) }, "unexpected error in a batch");
  }
  const code = error instanceof AtError ? error.code : "AT0010";
  return { response: { error_code: code, error_message: errorTable[code].text } };
}

/** A long payload as a whole. Throws AT0022 for one too long for a line. */
async function gather(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length > MAX_LINE_BYTES) throw new AtError("AT0022", "too long for a batch");
  }
  return text;
}

async function outcome(
  command: unknown,
  execute: Execute,
  session: Session,
  services: Services,
): Promise<Outcome> {
  try {
    if (typeof command !== "string" || ALONE.test(command) || /[\r\n]/.test(command)) {
      throw new AtError("AT0003", "Invalid syntax. not a command for a batch");
    }
    const reply = await execute(command, session, services);
    if ("pieces" in reply) return { response: { data: await gather(reply.pieces) } };
    if (!("data" in reply)) throw new AtError("AT0003", "Invalid syntax. no payload");
    return {
      response: reply.data === null ? {} : { data: reply.data },
      ...(reply.changed !== undefined && { changed: reply.changed }),
    };
  } catch (error) {
    return failure(error, services);
  }
}

/**
 * Runs commands one after the other and answers them together (atProtocol, the batch verb): as they are, without
 * normalisation; one that fails doesn't stop those behind it. Monitors are told of the last change only.
 */
export function batchWith(execute: Execute): Verb {
  return {
    name: "batch",
    accepts: (command) => command.startsWith("batch:"),
    auth: "owner",
    grammar: /^batch:(?<json>.+)$/is,
    usage: 'batch:[{"id":<id>,"command":"<command>"},…]',
    async run(args, session, services) {
      const answers: { id: unknown; response: Record<string, string> }[] = [];
      let last: Changed | undefined;
      for (const { id = null, command } of parseCommands(args.json ?? "")) {
        const { response, changed } = await outcome(command, execute, session, services);
        answers.push({ id, response });
        if (changed !== undefined) last = changed;
      }
      const payload = JSON.stringify(answers);
      return last === undefined ? data(payload) : { data: payload, changed: last };
    },
  };
}
