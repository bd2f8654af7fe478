// SPDX-License-Identifier: BSD-3-Clause
// The keys of TLS session tickets, kept beside a server's store: a client's session outlives the server's restart
// (RFC 5077 §5.5, RFC 8446 §4.6.1). Whoever has them reads TLS 1.2 sessions resumed with them, so they are secret, and used
// for a day. Node knows one set at a time: tickets of the day before cost their holder a full handshake, nothing else.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { replaceSecretFile } from "../../crypto/secretFile.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";

export const TICKET_KEY_FILE = "ticket-keys.json";
/** How long the same keys are used, ms. */
export const TICKET_KEY_MILLIS = 86_400_000;
/** AES key, HMAC key and name of the keys, as node:tls takes them. */
const KEY_BYTES = 48;
const OTHERS = 0o077;
const NOT_ROTATED = "the ticket keys can't be replaced: those in use stay until the next start";

export interface TicketKeys {
  readonly keys: Buffer;
  /** ms since the epoch. */
  readonly createdAt: number;
}

function reasonOf(error: unknown): string {
  if (error instanceof JsonError) return `it ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

function parse(text: string): TicketKeys {
  const value = parseJson(text, jsonLimits.file);
  const { keys, createdAt } = (value ?? {}) as Record<string, unknown>;
  const bytes = Buffer.from(typeof keys === "string" ? keys : "", "base64");
  if (bytes.length !== KEY_BYTES || typeof createdAt !== "number") {
    throw new Error(`it doesn't hold ${KEY_BYTES} bytes of keys and their instant`);
  }
  return { keys: bytes, createdAt };
}

async function checkOwner(file: FileHandle): Promise<void> {
  const found = await file.stat();
  if (!found.isFile()) throw new Error("it is not a file");
  if ((found.mode & OTHERS) !== 0) throw new Error("others than its owner may read or write it");
  if (process.getuid !== undefined && found.uid !== process.getuid()) {
    throw new Error("it belongs to another user");
  }
}

/** What the file holds; undefined when there is none. Throws Error with a reason for one that can't be trusted. */
async function read(path: string): Promise<TicketKeys | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    await checkOwner(file);
    return parse(await file.readFile("utf8"));
  } finally {
    await file.close();
  }
}

async function write(path: string, { keys, createdAt }: TicketKeys): Promise<void> {
  await replaceSecretFile(
    path,
    `${JSON.stringify({ createdAt, keys: keys.toString("base64") })}\n`,
  );
  const kept = await read(path);
  if (kept === undefined || !kept.keys.equals(keys)) throw new Error("it reads back differently");
}

/** Keys made after now were made before the clock went back. */
function isFresh({ createdAt }: TicketKeys, now: number): boolean {
  return createdAt <= now && now - createdAt < TICKET_KEY_MILLIS;
}

/**
 * The keys to use now: those in the folder's file while they are less than a day old, otherwise new ones, which are written
 * there. A file that is damaged, or open to others, is replaced. Keys that can't be kept are used all the same, until the
 * process ends. Both are logged as warnings.
 */
export async function ticketKeysOf(
  folder: string,
  log: Logger,
  now: () => number = Date.now,
): Promise<TicketKeys> {
  const path = join(folder, TICKET_KEY_FILE);
  try {
    const found = await read(path);
    if (found !== undefined && isFresh(found, now())) return found;
  } catch (error) {
    log.warn({ path, reason: reasonOf(error) }, "the ticket keys are replaced by new ones");
  }
  const fresh = { keys: randomBytes(KEY_BYTES), createdAt: now() };
  try {
    await write(path, fresh);
  } catch (error) {
    const text = "the ticket keys can't be kept: TLS sessions end with this process";
    log.warn({ path, reason: reasonOf(error) }, text);
  }
  return fresh;
}

/** Hands over other keys whenever those in use are a day old. Answers how to stop. */
export function rotateTicketKeys(
  folder: string,
  current: TicketKeys,
  use: (keys: Buffer) => void,
  log: Logger,
): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout;
  const wait = ({ createdAt }: TicketKeys): void => {
    const left = createdAt + TICKET_KEY_MILLIS - Date.now();
    timer = setTimeout(
      () => {
        renew().catch((error: unknown) => log.error({ reason: reasonOf(error) }, NOT_ROTATED));
      },
      Math.min(Math.max(left, 0), TICKET_KEY_MILLIS),
    );
    timer.unref();
  };
  const renew = async (): Promise<void> => {
    const next = await ticketKeysOf(folder, log);
    if (stopped) return;
    use(next.keys);
    wait(next);
  };
  wait(current);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
