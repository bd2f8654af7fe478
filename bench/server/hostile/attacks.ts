// SPDX-License-Identifier: BSD-3-Clause
// What a machine without any key can do to an atServer and an atDirectory, each at a fixed rate until it is stopped.
import { randomBytes, randomUUID } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Endpoint } from "../measuring/rawLink.ts";

/** Loopback addresses that the attacker connects from; the first is everybody's own. */
const ADDRESSES = 40;
const IDLE_SOCKETS = 600;
const IDLE_TLS = 300;
const UNFINISHED_LINES = 60;

export type Targets = {
  readonly atServer: Endpoint;
  readonly directory: Endpoint;
  /** Of the attacked atServer. */
  readonly atSign: string;
};

/** Runs until the signal; what the servers do to its connections is no failure of it. */
export type Attack = (targets: Targets, signal: AbortSignal) => Promise<void>;

let connections = 0;

/** The next address to connect from. */
function localAddress(): string {
  connections += 1;
  return `127.0.0.${1 + (connections % ADDRESSES)}`;
}

/** Keeps a socket's end, whatever its reason, from being anybody's error. */
function careless<S extends Socket>(socket: S): S {
  socket.on("error", () => socket.destroy());
  socket.resume();
  return socket;
}

function rawSocket(port: number): Socket {
  return careless(connectTcp({ host: "127.0.0.1", port, localAddress: localAddress() }));
}

function tlsSocket({ port, authority }: Endpoint): TLSSocket {
  const from = { host: "127.0.0.1", port, localAddress: localAddress() };
  return careless(connectTls({ ...from, servername: "localhost", ca: authority }));
}

/** Does something every `millis` ms until the signal. */
async function every(millis: number, signal: AbortSignal, act: () => void): Promise<void> {
  while (!signal.aborted) {
    act();
    await delay(millis);
  }
}

/** Keeps `count` sockets open: those that were closed are opened again, at most one every `millis`. */
async function hold(
  count: number,
  millis: number,
  signal: AbortSignal,
  open: () => Socket,
): Promise<void> {
  const held = new Set<Socket>();
  await every(millis, signal, () => {
    if (held.size >= count) return;
    const socket = open();
    held.add(socket);
    socket.on("close", () => held.delete(socket));
  });
  for (const socket of held) socket.destroy();
}

/** Opens a connection, writes and hangs up after `stayMillis`. */
function say(target: Endpoint, text: string | Uint8Array, stayMillis: number): void {
  const socket = tlsSocket(target);
  socket.on("secureConnect", () => socket.write(text));
  const timer = setTimeout(() => socket.destroy(), stayMillis);
  socket.on("close", () => clearTimeout(timer));
}

/** Arrays in arrays, so many. */
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

function enrollRequest(otp: string, bytes: number): string {
  const apkamPublicKey = randomBytes(bytes).toString("base64");
  const names = { appName: "attacker", deviceName: randomUUID(), namespaces: { "*": "rw" } };
  const parameters = { ...names, otp, apkamPublicKey, encryptedAPKAMSymmetricKey: "AAAA" };
  return `enroll:request:${JSON.stringify(parameters)}\n`;
}

const passcode = (): string => randomBytes(3).toString("hex").toUpperCase();
const invented = (): string => `@x${randomBytes(6).toString("hex")}`;

/** By name; a figure of the whole says what an attack adds when it is taken out. */
export const attacks: Readonly<Record<string, Attack>> = {
  idleSockets: ({ atServer }, signal) =>
    hold(IDLE_SOCKETS, 10, signal, () => rawSocket(atServer.port)),
  idleTls: ({ atServer }, signal) => hold(IDLE_TLS, 40, signal, () => tlsSocket(atServer)),
  idleSocketsOfDirectory: ({ directory }, signal) =>
    hold(IDLE_SOCKETS, 10, signal, () => rawSocket(directory.port)),
  idleTlsOfDirectory: ({ directory }, signal) =>
    hold(IDLE_TLS, 40, signal, () => tlsSocket(directory)),
  brokenHandshakes: ({ atServer }, signal) =>
    every(50, signal, () => rawSocket(atServer.port).write(randomBytes(300))),
  unfinishedLines: ({ atServer }, signal) =>
    hold(UNFINISHED_LINES, 100, signal, () => {
      const socket = tlsSocket(atServer);
      socket.on("secureConnect", () => socket.write(`lookup:${"a".repeat(60_000)}`));
      return socket;
    }),
  oneByteRecords: ({ atServer }, signal) =>
    hold(2, 1_000, signal, () => {
      const socket = tlsSocket(atServer);
      const timer = setInterval(() => socket.write("l"), 10);
      socket.on("close", () => clearInterval(timer));
      return socket;
    }),
  longLines: ({ atServer }, signal) =>
    every(1_000, signal, () => say(atServer, "l".repeat(1_000_000), 2_000)),
  longNames: ({ atServer }, signal) =>
    every(500, signal, () => say(atServer, `lookup:${"n".repeat(50_000)}@alice\n`, 500)),
  deepJson: ({ atServer, atSign }, signal) =>
    every(250, signal, () =>
      say(atServer, `from:${atSign}:clientConfig:{"version":${nested(6_000)}}\n`, 500),
    ),
  guesses: ({ atServer }, signal) =>
    every(300, signal, () => say(atServer, enrollRequest(passcode(), 100), 150)),
  longRequests: ({ atServer }, signal) =>
    every(1_000, signal, () => say(atServer, enrollRequest(passcode(), 500_000), 2_000)),
  inventedAtSigns: ({ atServer }, signal) =>
    every(200, signal, () => say(atServer, `from:${invented()}\n`, 1_000)),
  scans: ({ atServer }, signal) =>
    every(500, signal, () => say(atServer, "scan (a|b)+c.*d{1,9}\n", 2_000)),
  garbage: ({ atServer }, signal) =>
    every(100, signal, () => say(atServer, Buffer.concat([randomBytes(500), NEW_LINE]), 200)),
  misses: ({ directory }, signal) =>
    every(200, signal, () => say(directory, `${invented()}\n${invented()}\n`, 5_000)),
  lookups: ({ directory, atSign }, signal) =>
    every(50, signal, () => say(directory, `${atSign.slice(1)}\n`, 200)),
};

const NEW_LINE = Buffer.from("\n");
