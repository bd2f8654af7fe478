// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as nextTurn } from "node:timers/promises";
import { AtError, errorTable } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import { MAX_LINE_BYTES } from "../../wire/line.ts";
import { traceOf } from "../../wire/trace.ts";
import type { Session } from "../access/session.ts";
import { MAX_BATCH_CHARACTERS } from "../config/config.ts";
import { PIECE_CHARACTERS, TURN_MILLIS } from "../records/portions.ts";
import type { Services } from "./services.ts";
import type { Changed, Reply, Verb } from "./verb.ts";

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

function tooLong(): AtError {
  return new AtError("AT0022", "too long for a batch");
}

/** A long payload as a whole. Throws AT0022 for one longer than `room`, characters. */
async function gather(pieces: AsyncIterable<string>, room: number): Promise<string> {
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length > room) throw tooLong();
  }
  return text;
}

async function outcome(
  command: unknown,
  room: number,
  execute: Execute,
  session: Session,
  services: Services,
): Promise<Outcome> {
  try {
    if (typeof command !== "string" || ALONE.test(command) || /[\r\n]/.test(command)) {
      throw new AtError("AT0003", "Invalid syntax. not a command for a batch");
    }
    const reply = await execute(command, session, services);
    if ("pieces" in reply) return { response: { data: await gather(reply.pieces, room) } };
    if (!("data" in reply)) throw new AtError("AT0003", "Invalid syntax. no payload");
    if ((reply.data?.length ?? 0) > room) throw tooLong();
    return {
      response: reply.data === null ? {} : { data: reply.data },
      ...(reply.changed !== undefined && { changed: reply.changed }),
    };
  } catch (error) {
    return failure(error, services);
  }
}

/** The answers of one batch, taken out in pieces. */
class Answers {
  private text = "[";
  /** Characters that were taken out. */
  private taken = 0;

  /** Whether they are too long for another command to be run. */
  get full(): boolean {
    return this.length >= MAX_BATCH_CHARACTERS;
  }

  /** Characters the next one may have: the client has to be able to read the whole line. */
  get room(): number {
    return MAX_LINE_BYTES - this.length;
  }

  /** Whether there is a piece to be taken. */
  get due(): boolean {
    return this.text.length >= PIECE_CHARACTERS;
  }

  add(answer: string): void {
    this.text += (this.length === 1 ? "" : ",") + answer;
  }

  take(end = ""): string {
    const piece = this.text + end;
    this.taken += piece.length;
    this.text = "";
    return piece;
  }

  private get length(): number {
    return this.taken + this.text.length;
  }
}

/** One batch being run. */
class Run {
  /** Of the last command that changed something. */
  changed: Changed | undefined;
  private readonly commands: readonly Record<string, unknown>[];
  private readonly execute: (command: unknown, room: number) => Promise<Outcome>;
  private readonly services: Services;
  private readonly answers = new Answers();

  constructor(
    commands: readonly Record<string, unknown>[],
    execute: (command: unknown, room: number) => Promise<Outcome>,
    services: Services,
  ) {
    this.commands = commands;
    this.execute = execute;
    this.services = services;
  }

  /** The answer in pieces; other connections get their turns meanwhile. */
  async *pieces(): AsyncGenerator<string, void, undefined> {
    let turn = performance.now();
    for (const command of this.commands) {
      this.answers.add(await this.answer(command));
      if (this.answers.due) yield this.answers.take();
      if (performance.now() - turn < TURN_MILLIS) continue;
      await nextTurn();
      turn = performance.now();
    }
    yield this.answers.take("]");
  }

  private async answer({ id = null, command }: Record<string, unknown>): Promise<string> {
    if (this.answers.full) return this.refusal(id);
    const { response, changed } = await this.execute(command, this.answers.room);
    this.changed = changed ?? this.changed;
    const text = JSON.stringify({ id, response });
    return text.length > this.answers.room ? this.refusal(id) : text;
  }

  private refusal(id: unknown): string {
    return JSON.stringify({ id, response: failure(tooLong(), this.services).response });
  }
}

/**
 * Runs commands one after the other and answers them together (atProtocol, the batch verb): as they are, without
 * normalisation; one that fails doesn't stop those behind it. Long answers are sent while the rest runs. Once they have
 * MAX_BATCH_CHARACTERS the rest of the commands is not run and answered AT0022, and so is one whose own answer would make
 * them longer than a line. Monitors get the last change only.
 */
export function batchWith(execute: Execute): Verb {
  return {
    name: "batch",
    accepts: (command) => command.startsWith("batch:"),
    auth: "owner",
    grammar: /^batch:(?<json>.+)$/is,
    usage: 'batch:[{"id":<id>,"command":"<command>"},…]',
    run(args, session, services) {
      const one = (command: unknown, room: number): Promise<Outcome> =>
        outcome(command, room, execute, session, services);
      const batch = new Run(parseCommands(args.json ?? ""), one, services);
      return { pieces: batch.pieces(), changed: () => batch.changed };
    },
  };
}
