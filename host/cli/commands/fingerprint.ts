// SPDX-License-Identifier: BSD-3-Clause
import { fingerprintText, pinOf } from "../../crypto/fingerprint.ts";
import type { CommandDefinition } from "../terminal/command.ts";
import { addClientOptions, type ClientFlags, jsonOption, readKeys } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";

export const fingerprint: CommandDefinition = (program, io) => {
  const command = program
    .command("fingerprint")
    .description(
      "show the fingerprint of your encryption key: what a device is told to know you by",
    )
    .addHelpText(
      "after",
      "\nExample: atmicro fingerprint -a @alice\nIt isn't secret. Give it to others another way than over the atServer.",
    );
  addClientOptions(command)
    .addOption(jsonOption())
    .action(async (flags: ClientFlags & { readonly json?: boolean }) => {
      const { atSign, encryptPublicKey } = await readKeys(flags, io);
      const text = fingerprintText(pinOf(atSign, encryptPublicKey));
      printResult(io, flags.json, { atSign, fingerprint: text }, [text]);
    });
};
