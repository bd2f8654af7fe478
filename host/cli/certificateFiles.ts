// SPDX-License-Identifier: BSD-3-Clause
// The certificate files of a running atServer: read at the start, and again when they change or on SIGHUP.
import { unwatchFile, watchFile } from "node:fs";
import type { Logger } from "pino";
import type { TlsIdentity } from "../server/config.ts";
import { readNamedFile } from "./serving.ts";

export type CertificateFiles = {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority?: string;
};

/** Between two looks at the files, ms: a poll also sees a renewed symbolic link and a network drive. */
const LOOK_MILLIS = 5_000;

export async function readIdentity(files: CertificateFiles): Promise<TlsIdentity> {
  return {
    certificate: await readNamedFile("--certificate", files.certificate),
    privateKey: await readNamedFile("--private-key", files.privateKey),
    ...(files.authority && { authority: await readNamedFile("--authority", files.authority) }),
  };
}

/**
 * Hands over the files' contents whenever they changed. Certificate and key are replaced one after the other, so a pair
 * that does not fit is logged and the one in use stays; the second change brings the pair that does. Answers how to stop.
 */
export function watchIdentity(
  files: CertificateFiles,
  use: (identity: TlsIdentity) => void,
  log: Logger,
): () => void {
  const reload = async (): Promise<void> => {
    try {
      use(await readIdentity(files));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ reason }, "the certificate files can't be used; the one in use stays");
    }
  };
  const changed = (): void => void reload();
  const watched = [files.certificate, files.privateKey, files.authority].filter(
    (file) => file !== undefined,
  );
  for (const file of watched)
    watchFile(file, { interval: LOOK_MILLIS, persistent: false }, changed);
  process.on("SIGHUP", changed);
  return () => {
    for (const file of watched) unwatchFile(file, changed);
    process.off("SIGHUP", changed);
  };
}
