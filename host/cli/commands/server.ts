// SPDX-License-Identifier: BSD-3-Clause

import { DIRECTORY_PORT } from "../../client/directory.ts";
import { parseAddress } from "../../client/transport.ts";
import { startServer } from "../../server/server.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { readIdentity, watchIdentity } from "../certificateFiles.ts";
import type { CommandDefinition } from "../command.ts";
import { requireWhenRun } from "../requireWhenRun.ts";
import {
  readNamedFile,
  type ServingOptions,
  serve,
  serverLog,
  withServingOptions,
} from "../serving.ts";
import { addBackup } from "./serverBackup.ts";

const SERVER_PORT = 6464;
const SECRET_VARIABLE = "ATMICRO_CRAM_SECRET";

type ServerOptions = ServingOptions & {
  readonly store: string;
  readonly directory: string;
  readonly authority?: string;
  readonly secretFile?: string;
};

/** `atmicro server @alice …`: one atServer, in the foreground. */
export const server: CommandDefinition = (program, io) => {
  const command = withServingOptions(
    program
      .command("server")
      .description("run the atServer of one atSign")
      .argument("<atSign>", "whom it serves"),
    SERVER_PORT,
  )
    .requiredOption("--store <folder>", "where everything is kept")
    .option("--directory <host:port>", "the atDirectory", `root.atsign.org:${DIRECTORY_PORT}`)
    .option("--authority <file>", "certificates other servers are trusted by, PEM")
    .option(
      "--secret-file <file>",
      `file with the CRAM secret of the first activation (or ${SECRET_VARIABLE})`,
    )
    .addHelpText(
      "after",
      "\nExample:\n  atmicro server @alice --certificate alice.pem --private-key alice.key --store /var/lib/atmicro/alice",
    );
  const requireOptions = requireWhenRun(command);
  command.action(async (atSign: string, options: ServerOptions) => {
    requireOptions();
    const log = serverLog(options.logLevel);
    const identity = await readIdentity(options);
    const secretText = options.secretFile
      ? await readNamedFile("--secret-file", options.secretFile)
      : io.env[SECRET_VARIABLE];
    const sharedSecret = secretText?.trim();
    const store = await openLmdbStore(options.store);
    const running = await startServer({
      atSign: normalizeAtSign(atSign),
      host: options.host,
      port: options.port,
      tls: identity,
      directory: parseAddress(options.directory, DIRECTORY_PORT),
      ...(sharedSecret && { sharedSecret }),
      store,
      log,
    });
    const unwatch = watchIdentity(options, (renewed) => running.useIdentity(renewed), log);
    const close = async (): Promise<void> => {
      unwatch();
      await running.close();
      await store.close();
    };
    await serve({ port: running.port, close }, io, options.exitWithParent);
  });
  addBackup(command, io);
};
