// SPDX-License-Identifier: BSD-3-Clause

/** Exit codes of `atmicro`; stable, listed by `atmicro --help`. */
export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  noDevice: 3,
  permission: 4,
  network: 8,
  keys: 9,
  notFound: 10,
  timeout: 42,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure said to the user in one sentence, cause and remedy, with the exit code it leads to. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** Lines below the sentence, such as the last ones of a log. */
  readonly details: readonly string[];

  constructor(
    message: string,
    exitCode: ExitCode,
    options: { cause?: unknown; details?: readonly string[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = exitCode;
    this.details = options.details ?? [];
  }
}
