// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import type { Line } from "../line.ts";

/** Sent, and what has to come back with its prompt: exact, or as a pattern. */
export type Exchange = readonly [send: string, expected: string | RegExp];

/** Exchanges by the number of their item in atProtocol, §12.2. */
export type Table = Readonly<Record<number, readonly Exchange[]>>;

/** A client version whose errors are JSON, as the platform's own suites use it. */
export const JSON_VERSION = "3.0.57";

const OWNER_PROMPT = "@alice@";

/** A test that carries its item's number, for what a table can't say. */
export function item(number: number, title: string, body: () => Promise<void>): void {
  it(`${number}. ${title}`, body);
}

/** One test an item; all of them in the order of their numbers, on the connection `line` gives. */
export function items(line: () => Line | Promise<Line>, table: Table): void {
  for (const [number, exchanges] of Object.entries(table)) {
    item(Number(number), exchanges.map(([send]) => send.slice(0, 100)).join(" | "), async () => {
      await converse(await line(), exchanges);
    });
  }
}

/** Sends each line and compares its reply. */
export async function converse(line: Line, exchanges: readonly Exchange[]): Promise<void> {
  for (const [send, expected] of exchanges) {
    const reply = await line.ask(send);
    if (typeof expected === "string") expect(reply, send).toBe(expected);
    else expect(reply, send).toMatch(expected);
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** `data:` with a payload, and the prompt of the owner, or of whom is given. */
export function data(payload: string, prompt: string = OWNER_PROMPT): string {
  return `data:${payload}\n${prompt}`;
}

/** `data:` with a commit id. */
export const committed = /^data:\d+\n@[^@\n]+@$/;

/** A success whose payload contains all of these. */
export function shows(...parts: string[]): RegExp {
  const ahead = parts.map((part) => `(?=[^\\n]*${literal(part)})`).join("");
  return new RegExp(`^data:${ahead}[^\\n]*\\n@`);
}

/** A success whose payload contains none of these. */
export function hides(...parts: string[]): RegExp {
  const ahead = parts.map((part) => `(?![^\\n]*${literal(part)})`).join("");
  return new RegExp(`^data:${ahead}[^\\n]*\\n@`);
}

/** The JSON error of a code, whose description contains `part`; the prompt is the owner's. */
export function failure(code: string, part = ""): RegExp {
  const text = literal(JSON.stringify(part).slice(1, -1));
  return new RegExp(
    `^error:\\{"errorCode":"${code}","errorDescription":".*${text}.*"\\}\\n@[^@]*@$`,
  );
}

/** The JSON error of a code, whose description is `description`. */
export function error(code: string, description: string, prompt: string = OWNER_PROMPT): string {
  return `error:${JSON.stringify({ errorCode: code, errorDescription: description })}\n${prompt}`;
}

export const syntaxError = failure("AT0003", "Invalid syntax");

export function notFound(key: string): string {
  return error("AT0015", `key not found : ${key} does not exist in keystore`);
}
