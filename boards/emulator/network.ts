// SPDX-License-Identifier: BSD-3-Clause
import { connect as connectTo, type Socket } from "node:net";
import { type Address, parseAddress } from "../../device/js/address.ts";
import { answerDhcp, DHCP_SERVER_PORT, isBroadcast } from "./dhcp.ts";
import { answerDns, DNS_PORT } from "./dns.ts";

/** What a TCP connection tells its W5500 socket. After `failed` nothing more. */
export interface TcpEvents {
  opened(): void;
  received(bytes: Uint8Array): void;
  /** The peer sends no more. */
  ended(): void;
  /** Refused, reset, or broken. */
  failed(): void;
}

export interface TcpLink {
  /** `acknowledged` is called when the peer's side has taken the bytes. */
  send(bytes: Uint8Array, acknowledged: () => void): void;
  end(): void;
  destroy(): void;
}

export type Datagram = (from: readonly number[], port: number, bytes: Uint8Array) => void;

export interface NetworkOptions {
  /** Addresses of host names, as the emulated network's name server answers them. */
  readonly names: Readonly<Record<string, string>>;
  /**
   * Where emulated addresses really are: "10.0.0.2" to a loopback address, the port staying, or "10.0.0.2:443" to
   * "127.0.0.1:50443"; an IPv6 address in brackets.
   */
  readonly routes: Readonly<Record<string, string>>;
}

/** Router, name server and DHCP server of the emulated network, and what it leases. */
export const GATEWAY = [10, 0, 0, 1] as const;
export const LEASE = [10, 0, 0, 17] as const;

function placeOf(route: string, port: number): Address {
  const place = parseAddress(route, port);
  if (place === null) throw new RangeError(`the route ${route} is no address`);
  return place;
}

/** The emulated Ethernet: connections go on to loopback; faults can be put into it. */
export class Network {
  /** Set by the chip that is plugged in: the cable was pulled or put back. */
  onLinkChanged: () => void = () => {};
  /** Most received bytes that the device is shown at a time; Infinity: no limit. */
  segmentBytes = Number.POSITIVE_INFINITY;
  /** Milliseconds (of this machine) by which received bytes are late. */
  delayMs = 0;
  readonly names: Map<string, string>;
  readonly #routes: Readonly<Record<string, string>>;
  readonly #links = new Map<Socket, TcpEvents>();
  readonly #bound = new Map<object, Datagram>();
  #linkUp = true;
  #held: (() => void)[] = [];
  #connections = 0;

  constructor({ names, routes }: NetworkOptions) {
    this.names = new Map(Object.entries(names));
    this.#routes = routes;
  }

  /** Connections begun so far. */
  get connections(): number {
    return this.#connections;
  }

  get isLinkUp(): boolean {
    return this.#linkUp;
  }

  /** Pulls the cable or puts it back. What was under way meanwhile goes on afterwards. */
  set isLinkUp(up: boolean) {
    this.#linkUp = up;
    if (up) for (const action of this.#held.splice(0)) action();
    this.onLinkChanged();
  }

  /** Breaks every connection in both directions with RST. */
  reset(): void {
    for (const [socket, events] of [...this.#links]) {
      this.#links.delete(socket);
      socket.resetAndDestroy();
      events.failed();
    }
  }

  /** How many more bytes a socket may show that shows `shown` and has `room` left. */
  allow(shown: number, room: number): number {
    if (!this.#linkUp) return 0;
    return Math.min(room, Math.max(0, this.segmentBytes - shown));
  }

  connect(ip: string, port: number, events: TcpEvents): TcpLink {
    this.#connections++;
    const route = this.#routes[`${ip}:${port}`] ?? this.#routes[ip];
    // Nobody has this address: no answer ever comes.
    if (route === undefined) return { send: () => {}, end: () => {}, destroy: () => {} };
    const socket = connectTo({ ...placeOf(route, port), noDelay: true });
    this.#links.set(socket, events);
    const tell = (what: () => void) =>
      this.#pass(() => {
        if (this.#links.has(socket)) what();
      });
    socket.on("connect", () => tell(() => events.opened()));
    socket.on("data", (bytes) => this.#later(() => tell(() => events.received(bytes))));
    socket.on("end", () => this.#later(() => tell(() => events.ended())));
    socket.on("error", () =>
      tell(() => {
        this.#links.delete(socket);
        events.failed();
      }),
    );
    return {
      send: (bytes, acknowledged) =>
        tell(() => socket.write(bytes, (error) => error || tell(acknowledged))),
      end: () => {
        this.#links.delete(socket);
        socket.end();
      },
      destroy: () => {
        if (this.#links.delete(socket)) socket.destroy();
      },
    };
  }

  bindUdp(owner: object, receive: Datagram): void {
    this.#bound.set(owner, receive);
  }

  unbindUdp(owner: object): void {
    this.#bound.delete(owner);
  }

  /** A datagram of the device: answered by the emulated name and DHCP servers, else lost. */
  sendUdp(owner: object, to: Uint8Array, port: number, bytes: Uint8Array): void {
    if (!this.#linkUp) return;
    const isGateway = GATEWAY.every((part, i) => to[i] === part);
    let answer: Uint8Array | null = null;
    if (port === DNS_PORT && isGateway) answer = answerDns(bytes, (name) => this.names.get(name));
    if (port === DHCP_SERVER_PORT && (isGateway || isBroadcast(to))) {
      answer = answerDhcp(bytes, { server: GATEWAY, lease: LEASE });
    }
    if (answer) this.#bound.get(owner)?.(GATEWAY, port, answer);
  }

  #later(action: () => void): void {
    if (this.delayMs > 0) setTimeout(action, this.delayMs);
    else action();
  }

  #pass(action: () => void): void {
    if (this.#linkUp) action();
    else this.#held.push(action);
  }
}
