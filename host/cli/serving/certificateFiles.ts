// SPDX-License-Identifier: BSD-3-Clause
// The certificate files of a running atServer: read at the start, and again when they change or on SIGHUP.
import { unwatchFile, watchFile } from "node:fs";
import { access, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import type { CertificateSource, TlsIdentity } from "../../server/config/config.ts";
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

/** The file beside the certificate chain that asks for a restart (atProtocol, certificate reload). */
function restartMark(files: CertificateFiles): string {
  return join(dirname(files.certificate), "restart");
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

/** The files as what an atServer reads its certificate from when it restarts. */
export function certificateSource(files: CertificateFiles): CertificateSource {
  const mark = restartMark(files);
  return {
    read: () => readIdentity(files),
    isRestartAsked: () => exists(mark),
    askRestart: (wanted) => (wanted ? writeFile(mark, "") : rm(mark, { force: true })),
  };
}

/** Hands over the files' contents. Rejects when they can't be read or used. */
async function renew(files: CertificateFiles, use: (identity: TlsIdentity) => void): Promise<true> {
  use(await readIdentity(files));
  return true;
}

function refused(log: Logger): (error: unknown) => false {
  return (error) => {
    const text = "the certificate files can't be used; the one in use stays";
    log.error({ reason: reasonOf(error) }, text);
    return false;
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Takes the file that asks for a restart as what it is after, a renewed certificate: hands over the files' contents and
 * removes it, and nobody is hung up on. Answers how to stop.
 */
export function watchMark(
  files: CertificateFiles,
  use: (identity: TlsIdentity) => void,
  log: Logger,
): () => void {
  const source = certificateSource(files);
  const look = async (): Promise<void> => {
    if (!(await source.isRestartAsked()) || !(await renew(files, use).catch(refused(log)))) return;
    await source.askRestart(false);
    log.info("certificate read anew: a restart was asked for");
  };
  const looked = (): void => {
    look().catch((error: unknown) =>
      log.error({ reason: reasonOf(error) }, "the file restart can't be looked at or removed"),
    );
  };
  looked();
  const mark = restartMark(files);
  watchFile(mark, { interval: LOOK_MILLIS, persistent: false }, looked);
  return () => unwatchFile(mark, looked);
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
  const changed = (): void => {
    renew(files, use).catch(refused(log));
  };
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
