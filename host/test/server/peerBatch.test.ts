// SPDX-License-Identifier: BSD-3-Clause
// Requests sent together to an atServer that hangs up in the middle of its answers.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { defaults, type TlsIdentity } from "../../server/config/config.ts";
import { Counters } from "../../server/config/counters.ts";
import type { Directory } from "../../server/peers/findPeer.ts";
import { Peers } from "../../server/peers/peers.ts";
import { Proofs } from "../../server/peers/proofs.ts";
import { AtError } from "../../wire/errors.ts";
import { LineReader } from "../../wire/line.ts";

const TIMEOUT_MILLIS = 20_000;
const COMMANDS = ["notify:1", "notify:2", "notify:3", "notify:4"];

let authority: Authority;
let tls: TlsIdentity;
let server: Server;
let sockets: TLSSocket[];
let peers: Peers;
/** The notify commands each connection was sent, in the order of the connections. */
let asked: string[][];
/** After so many answers the first connection is hung up on. */
const ANSWERED = 2;

function answer(line: string): string {
  if (line.startsWith("from:")) return `data:proof:_${randomUUID()}@alice:${randomUUID()}\n@`;
  if (line === "pol") return "@alice@";
  if (line === "info") return 'data:{"pipelining":true}\n@alice@';
  return line.startsWith("notify:") ? "data:success\n@alice@" : "error:AT0015-no key\n@";
}

function serve(socket: TLSSocket): void {
  const commands: string[] = [];
  const first = asked.push(commands) === 1;
  sockets.push(socket);
  const reader = new LineReader(10_000);
  socket.on("error", () => undefined);
  socket.write("@");
  socket.on("data", (chunk) => {
    let reply = "";
    for (const line of reader.push(chunk)) {
      if (line?.startsWith("notify:")) commands.push(line);
      if (!first || commands.length <= ANSWERED) reply += answer(line ?? "");
    }
    if (first && commands.length > ANSWERED) socket.end(reply);
    else socket.write(reply);
  });
}

beforeAll(async () => {
  authority = await createAuthority({ name: "test" });
  const issued = await issueCertificate(authority, { hosts: ["localhost"] });
  tls = { ...issued, authority: authority.certificate };
});

async function start(): Promise<void> {
  asked = [];
  sockets = [];
  server = createServer({ cert: tls.certificate, key: tls.privateKey }, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const directory = { find: async () => ({ host: "localhost", port }), forget: () => undefined };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signingKey = privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
  peers = new Peers({
    ...{ atSign: "@alice", tls, tuning: { ...defaults }, counters: new Counters() },
    directory: directory as unknown as Directory,
    proofs: new Proofs(defaults, Date.now),
    log: pino({ level: "silent" }),
    now: Date.now,
    signingKey: () => signingKey,
    onPublicKey: async () => undefined,
    isBlocked: () => false,
  });
  // The connection that is open says that requests may overlap.
  expect(await peers.request("@bob", "notify", "lookup:x", TIMEOUT_MILLIS).catch(codeOf)).toBe(
    "AT0015",
  );
  expect(await peers.overlaps("@bob")).toBe(true);
}

const codeOf = (error: unknown): unknown => (error instanceof AtError ? error.code : error);

const askAll = async (): Promise<unknown[]> =>
  (await peers.requestAll("@bob", "notify", COMMANDS, TIMEOUT_MILLIS)).map(codeOf);

afterAll(() => {
  peers.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

it("asks again, on another connection, what was left unanswered", async () => {
  await start();
  expect(await askAll()).toEqual(["success", "success", "success", "success"]);
  expect(asked).toEqual([COMMANDS, COMMANDS.slice(ANSWERED)]);
  peers.close();
  server.close();
});

it("keeps what was answered when there is no other connection", async () => {
  await start();
  const closed = once(server, "close");
  server.close();
  expect(await askAll()).toEqual(["success", "success", "AT0004", "AT0004"]);
  await closed;
});
