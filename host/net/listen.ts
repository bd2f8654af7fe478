// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { type AddressInfo, BlockList, isIPv6, type Server } from "node:net";

/** What a server listens on when nothing is named: both loopback addresses. */
export const LOOPBACK = "localhost";
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"];
/** Free ports of one address tried until one is free on the other too. */
const MAX_ATTEMPTS = 20;

/** What a server listens on. */
export interface Listening<S extends Server = Server> {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly servers: readonly S[];
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine reaches an address. */
export function isLoopback(address: string): boolean {
  return address === LOOPBACK || loopback.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** This machine has no such address. */
function isAbsent(error: unknown): boolean {
  return codeOf(error) === "EADDRNOTAVAIL" || codeOf(error) === "EAFNOSUPPORT";
}

async function bind(server: Server, host: string, port: number): Promise<AddressInfo> {
  server.listen({ host, port });
  await once(server, "listening");
  return server.address() as AddressInfo;
}

/** Both loopback addresses, or the one there is, on one port. */
async function tryLoopback<S extends Server>(create: () => S, port: number): Promise<Listening<S>> {
  const bound: { server: S; address: AddressInfo }[] = [];
  let absent: unknown;
  for (const host of LOOPBACK_ADDRESSES) {
    const server = create();
    try {
      bound.push({ server, address: await bind(server, host, bound[0]?.address.port ?? port) });
    } catch (error) {
      if (!isAbsent(error)) {
        for (const { server: other } of bound) other.close();
        throw error;
      }
      absent = error;
    }
  }
  const [first] = bound;
  if (first === undefined) throw absent;
  return {
    port: first.address.port,
    addresses: bound.map(({ address }) => address.address),
    servers: bound.map(({ server }) => server),
  };
}

async function listenOnLoopback<S extends Server>(
  create: () => S,
  port: number,
): Promise<Listening<S>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryLoopback(create, port);
    } catch (error) {
      // A port that was free on one address may be taken on the other.
      const again = port === 0 && codeOf(error) === "EADDRINUSE" && attempt < MAX_ATTEMPTS;
      if (!again) throw error;
    }
  }
}

/**
 * Listens on one address, or on IPv4's and IPv6's loopback with the same port (`localhost`); 0 takes a free port. `create`
 * makes a server for each address. Rejects when the port is taken or the address isn't this machine's.
 */
export async function listen<S extends Server>(
  create: () => S,
  host: string,
  port: number,
): Promise<Listening<S>> {
  if (host === LOOPBACK) return await listenOnLoopback(create, port);
  const server = create();
  const address = await bind(server, host, port);
  return { port: address.port, addresses: [address.address], servers: [server] };
}

/** What has to be said of a server that others than this machine reach; undefined when none do. */
export function reachableFromNetwork(addresses: readonly string[]): string | undefined {
  const outside = addresses.filter((address) => !isLoopback(address));
  if (outside.length === 0) return undefined;
  return `listening on ${outside.join(", ")}: reachable from the network`;
}
