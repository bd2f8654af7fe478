// SPDX-License-Identifier: BSD-3-Clause
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Writes a new file (0600) that is either whole on disk or not there. Rejects with EEXIST. */
export async function createSecretFile(path: string, text: string): Promise<void> {
  await place(path, text, link);
}

/** The same, replacing what is there. */
export async function replaceSecretFile(path: string, text: string): Promise<void> {
  await place(path, text, rename);
}

export async function readSecretFile(path: string): Promise<string> {
  return await readFile(path, "utf8");
}

async function place(
  path: string,
  text: string,
  publish: (temporary: string, path: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}`);
  try {
    const file = await open(temporary, "wx", FILE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await publish(temporary, path);
  } finally {
    await removeIfThere(temporary);
  }
  await syncFolder(folder);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
