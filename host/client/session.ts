// SPDX-License-Identifier: BSD-3-Clause
import { cramDigest } from "../crypto/cram.ts";
import { type PkamIdentity, pkamCommand } from "../crypto/pkam.ts";
import type { Address } from "../net/address.ts";
import type { Transport } from "../net/findAtServer.ts";
import { findAtServer } from "../net/findAtServer.ts";
import type { Pause } from "../net/retries.ts";
import { AtError } from "../wire/errors.ts";
import { AtConnection, type ConnectionOptions } from "./connection.ts";
import { tlsTransport } from "./tls.ts";

/** How the network is reached; what every client needs beside its keys. */
export type NetworkOptions = {
  readonly directory: Address;
  /** PEM of the authority that signed the servers' certificates; the system's roots when absent. */
  readonly authority?: string | undefined;
  /** In place of TLS. */
  readonly transport?: Transport | undefined;
  /** For each connection and reply; 30 000 ms when absent. */
  readonly timeoutMillis?: number | undefined;
  /** In place of waiting between tries (tests). */
  readonly pause?: Pause | undefined;
};

const TIMEOUT_MILLIS = 30_000;

/** What a connection tells beside its replies. */
export type Listeners = Pick<ConnectionOptions, "onNotification" | "onHeard">;

/**
 * Finds the atSign's atServer and opens a connection that isn't logged in. Rejects as findAtServer and
 * AtConnection.open.
 */
export async function openAtServer(
  atSign: string,
  network: NetworkOptions,
  listeners: Listeners = {},
): Promise<AtConnection> {
  const timeoutMillis = network.timeoutMillis ?? TIMEOUT_MILLIS;
  const transport = network.transport ?? tlsTransport({ authority: network.authority });
  const { directory, pause } = network;
  const address = await findAtServer(atSign, { directory, transport, timeoutMillis, pause });
  return await AtConnection.open({ address, transport, timeoutMillis, ...listeners });
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** A session's name, whose login it is, what makes it the only one (atProtocol, the from verb). */
const CHALLENGE = new RegExp(`^_${UUID}(?<atSign>@.+):${UUID}$`, "i");

/**
 * Asks for a challenge. Only what has a challenge's shape and names this atSign is ever signed: an atServer could otherwise
 * have any text signed, such as another's challenge or a value. Rejects with AT0008.
 */
async function askChallenge(connection: AtConnection, atSign: string): Promise<string> {
  const answer = await connection.request(`from:${atSign}`);
  if (CHALLENGE.exec(answer)?.groups?.atSign === atSign) return answer;
  const message = `what the atServer wants signed is no challenge for ${atSign}; nothing was signed`;
  throw new AtError("AT0008", message);
}

/** `from` and `pkam` (atProtocol, PKAM login). Rejects with AT0401, or AT0025 to AT0029 for an enrollment. */
export async function loginPkam(
  connection: AtConnection,
  atSign: string,
  identity: PkamIdentity,
): Promise<void> {
  const challenge = await askChallenge(connection, atSign);
  await expectSuccess(connection, pkamCommand(identity, challenge));
}

/**
 * `from` and `cram` (atProtocol, CRAM): the login of an atSign not activated yet. Rejects with AT0401 for a wrong
 * secret, AT0008 for an invalid challenge.
 */
export async function loginCram(
  connection: AtConnection,
  atSign: string,
  secret: string,
): Promise<void> {
  const challenge = await askChallenge(connection, atSign);
  await expectSuccess(connection, `cram:${cramDigest(secret, challenge)}`);
}

async function expectSuccess(connection: AtConnection, line: string): Promise<void> {
  const answer = await connection.request(line);
  if (answer !== "success") throw new AtError("AT0401", `the login was answered with "${answer}"`);
}

/** Opens a connection and logs in. Rejects as openAtServer and loginPkam; the connection is closed then. */
export async function openLoggedIn(
  atSign: string,
  identity: PkamIdentity,
  network: NetworkOptions,
  listeners: Listeners = {},
): Promise<AtConnection> {
  const connection = await openAtServer(atSign, network, listeners);
  try {
    await loginPkam(connection, atSign, identity);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/**
 * The connection for requests: opened and logged in when it is needed, again after it broke. A
 * request that was under way then is rejected, not repeated: only its caller knows if it may be.
 */
export class Session {
  private readonly openConnection: () => Promise<AtConnection>;
  private opening: Promise<AtConnection> | undefined;
  private stopped = false;

  constructor(openConnection: () => Promise<AtConnection>) {
    this.openConnection = openConnection;
  }

  /** Sends one command; resolves to the text after `data:`. Rejects with AtError. */
  async request(line: string): Promise<string> {
    const connection = await this.connection();
    return await connection.request(line);
  }

  /** As request, but resolves to undefined for AT0015, a record that isn't there. Rejects with every other AtError. */
  async requestIfThere(line: string): Promise<string | undefined> {
    try {
      return await this.request(line);
    } catch (error) {
      if (error instanceof AtError && error.code === "AT0015") return undefined;
      throw error;
    }
  }

  /** Closes the connection; every later request rejects with AT0021, this never rejects. */
  async close(): Promise<void> {
    this.stopped = true;
    if (this.opening === undefined) return;
    const [outcome] = await Promise.allSettled([this.opening]);
    if (outcome.status === "fulfilled") outcome.value.close();
  }

  private async connection(): Promise<AtConnection> {
    if (this.stopped) throw new AtError("AT0021", "the client is closed");
    const current = this.opening;
    if (current !== undefined) {
      const connection = await current;
      if (connection.isOpen) return connection;
      if (this.opening === current) this.opening = undefined;
    }
    this.opening ??= this.openConnection();
    const fresh = this.opening;
    try {
      return await fresh;
    } catch (error) {
      if (this.opening === fresh) this.opening = undefined;
      throw error;
    }
  }
}
