// SPDX-License-Identifier: BSD-3-Clause
// The atServer that kill.test.ts starts and kills: its settings come as JSON in argv, its port goes to stdout.
import { pino } from "pino";
import { startServer } from "../../server/server.ts";
import { openLmdbStore } from "../../store/lmdb.ts";

const { path, tls, directory, secret } = JSON.parse(process.argv[2] ?? "");
const store = await openLmdbStore(path);
const log = pino({ level: "silent" });
const server = await startServer({
  atSign: "@alice",
  port: 0,
  host: "127.0.0.1",
  tls,
  directory,
  sharedSecret: secret,
  store,
  log,
});
process.stdout.write(`${server.port}\n`);
