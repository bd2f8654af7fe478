// SPDX-License-Identifier: BSD-3-Clause

/**
 * The protocol's normalisation before a command is dispatched: surrounding white space goes; without a colon the whole
 * command is lower-cased, otherwise what stands before the first colon is lower-cased and loses its spaces.
 * A `scan` or `monitor` followed by a space keeps its regular expression's colon, and `monitor` its case, so that a
 * regular expression may contain a colon.
 */
export function normalizeCommand(line: string): string {
  const text = line.trim();
  const colon = text.indexOf(":");
  if (colon < 0) return text.toLowerCase();
  const verb = text.slice(0, colon).toLowerCase();
  const filtered = /^(scan|monitor) +(\S.*)$/.exec(verb);
  if (filtered !== null) return `${filtered[1]} ${text.slice(text.indexOf(" ")).trim()}`;
  const name = verb.replaceAll(" ", "");
  return text.startsWith(name) && name.length === colon ? text : name + text.slice(colon);
}
