// SPDX-License-Identifier: BSD-3-Clause
import { type Address, formatAddress, readAddress } from "../net/address.ts";
import { Retry, retries } from "../net/retries.ts";
import { atSignName } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import type { TlsIdentity } from "./config.ts";
import { openTls } from "./tlsClient.ts";

const MAX_ANSWER = 1024;
/** Before a host that stands for every atServer, so that no directory is asked. */
const PROXY = "proxy:";

export interface DirectoryOptions {
  tls: TlsIdentity;
  /** ms an address is believed. */
  cacheMillis: number;
  /** ms for one attempt. */
  timeoutMillis: number;
  now: () => number;
}

/** Finds other atServers through the atDirectory (atProtocol, atDirectory, client side). */
export class Directory {
  private readonly address: Address;
  private readonly options: DirectoryOptions;
  private readonly known = new Map<string, { address: Address; until: number }>();

  constructor(address: Address, options: DirectoryOptions) {
    this.address = address;
    this.options = options;
  }

  /** Whether every atSign is at one place, so that no directory is asked. */
  get asksNobody(): boolean {
    return this.address.host.startsWith(PROXY);
  }

  /** Address of an atSign's atServer. Throws AT0007 when it isn't registered, AT0004 when the directory can't be asked. */
  async find(atSign: string): Promise<Address> {
    const { host, port } = this.address;
    if (this.asksNobody) return { host: host.slice(PROXY.length), port };
    const known = this.known.get(atSign);
    if (known !== undefined && known.until > this.options.now()) return known.address;
    const address = await this.ask(atSign);
    this.known.set(atSign, { address, until: this.options.now() + this.options.cacheMillis });
    return address;
  }

  /** Forgets an address that turned out not to answer. */
  forget(atSign: string): void {
    this.known.delete(atSign);
  }

  private async ask(atSign: string): Promise<Address> {
    const retry = new Retry(retries.directoryLookup);
    for (;;) {
      try {
        return parseAnswer(atSign, await this.query(atSignName(atSign)));
      } catch (cause) {
        if (cause instanceof AtError) throw cause;
        if (await retry.again()) continue;
        const text = `Unable to establish connection with root server ${formatAddress(this.address)}`;
        throw new AtError("AT0004", text, { cause });
      }
    }
  }

  private query(name: string): Promise<string> {
    const { tls, timeoutMillis } = this.options;
    return new Promise((resolve, reject) => {
      const socket = openTls(this.address, tls, false);
      let text = "";
      const timer = setTimeout(() => socket.destroy(new Error("no answer")), timeoutMillis);
      socket.setEncoding("utf8");
      socket.on("data", (chunk: string) => {
        const greeted = text.startsWith("@");
        text += chunk;
        if (!greeted && text.startsWith("@")) socket.write(`${name}\n`);
        const answer = /^@(.*?)\r?\n@/s.exec(text);
        if (answer !== null) {
          resolve(answer[1] ?? "");
          socket.end("@exit\n");
        } else if (text.length > MAX_ANSWER) {
          socket.destroy(new Error("the answer is too long"));
        }
      });
      socket.on("error", reject);
      socket.on("close", () => {
        clearTimeout(timer);
        reject(new Error("the directory hung up"));
      });
    });
  }
}

function parseAnswer(atSign: string, answer: string): Address {
  const text = answer.trim();
  if (text === "null") {
    throw new AtError(
      "AT0007",
      `Unable to find secondary address for atSign:${atSignName(atSign)}`,
    );
  }
  const found = readAddress(text);
  if (found?.port === undefined) {
    throw new AtError("AT0007", `The directory's address of ${atSign} is not host:port`);
  }
  return { host: found.host, port: found.port };
}
