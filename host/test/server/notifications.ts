// SPDX-License-Identifier: BSD-3-Clause
import type { Line } from "./line.ts";

/** The payload of a reply, without `data:` and prompt. */
export const dataOf = (reply: string): string =>
  reply.slice("data:".length, reply.lastIndexOf("\n"));

/** The next notification a monitor is shown that isn't a statistic. */
export async function notification(line: Line): Promise<Record<string, unknown>> {
  for (;;) {
    const text = await line.line();
    const body = JSON.parse(text.slice(text.indexOf("{")));
    if (body.id !== "-1") return body;
  }
}
