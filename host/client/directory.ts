// SPDX-License-Identifier: BSD-3-Clause
import type { Duplex } from "node:stream";
import { type Address, formatAddress, parseAddress } from "../net/address.ts";
import { type Pause, Retry, retries } from "../net/retries.ts";
import { atSignName } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import type { Transport } from "./transport.ts";

/** Port of an atDirectory, where its address doesn't say. */
export const DIRECTORY_PORT = 64;
const MAX_REPLY_CHARACTERS = 512;

export type DirectoryOptions = {
  readonly directory: Address;
  readonly transport: Transport;
  readonly timeoutMillis: number;
  /** In place of the clock's. */
  readonly pause?: Pause | undefined;
};

/**
 * Where an atSign's atServer is (atProtocol, the atDirectory): five tries, a connection each.
 * Rejects with AT0007 when the directory doesn't know the atSign, which is final, and with AT0021
 * or AT0023 when the directory can't be asked.
 */
export async function findAtServer(atSign: string, options: DirectoryOptions): Promise<Address> {
  const retry = new Retry(retries.directoryLookup, options.pause);
  for (;;) {
    try {
      return await ask(atSign, options);
    } catch (error) {
      const final = !(error instanceof AtError) || error.code === "AT0007";
      if (final || !(await retry.again())) throw error;
    }
  }
}

async function ask(atSign: string, options: DirectoryOptions): Promise<Address> {
  const { directory, transport, timeoutMillis } = options;
  const stream = await transport(directory, timeoutMillis);
  const place = `the atDirectory ${formatAddress(directory)}`;
  try {
    const answer = await readAnswer(stream, `${atSignName(atSign)}\n`, place, timeoutMillis);
    if (answer === "null") {
      throw new AtError("AT0007", `${atSign} is not in ${place}: check its spelling`);
    }
    return addressIn(answer, place, atSign);
  } finally {
    stream.end("@exit\n");
    stream.destroy();
  }
}

function addressIn(answer: string, place: string, atSign: string): Address {
  try {
    return parseAddress(answer);
  } catch (cause) {
    if (!(cause instanceof AtError)) throw cause;
    throw new AtError("AT0022", `${place} names no atServer of ${atSign}: ${cause.message}`, {
      cause,
    });
  }
}

/** Writes the question after the greeting `@`, and resolves to the line that follows. */
function readAnswer(
  stream: Duplex,
  question: string,
  place: string,
  timeoutMillis: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    let asked = false;
    const timer = setTimeout(
      () => reject(new AtError("AT0023", `${place} did not answer within ${timeoutMillis} ms`)),
      timeoutMillis,
    );
    const fail = (message: string, cause?: unknown): void => {
      clearTimeout(timer);
      reject(new AtError("AT0021", `${place} ${message}`, { cause }));
    };
    stream.on("error", (cause) => fail("can't be read", cause));
    stream.on("close", () => fail("closed the connection without an answer"));
    stream.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString("utf8");
      if (!text.startsWith("@") || text.length > MAX_REPLY_CHARACTERS) {
        fail("did not speak as an atDirectory does");
        return;
      }
      if (!asked) stream.write(question);
      asked = true;
      const end = text.indexOf("\n");
      if (end < 0) return;
      clearTimeout(timer);
      resolve(text.slice(1, end).trim());
    });
  });
}
