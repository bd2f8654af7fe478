// SPDX-License-Identifier: BSD-3-Clause
import type { Logger } from "pino";
import { hasLogin } from "../../server/access/firstLogin.ts";
import type { TlsIdentity } from "../../server/config/config.ts";
import { startServer } from "../../server/server.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import type { Store } from "../../store/store.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { CliError, EXIT } from "../process/exit.ts";
import {
  type CertificateFiles,
  certificateSource,
  readIdentity,
  watchIdentity,
  watchMark,
} from "../serving/certificateFiles.ts";
import { holdStore, type LockOption, withLockOption } from "../serving/heldStore.ts";
import { configOption, parameterOptions } from "../serving/parameterOptions.ts";
import {
  authority,
  certificate,
  logLevel,
  privateKey,
  protectedKeys,
  storeFolder,
} from "../serving/serverParameters.ts";
import { ServerSettings } from "../serving/serverSettings.ts";
import {
  type ListeningOptions,
  readNamedFile,
  serve,
  serverLog,
  withListeningOptions,
} from "../serving/serving.ts";
import { rotateTicketKeys, ticketKeysOf } from "../serving/ticketKeyFile.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import { warnOfExposure } from "../terminal/exposedFile.ts";
import { addBackup } from "./serverBackup.ts";
import { addServerConfig } from "./serverConfig.ts";

const SERVER_PORT = 6464;
const SECRET_VARIABLE = "ATMICRO_CRAM_SECRET";

type ServerOptions = ListeningOptions &
  LockOption & {
    readonly config?: string;
    readonly secretFile?: string;
    /** Parameters, as they were typed. */
    readonly [parameter: string]: unknown;
  };

/** `atmicro server @alice …`: one atServer, in the foreground. */
export const server: CommandDefinition = (program, io) => {
  const command = program
    .command("server")
    .description("run the atServer of one atSign")
    .argument("<atSign>", "whom it serves")
    .helpCommand(false);
  withLockOption(withListeningOptions(command, SERVER_PORT))
    .addOption(configOption())
    .option(
      "--secret-file <file>",
      `file with the CRAM secret of the first activation (or ${SECRET_VARIABLE})`,
    );
  for (const option of parameterOptions()) command.addOption(option);
  command
    .addHelpText(
      "after",
      "\nExample:\n  atmicro server @alice --certificate alice.pem --private-key alice.key --store /var/lib/atmicro/alice --secret-file alice.secret\n" +
        "  atmicro server config print   what is set, by which flag, environment variable or file",
    )
    .action((atSign: string, options: ServerOptions) => run(atSign, options, io));
  addServerConfig(command, io);
  addBackup(command, io);
};

function certificateFiles(settings: ServerSettings): CertificateFiles {
  const trusted = settings.text(authority);
  return {
    certificate: settings.required(certificate),
    privateKey: settings.required(privateKey),
    ...(trusted !== undefined && { authority: trusted }),
  };
}

async function readSecret({ secretFile }: ServerOptions, io: Io): Promise<string | undefined> {
  const text = secretFile
    ? await readNamedFile("--secret-file", secretFile)
    : io.env[SECRET_VARIABLE];
  return text?.trim();
}

/** What a server is started with, judged. */
interface Start {
  readonly atSign: string;
  readonly folder: string;
  readonly settings: ServerSettings;
  readonly options: ServerOptions;
  readonly files: CertificateFiles;
  readonly identity: TlsIdentity;
  readonly sharedSecret: string | undefined;
  readonly log: Logger;
}

async function run(text: string, options: ServerOptions, io: Io): Promise<void> {
  const atSign = normalizeAtSign(text);
  const sources = { flags: options, env: io.env, file: options.config };
  const settings = await ServerSettings.read(sources);
  const log = serverLog(settings.text(logLevel) ?? "info");
  const files = certificateFiles(settings);
  const folder = settings.required(storeFolder);
  const identity = await readIdentity(files);
  const sharedSecret = await readSecret(options, io);
  for (const file of [files.privateKey, options.secretFile]) {
    if (file !== undefined) await warnOfExposure(file, (text) => log.warn(text));
  }
  const start = { atSign, folder, settings, options, files, identity, sharedSecret, log };
  await holdStore(folder, options, log, async () => {
    const store = await openLmdbStore(folder, Date.now, atSign);
    try {
      requireLogin(store, start);
      await serveStore(store, start, io);
    } finally {
      await store.close();
    }
  });
}

/** Refuses to begin a store that nobody could ever log in to. Throws CliError. */
function requireLogin(store: Store, { atSign, sharedSecret }: Start): void {
  if (sharedSecret || hasLogin(store, atSign)) return;
  throw new CliError(
    `nobody could log in as ${atSign}: its store has no secret and no key yet; name --secret-file <file> with the CRAM secret of the first activation, 128 hexadecimal digits (openssl rand -hex 64), or set ${SECRET_VARIABLE}`,
    EXIT.keys,
  );
}

async function serveStore(store: Store, start: Start, io: Io): Promise<void> {
  const { folder, settings, options, files, identity, sharedSecret, log } = start;
  const tickets = await ticketKeysOf(folder, log);
  const tuning = settings.tuning();
  const running = await startServer({
    ...tuning,
    atSign: start.atSign,
    host: options.host,
    port: options.port,
    tls: identity,
    ticketKeys: tickets.keys,
    certificates: certificateSource(files),
    protectedKeys: settings.list(protectedKeys),
    directory: settings.directory(),
    ...(sharedSecret && { sharedSecret }),
    store,
    log,
  });
  const renew = (renewed: typeof identity): void => running.useIdentity(renewed);
  const unwatch = watchIdentity(files, renew, log);
  // In testing mode the config verb looks for the mark when it is told to.
  const unwatchMark = tuning.testingMode ? undefined : watchMark(files, renew, log);
  const useKeys = (keys: Buffer): void => running.useTicketKeys(keys);
  const stopRotation = rotateTicketKeys(folder, tickets, useKeys, log);
  const close = async (): Promise<void> => {
    stopRotation();
    unwatch();
    unwatchMark?.();
    await running.close();
  };
  await serve({ ...running, close }, options, io, log);
}
