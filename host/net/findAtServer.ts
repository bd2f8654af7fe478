// SPDX-License-Identifier: BSD-3-Clause
import type { Duplex } from "node:stream";
import { atSignName } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { DirectoryConnection, DirectorySilent } from "./directoryConnection.ts";
import { type Pause, Retry, retries } from "./retries.ts";

/** What an atDirectory says of an atSign that it doesn't know. */
export const UNKNOWN = "null";

/** Opens a byte stream to an atServer or atDirectory; rejects with AtError AT0021 or AT0023. */
export type Transport = (address: Address, timeoutMillis: number) => Promise<Duplex>;

export type DirectoryOptions = {
  readonly directory: Address;
  readonly transport: Transport;
  /** To connect, and for one answer, ms. */
  readonly timeoutMillis: number;
  /** In place of the clock's. */
  readonly pause?: Pause | undefined;
};

/**
 * Where an atSign's atServer is (atProtocol, the atDirectory): five tries, a connection each.
 * Rejects with AT0007 when the directory doesn't know the atSign, which is final, with AT0022 when what it says is no
 * address, and with AT0021 or AT0023 when the directory can't be asked.
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
  const place = `the atDirectory ${formatAddress(options.directory)}`;
  const answer = await exchange(atSignName(atSign), place, options);
  if (answer === UNKNOWN) {
    throw new AtError("AT0007", `${atSign} is not in ${place}: check its spelling`);
  }
  return addressIn(answer, place, atSign);
}

async function exchange(name: string, place: string, options: DirectoryOptions): Promise<string> {
  const { directory, transport, timeoutMillis } = options;
  const stream = await transport(directory, timeoutMillis);
  let connection: DirectoryConnection | undefined;
  try {
    connection = await DirectoryConnection.open(stream, {
      timeoutMillis,
      idleMillis: timeoutMillis,
    });
    return (await connection.ask(name)).trim();
  } catch (cause) {
    if (cause instanceof DirectorySilent) {
      throw new AtError("AT0023", `${place} did not answer within ${timeoutMillis} ms`);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AtError("AT0021", `${place} can't be asked: ${reason}`, { cause });
  } finally {
    connection?.close();
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
