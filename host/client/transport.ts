// SPDX-License-Identifier: BSD-3-Clause
import type { Duplex } from "node:stream";
import { AtError } from "../wire/errors.ts";

export type Address = { readonly host: string; readonly port: number };

/** Opens a byte stream to an atServer or atDirectory; rejects with AtError AT0021 or AT0023. */
export type Transport = (address: Address, timeoutMillis: number) => Promise<Duplex>;

const MAX_PORT = 65_535;

/** Reads `host:port` (`[v6]:port`), or `host` where a default is given. Throws AT0022. */
export function parseAddress(text: string, defaultPort?: number): Address {
  const match = /^(?:\[([0-9a-f:]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port === undefined || port < 1 || port > MAX_PORT) {
    throw new AtError("AT0022", `"${text}" is not an address: write host:port`);
  }
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
