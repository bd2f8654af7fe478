// SPDX-License-Identifier: BSD-3-Clause
// The start of an atServer whose commit log has a million entries.
import { join } from "node:path";
import { atmicroProgram } from "../../host/cli/process/program.ts";
import type { Authority } from "../../host/crypto/certificates.ts";
import { Records } from "../../host/server/records/records.ts";
import { openLmdbStore } from "../../host/store/lmdb.ts";
import { median, spread } from "./measuring/figures.ts";
import { issueInto } from "./measuring/peerProgram.ts";
import { openLink, readUntil } from "./measuring/rawLink.ts";
import type { RowResult } from "./measuring/rows.ts";
import { startOwn } from "./measuring/setting.ts";

const ENTRIES = 1_000_000;
const BATCH = 10_000;
const ROUNDS = 3;

async function fill(path: string): Promise<void> {
  const store = await openLmdbStore(path);
  const fail = (error: unknown): never => {
    throw error;
  };
  const records = new Records(store, "@alice", Date.now, fail);
  await records.put("privatekey:at_pkam_publickey", "K");
  for (let start = 0; start < ENTRIES; start += BATCH) {
    await store.write((writer) => {
      for (let i = start; i < start + BATCH; i++) {
        records.putIn(writer, `r${String(i).padStart(7, "0")}.bench@alice`, "a value");
      }
    });
  }
  await store.close();
}

/** From the start of the process to the greeting on a new TLS connection; the file is in the page cache. */
export async function measureRestart(folder: string, authority: Authority): Promise<RowResult> {
  const path = join(folder, "million", "store");
  await fill(path);
  const tls = await issueInto(join(folder, "million"), authority);
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const server = await startOwn(
      "the atServer with a million entries",
      [
        ...[atmicroProgram(), "server", "@alice", "--host", "127.0.0.1", "--port", "0"],
        ...["--certificate", tls.certificate, "--private-key", tls.privateKey],
        ...["--store", path, "--directory", "localhost:1", "--log-level", "warn"],
      ],
      authority.certificate,
    );
    const link = await openLink(server);
    await readUntil(link, "@");
    millis.push(performance.now() - start);
    link.destroy();
    await server.close();
  }
  return {
    rows: { restartMillionMs: Math.round(median(millis)) },
    details: { restartMillionMs: spread(millis) },
  };
}
