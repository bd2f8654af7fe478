// SPDX-License-Identifier: BSD-3-Clause
// What `atmicro server` and `atmicro directory serve` have in common.
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Logger, pino } from "pino";
import { LOOPBACK } from "../../net/listen.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { LastResort } from "../process/lastResort.ts";
import type { Io } from "../terminal/command.ts";
import { printJson, printNotice, shownJson } from "../terminal/output.ts";
import type { MetricsPort, Observed } from "./metricsPort.ts";

export type ListeningOptions = {
  readonly host: string;
  readonly port: number;
  readonly metricsHost: string;
  readonly metricsPort?: number;
  readonly exitWithParent: boolean;
};

export type ServingOptions = ListeningOptions & {
  readonly certificate: string;
  readonly privateKey: string;
  readonly logLevel: string;
};

export type Running = Observed & {
  readonly port: number;
  /** Tries anew whether the store works before that is said again. */
  doubt(): void;
  close(): Promise<void>;
};

const MAX_PORT = 65_535;

export function parsePort(text: string, option = "--port"): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= MAX_PORT) return port;
  throw new CliError(`${option} ${text} is not a port: use 0 to ${MAX_PORT}`, EXIT.usage);
}

/** Adds the options of whatever listens. */
export function withListeningOptions(command: Command, defaultPort: number): Command {
  return command
    .option(
      "--host <address>",
      "address to listen on: localhost for both loopback addresses, 0.0.0.0 for all of IPv4, :: for all",
      LOOPBACK,
    )
    .option(
      "--port <number>",
      "port to listen on, 0 for any free one",
      (text) => parsePort(text),
      defaultPort,
    )
    .option(
      "--metrics-port <number>",
      "port of /healthz, /readyz and /metrics over HTTP, 0 for any free one; none by default",
      (text) => parsePort(text, "--metrics-port"),
    )
    .option("--metrics-host <address>", "address of that port", LOOPBACK)
    .option("--exit-with-parent", "end when standard input closes", false);
}

/** Adds the options of a server that has no configuration file. */
export function withServingOptions(command: Command, defaultPort: number): Command {
  const serving = command
    .requiredOption("--certificate <file>", "certificate chain, PEM, own certificate first")
    .requiredOption("--private-key <file>", "private key of the certificate, PEM")
    .option("--log-level <level>", "fatal, error, warn, info, debug or silent", "info");
  return withListeningOptions(serving, defaultPort);
}

/** Reads a file the user named. Throws CliError that says which and why. */
export async function readNamedFile(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${option} ${path} can't be read: ${reason}`, EXIT.usage, { cause });
  }
}

/** JSON lines on standard error; the servers themselves never log keys or values. */
export function serverLog(level: string): Logger {
  try {
    const standardError = pino.destination({ dest: 2, sync: true });
    return pino({ level }, { write: (line: string) => standardError.write(shownJson(line)) });
  } catch (cause) {
    throw new CliError(
      `--log-level ${level} is not a level: use fatal, error, warn, info, debug, trace or silent`,
      EXIT.usage,
      { cause },
    );
  }
}

async function openMetrics(
  running: Running,
  { metricsHost: host, metricsPort: port }: ListeningOptions,
  log: Logger,
): Promise<MetricsPort | undefined> {
  if (port === undefined) return undefined;
  // Only who is observed pays for HTTP.
  const { openMetricsPort } = await import("./metricsPort.ts");
  try {
    return await openMetricsPort({ host, port }, running, log);
  } catch (error) {
    await running.close();
    throw error;
  }
}

/** Keeps a server going after an error that nothing caught. Answers how to stop. */
function outlive(running: Running, io: Io, log: Logger): (() => void) | undefined {
  const lastResort = new LastResort(log);
  return io.onUncaught?.((error) => {
    running.doubt();
    const end = lastResort.take(error);
    if (end === undefined) return;
    printNotice(io, `atmicro: ${end}`);
    process.exit(EXIT.internal);
  });
}

/** Says that the server listens, serves until it is asked to end, and closes it. */
export async function serve(
  running: Running,
  options: ListeningOptions,
  io: Io,
  log: Logger,
): Promise<void> {
  const stopOutliving = outlive(running, io, log);
  try {
    await serveOutliving(running, options, io, log);
  } finally {
    stopOutliving?.();
  }
}

async function serveOutliving(
  running: Running,
  options: ListeningOptions,
  io: Io,
  log: Logger,
): Promise<void> {
  const metrics = await openMetrics(running, options, log);
  const ports = { port: running.port, ...(metrics && { metricsPort: metrics.port }) };
  printJson(io, { event: "listening", ...ports });
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    io.signal.addEventListener("abort", () => resolve());
    if (options.exitWithParent) process.stdin.once("end", resolve).once("error", resolve).resume();
  });
  process.stdin.destroy();
  await running.close();
  await metrics?.close();
}
