// SPDX-License-Identifier: BSD-3-Clause
import { CommanderError } from "commander";
import { KeyFileError } from "../../crypto/keyFile.ts";
import { StoreError, type StorePlace } from "../../store/store.ts";
import { AtError, type ErrorCode } from "../../wire/errors.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";

/** What the help ends with. */
export const exitCodesHelp =
  "\nExit codes: 0 done, 1 internal, 2 usage, 3 no device, 4 permission or busy, 8 network or TLS,\n" +
  "            9 authentication or keys, 10 not found, 42 timeout";

const exitCodeOf: Partial<Record<ErrorCode, ExitCode>> = {
  AT0003: EXIT.usage,
  AT0004: EXIT.network,
  AT0006: EXIT.network,
  AT0007: EXIT.notFound,
  AT0008: EXIT.network,
  AT0009: EXIT.keys,
  AT0012: EXIT.network,
  AT0013: EXIT.network,
  AT0014: EXIT.keys,
  AT0015: EXIT.notFound,
  AT0016: EXIT.usage,
  AT0021: EXIT.network,
  AT0022: EXIT.usage,
  AT0023: EXIT.timeout,
  AT0025: EXIT.keys,
  AT0026: EXIT.keys,
  AT0027: EXIT.keys,
  AT0028: EXIT.keys,
  AT0029: EXIT.keys,
  AT0031: EXIT.permission,
  AT0032: EXIT.permission,
  AT0401: EXIT.keys,
};

const exitCodeOfPlace: Readonly<Record<StorePlace, ExitCode>> = {
  missing: EXIT.notFound,
  taken: EXIT.permission,
  busy: EXIT.permission,
  foreign: EXIT.usage,
};

const systemErrors: Readonly<Record<string, { text: string; exitCode: ExitCode }>> = {
  EACCES: { text: "permission denied", exitCode: EXIT.permission },
  EPERM: { text: "not permitted", exitCode: EXIT.permission },
  EBUSY: { text: "in use by another program", exitCode: EXIT.permission },
  EADDRINUSE: { text: "the port is in use by another program", exitCode: EXIT.permission },
  EEXIST: {
    text: "exists already and is never overwritten; move it away first",
    exitCode: EXIT.permission,
  },
  ENOENT: { text: "no such file or folder", exitCode: EXIT.notFound },
  ENOSPC: { text: "the disk is full", exitCode: EXIT.internal },
};

export type Failure = {
  /** One sentence. */
  readonly message: string;
  /** Lines below it. */
  readonly details: readonly string[];
  readonly exitCode: ExitCode;
};

/** One sentence for the user and the exit code of any failure. */
export function describeFailure(error: unknown): Failure {
  const details = error instanceof CliError ? error.details : [];
  return { ...judgeFailure(error), details };
}

function judgeFailure(error: unknown): { message: string; exitCode: ExitCode } {
  if (error instanceof CliError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof CommanderError) {
    return { message: "", exitCode: error.exitCode === 0 ? EXIT.done : EXIT.usage };
  }
  if (error instanceof KeyFileError) {
    return { message: error.message, exitCode: EXIT.keys };
  }
  if (error instanceof StoreError) {
    const exitCode = error.place === undefined ? EXIT.internal : exitCodeOfPlace[error.place];
    return { message: error.message, exitCode };
  }
  if (error instanceof AtError) {
    const exitCode = exitCodeOf[error.code] ?? EXIT.internal;
    return { message: `${error.message} (${error.code})`, exitCode };
  }
  if (error instanceof Error && "code" in error) {
    const known = systemErrors[String(error.code)];
    const path = "path" in error ? `${error.path}: ` : "";
    if (known !== undefined) {
      return { message: `${path}${known.text}`, exitCode: known.exitCode };
    }
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message: `${message} (run again with --debug for details)`, exitCode: EXIT.internal };
}
