// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";

/**
 * Makes the required options of a command those of its own action alone: the parser asks for them before a subcommand
 * runs too. Gives the check with which the action begins; it throws CommanderError for the first one missing.
 */
export function requireWhenRun(command: Command): () => void {
  const required = command.options.filter(({ mandatory }) => mandatory);
  for (const option of required) option.makeOptionMandatory(false);
  return () => {
    for (const option of required) {
      if (command.getOptionValue(option.attributeName()) !== undefined) continue;
      command.error(`error: required option '${option.flags}' not specified`);
    }
  };
}
