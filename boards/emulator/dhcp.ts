// SPDX-License-Identifier: BSD-3-Clause

export const DHCP_SERVER_PORT = 67;

const OPTIONS_AT = 240;
const COOKIE = 0x6382_5363;
const LEASE_SECONDS = 86_400;

const OPTION = { subnet: 1, router: 3, dns: 6, lease: 51, type: 53, server: 54, end: 255 } as const;
const TYPE = { discover: 1, offer: 2, request: 3, acknowledge: 5 } as const;

export interface DhcpAnswer {
  readonly server: readonly number[];
  readonly lease: readonly number[];
}

export const isBroadcast = (ip: Uint8Array): boolean => ip.every((part) => part === 255);

function messageType(message: Buffer): number | undefined {
  for (let at = OPTIONS_AT; at < message.length; ) {
    const code = message[at];
    if (code === OPTION.end || code === undefined) return undefined;
    if (code === OPTION.type) return message[at + 2];
    at += code === 0 ? 1 : 2 + (message[at + 1] ?? 0);
  }
  return undefined;
}

/** Offers and acknowledges one lease (RFC 2131, §4.3); null for what asks for neither. */
export function answerDhcp(query: Uint8Array, { server, lease }: DhcpAnswer): Uint8Array | null {
  const message = Buffer.from(query);
  if (message.length < OPTIONS_AT || message.readUInt32BE(OPTIONS_AT - 4) !== COOKIE) return null;
  const asked = messageType(message);
  if (asked !== TYPE.discover && asked !== TYPE.request) return null;
  const fixed = Buffer.from(message.subarray(0, OPTIONS_AT));
  fixed[0] = 2;
  fixed.set(lease, 16);
  fixed.set(server, 20);
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(LEASE_SECONDS);
  const options: readonly (readonly [number, readonly number[]])[] = [
    [OPTION.type, [asked === TYPE.discover ? TYPE.offer : TYPE.acknowledge]],
    [OPTION.server, server],
    [OPTION.lease, [...seconds]],
    [OPTION.subnet, [255, 255, 255, 0]],
    [OPTION.router, server],
    [OPTION.dns, server],
  ];
  const encoded = options.flatMap(([code, bytes]) => [code, bytes.length, ...bytes]);
  return Buffer.concat([fixed, Buffer.from([...encoded, OPTION.end])]);
}
