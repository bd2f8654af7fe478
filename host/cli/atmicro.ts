// SPDX-License-Identifier: BSD-3-Clause
import { Command, CommanderError, Option } from "commander";
import { EXIT, type ExitCode } from "./process/exit.ts";
import type { CommandDefinition, Io } from "./terminal/command.ts";
import { describeFailure, exitCodesHelp } from "./terminal/failure.ts";
import { printHelp, printNotice, stackOf } from "./terminal/output.ts";

/** Every command, in the order of the help. Only the one that is called is loaded: a server does without the others' memory. */
const definitions: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  demo: async () => (await import("./commands/demo.ts")).demo,
  up: async () => (await import("./commands/up.ts")).upCommand,
  server: async () => (await import("./commands/server.ts")).server,
  directory: async () => (await import("./commands/directory.ts")).directory,
  activate: async () => (await import("./commands/activate.ts")).activateCommand,
  otp: async () => (await import("./commands/otp.ts")).otp,
  enroll: async () => (await import("./commands/enroll.ts")).enrollCommand,
  approve: async () => (await import("./commands/approve.ts")).approve,
  keys: async () => (await import("./commands/keys.ts")).keys,
  fingerprint: async () => (await import("./commands/fingerprint.ts")).fingerprint,
  put: async () => (await import("./commands/put.ts")).put,
  get: async () => (await import("./commands/get.ts")).get,
  scan: async () => (await import("./commands/scan.ts")).scan,
  delete: async () => (await import("./commands/delete.ts")).deleteCommand,
  notify: async () => (await import("./commands/notify.ts")).notify,
  monitor: async () => (await import("./commands/monitor.ts")).monitor,
};

/** Says what went wrong, with `--debug` where; gives the exit code. */
export function reportFailure(error: unknown, args: readonly string[], io: Io): ExitCode {
  const { message, details, exitCode } = describeFailure(error);
  printNotice(io, `atmicro: ${message}`, ...details);
  if (args.includes("--debug")) printNotice(io, ...stackOf(error));
  return exitCode;
}

/** Runs one command line (without node and program); resolves to the exit code, never rejects. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const program = await createProgram(io, args);
  try {
    await program.parseAsync([...args], { from: "user" });
    return EXIT.done;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return reportFailure(error, args, io);
  }
}

/** The program with the command that `args` name, or all of them. */
export async function createProgram(io: Io, args: readonly string[]): Promise<Command> {
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
      writeOut: (text) => printHelp((line) => io.stdout(line), text),
      writeErr: (text) => printHelp((line) => io.stderr(line), text),
    });
  for (const load of called(args)) (await load())(program, io);
  for (const command of program.commands) inherit(program, command);
  return program;
}

/** The command the line names; all of them when it names none, as for the help. */
function called(args: readonly string[]): (() => Promise<CommandDefinition>)[] {
  const name = args.find((arg) => !arg.startsWith("-")) ?? "";
  return Object.hasOwn(definitions, name)
    ? [definitions[name]].filter((load) => load !== undefined)
    : Object.values(definitions);
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
