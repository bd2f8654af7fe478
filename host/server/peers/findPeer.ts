// SPDX-License-Identifier: BSD-3-Clause
import { type Address, formatAddress, readAddress } from "../../net/address.ts";
import { DirectoryConnection } from "../../net/directoryConnection.ts";
import { UNKNOWN } from "../../net/findAtServer.ts";
import { Retry, retries } from "../../net/retries.ts";
import { openTls } from "../../net/tlsClient.ts";
import { atSignName } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import type { TlsIdentity } from "../config/config.ts";

/** Prefix of a host that stands for every atServer, so that no directory is asked. */
const PROXY = "proxy:";
/** Addresses, and names the directory doesn't know, that are remembered. */
const MAX_KNOWN = 10_000;
const MAX_UNKNOWN = 256;
/** Most names from strangers that wait for the directory. */
export const MAX_STRANGERS_LOOKUPS = 64;

export interface DirectoryOptions {
  tls: TlsIdentity;
  /** ms an address is believed. */
  cacheMillis: number;
  /** ms the directory isn't asked again for a name it doesn't know, or that was just asked for. */
  missMillis: number;
  /** ms to connect, and for one answer. */
  timeoutMillis: number;
  /** ms the connection is kept without a question. */
  idleMillis: number;
  now: () => number;
}

/** Who asks: the own atServer, or a connection that only claims a name. */
export type Asker = "self" | "stranger";

interface Known {
  readonly address: Address;
  readonly askedAt: number;
}

interface Question {
  readonly name: string;
  resolve(answer: string): void;
  reject(error: unknown): void;
}

/**
 * Finds other atServers through the atDirectory (atProtocol, atDirectory, client side). All look-ups share one connection, on
 * which one name is asked for after the other, what strangers said last; look-ups of one name share the question.
 */
export class Directory {
  private readonly address: Address;
  private readonly options: DirectoryOptions;
  private readonly known = new Map<string, Known>();
  /** When the directory said of a name that it doesn't know it, ms since the epoch; the oldest first. */
  private readonly unknown = new Map<string, number>();
  private readonly asked = new Map<string, Promise<Address>>();
  private readonly questions: Readonly<Record<Asker, Question[]>> = { self: [], stranger: [] };
  private strangers = 0;
  private connection: DirectoryConnection | undefined;
  private working = false;
  private over = false;

  constructor(address: Address, options: DirectoryOptions) {
    this.address = address;
    this.options = options;
  }

  /** Whether every atSign is at one place, so that no directory is asked. */
  get asksNobody(): boolean {
    return this.address.host.startsWith(PROXY);
  }

  /**
   * Address of an atSign's atServer. Throws AT0007 when it isn't registered, AT0004 when the directory can't be asked, AT0028
   * for a stranger's when too many strangers' are waiting.
   */
  async find(atSign: string, asker: Asker = "self"): Promise<Address> {
    const { host, port } = this.address;
    if (this.asksNobody) return { host: host.slice(PROXY.length), port };
    const { cacheMillis, missMillis } = this.options;
    const known = this.known.get(atSign);
    if (known !== undefined && this.age(known.askedAt) < cacheMillis) return known.address;
    const missedAt = this.unknown.get(atSign);
    if (missedAt !== undefined && this.age(missedAt) < missMillis) throw unknownAtSign(atSign);
    const asked = this.asked.get(atSign) ?? this.lookUp(atSign, asker);
    return await asked;
  }

  /** As `find`, but asks again when the known address may be outdated, unless it was asked for just now. */
  async findAgain(atSign: string, asker: Asker): Promise<Address> {
    const known = this.known.get(atSign);
    if (known !== undefined && this.age(known.askedAt) >= this.options.missMillis) {
      this.forget(atSign);
    }
    return await this.find(atSign, asker);
  }

  /** Forgets an address that turned out not to answer. */
  forget(atSign: string): void {
    this.known.delete(atSign);
  }

  /** Hangs up; nothing is asked any more. */
  close(): void {
    this.over = true;
    this.connection?.close();
  }

  /** ms since an instant, however far the clock was set back or forward meanwhile. */
  private age(instant: number): number {
    return Math.abs(this.options.now() - instant);
  }

  private lookUp(atSign: string, asker: Asker): Promise<Address> {
    const isStranger = asker === "stranger";
    if (isStranger && this.strangers >= MAX_STRANGERS_LOOKUPS) {
      throw new AtError("AT0028", "Too many look-ups at once, try again later");
    }
    if (isStranger) this.strangers += 1;
    const lookUp = this.ask(atSign, asker).finally(() => {
      this.asked.delete(atSign);
      if (isStranger) this.strangers -= 1;
    });
    this.asked.set(atSign, lookUp);
    return lookUp;
  }

  private async ask(atSign: string, asker: Asker): Promise<Address> {
    const answer = await this.askUntilAnswered(atSignName(atSign), asker);
    const { now } = this.options;
    if (answer === UNKNOWN) {
      remember(this.unknown, atSign, now(), MAX_UNKNOWN);
      throw unknownAtSign(atSign);
    }
    const address = parseAnswer(atSign, answer);
    remember(this.known, atSign, { address, askedAt: now() }, MAX_KNOWN);
    return address;
  }

  private async askUntilAnswered(name: string, asker: Asker): Promise<string> {
    const retry = new Retry(retries.directoryLookup);
    for (;;) {
      try {
        return await this.enqueue(name, asker);
      } catch (cause) {
        if (!this.over && (await retry.again())) continue;
        const text = `Unable to establish connection with root server ${formatAddress(this.address)}`;
        throw new AtError("AT0004", text, { cause });
      }
    }
  }

  private enqueue(name: string, asker: Asker): Promise<string> {
    return new Promise((resolve, reject) => {
      this.questions[asker].push({ name, resolve, reject });
      if (!this.working) this.work().catch(reject);
    });
  }

  /** Asks everything that waits. */
  private async work(): Promise<void> {
    this.working = true;
    try {
      for (let question = this.next(); question !== undefined; question = this.next()) {
        await this.settle(question);
      }
    } finally {
      this.working = false;
    }
  }

  private async settle(question: Question): Promise<void> {
    try {
      question.resolve(await this.exchange(question.name));
    } catch (error) {
      this.connection?.close();
      // Nobody waits longer for a directory that is away than it takes to find that out.
      question.reject(error);
      for (let rest = this.next(); rest !== undefined; rest = this.next()) rest.reject(error);
    }
  }

  private next(): Question | undefined {
    return this.questions.self.shift() ?? this.questions.stranger.shift();
  }

  private async exchange(name: string): Promise<string> {
    if (this.over) throw new Error("the atServer is closed");
    const connection = await this.connected();
    const answer = (await connection.ask(name)).trim();
    // A directory answers the second miss of a connection late, and hangs up at the third.
    if (answer === UNKNOWN) connection.close();
    return answer;
  }

  private async connected(): Promise<DirectoryConnection> {
    if (this.connection?.closed === false) return this.connection;
    const { tls, timeoutMillis, idleMillis } = this.options;
    const { authority } = tls;
    // Nobody who asks a directory shows who he is.
    const stream = openTls(this.address, { authority });
    const connection = await DirectoryConnection.open(stream, { timeoutMillis, idleMillis });
    this.connection = connection;
    if (this.over) connection.close();
    return connection;
  }
}

/** Keeps something under a name as the latest; the oldest goes when there are too many. */
function remember<T>(held: Map<string, T>, name: string, value: T, most: number): void {
  held.delete(name);
  held.set(name, value);
  const [oldest] = held.keys();
  if (held.size > most && oldest !== undefined) held.delete(oldest);
}

function unknownAtSign(atSign: string): AtError {
  return new AtError("AT0007", `Unable to find secondary address for atSign:${atSignName(atSign)}`);
}

function parseAnswer(atSign: string, answer: string): Address {
  const found = readAddress(answer);
  if (found?.port === undefined) {
    throw new AtError("AT0007", `The directory's address of ${atSign} is not host:port`);
  }
  return { host: found.host, port: found.port };
}
