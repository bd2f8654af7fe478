// SPDX-License-Identifier: BSD-3-Clause
import { Command, CommanderError, Option } from "commander";
import type { CommandDefinition, Io } from "./command.ts";
import { activateCommand } from "./commands/activate.ts";
import { approve } from "./commands/approve.ts";
import { deleteCommand } from "./commands/delete.ts";
import { demo } from "./commands/demo.ts";
import { directory } from "./commands/directory.ts";
import { enrollCommand } from "./commands/enroll.ts";
import { get } from "./commands/get.ts";
import { keys } from "./commands/keys.ts";
import { monitor } from "./commands/monitor.ts";
import { notify } from "./commands/notify.ts";
import { otp } from "./commands/otp.ts";
import { put } from "./commands/put.ts";
import { scan } from "./commands/scan.ts";
import { server } from "./commands/server.ts";
import { upCommand } from "./commands/up.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { describeFailure, exitCodesHelp } from "./failure.ts";

/** Every command, in the order of the help. */
const definitions: readonly CommandDefinition[] = [
  demo,
  upCommand,
  server,
  directory,
  activateCommand,
  otp,
  enrollCommand,
  approve,
  keys,
  put,
  get,
  scan,
  deleteCommand,
  notify,
  monitor,
];

/** Runs one command line (without node and program); resolves to the exit code, never rejects. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const program = createProgram(io);
  try {
    await program.parseAsync([...args], { from: "user" });
    return EXIT.done;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { message, exitCode } = describeFailure(error);
    io.stderr(`atmicro: ${message}`);
    if (args.includes("--debug")) io.stderr(stackOf(error));
    return exitCode;
  }
}

function createProgram(io: Io): Command {
  const program = new Command("atmicro")
    .description("end-to-end encrypted IoT on microcontrollers: servers, client and tools")
    .addOption(debugOption())
    .showHelpAfterError("(--help tells more)")
    .addHelpText("after", "\nExample: atmicro demo")
    .addHelpText("after", exitCodesHelp)
    // An option behind a subcommand's name is the subcommand's, also where the command has one of that name.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout(text.replace(/\n$/, "")),
      writeErr: (text) => io.stderr(text.replace(/\n$/, "")),
    });
  for (const define of definitions) define(program, io);
  for (const command of program.commands) inherit(program, command);
  return program;
}

/** Understood before and behind the name of every command. */
function debugOption(): Option {
  return new Option("--debug", "show where a failure came from");
}

/** Subcommands made before the settings above would print and exit by themselves. */
function inherit(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  command.addOption(debugOption().hideHelp());
  for (const child of command.commands) inherit(command, child);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
