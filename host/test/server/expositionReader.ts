// SPDX-License-Identifier: BSD-3-Clause

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const VALUE = "[+-]?(?:Inf|NaN|\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)";
const help = new RegExp(`^# HELP (${NAME}) (?:[^\\\\]|\\\\[\\\\n])*$`);
const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`);
const sample = new RegExp(`^((${NAME})(?:\\{${LABEL}(?:,${LABEL})*\\})?) (${VALUE})$`);

/**
 * Reads Prometheus' text format, strictly: HELP, TYPE, then the samples of one name together, each name and each sample
 * once, counters named `_total` and never negative. Gives the values by sample. Throws Error with the line.
 */
export function readExposition(text: string): Map<string, number> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const values = new Map<string, number>();
  const seen = new Set<string>();
  let helped: string | undefined;
  let current: { name: string; kind: string } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const helps = help.exec(line)?.[1];
    const types = type.exec(line);
    const found = sample.exec(line);
    if (helps !== undefined) {
      if (seen.has(helps)) throw new Error(`twice: ${line}`);
      seen.add(helps);
      helped = helps;
      current = undefined;
    } else if (types?.[1] !== undefined && types[1] === helped && current === undefined) {
      current = { name: types[1], kind: types[2] ?? "" };
      const counts = current.kind === "counter";
      if (counts !== current.name.endsWith("_total")) throw new Error(`misnamed: ${line}`);
    } else if (found?.[1] !== undefined && found[2] === current?.name) {
      const value = Number(found[3]);
      if (values.has(found[1])) throw new Error(`twice: ${line}`);
      if (current?.kind === "counter" && !(value >= 0)) throw new Error(`falling: ${line}`);
      values.set(found[1], value);
    } else {
      throw new Error(`not of the format, or out of place: ${line}`);
    }
  }
  return values;
}
