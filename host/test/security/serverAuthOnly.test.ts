// SPDX-License-Identifier: BSD-3-Clause
// Peers that connect with a certificate for servers alone, as public authorities issue them: accepted when all but the
// purpose "client" is in order, and nothing that is wrong hides behind the purpose.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SessionOptions, TlsSession, VERSIONS } from "../server/tlsSession.ts";
import { type Place, World } from "../server/world.ts";
import {
  ANYTHING,
  authority,
  CLIENTS,
  CODE,
  ELSEWHERE,
  type Issued,
  KeyUsageFlags,
  SERVERS,
  server,
  shown,
  UNKNOWN,
} from "./authorities.ts";

type Shown = ReturnType<typeof shown>;

const ACCEPTED = /^data:proof:/;
const REFUSED = "error:AT0401-Exception: Certificate Verification Failed\n@";

let world: World;
let bob: Place;
let root: Issued;
let now = Date.now();
const lines: TlsSession[] = [];

beforeAll(async () => {
  world = await World.create();
  root = await authority({ name: "root" });
  world.trust(root.certificate);
  bob = await world.start("@bob", {
    // All of them come from one address.
    otherFromPerMinute: 10_000,
    now: () => now,
    inboundIdleMillis: 9e9,
  });
  const { tls } = bob.config;
  bob.server.useIdentity({ ...tls, authority: `${tls.authority}${root.certificate}` });
  await world.start("@alice");
});
afterAll(async () => {
  for (const line of lines) line.close();
  await world.close();
});

async function open(identity: Shown, options: Partial<SessionOptions> = {}): Promise<TlsSession> {
  const line = await TlsSession.open({
    port: bob.server.port,
    authority: world.authority.certificate,
    version: "TLSv1.3",
    identity,
    ...options,
  });
  lines.push(line);
  return line;
}

const below = (name: string, issuer: Issued, more = {}) => authority({ name, issuer, ...more });

const good: [string, () => Promise<Shown>][] = [
  ["of the root", async () => shown(await server(root))],
  [
    "of an intermediate",
    async () => {
      const one = await below("one", root, { authority: 0 });
      return shown(await server(one), one);
    },
  ],
  [
    "of an intermediate for servers alone",
    async () => {
      const one = await below("one", root, { purposes: [SERVERS] });
      return shown(await server(one), one);
    },
  ],
  [
    "of two intermediates, sent in no order, with a stranger among them",
    async () => {
      const one = await below("one", root, { authority: 1 });
      const two = await below("two", one, { authority: 0 });
      const stranger = await authority({ name: "stranger" });
      return shown(await server(two), stranger, one, root, two);
    },
  ],
  ["for any purpose", async () => shown(await server(root, { purposes: [ANYTHING] }))],
  [
    "for servers and clients",
    async () => shown(await server(root, { purposes: [SERVERS, CLIENTS] })),
  ],
];

const bad: [string, () => Promise<Shown>][] = [
  [
    "that names another host",
    async () => shown(await server(root, { hosts: ["elsewhere.example"] })),
  ],
  ["that is self-signed", async () => shown(await server(undefined))],
  [
    "of an unknown root of the same name",
    async () => {
      const other = await authority({ name: "root" });
      return shown(await server(other), other);
    },
  ],
  [
    "of an unknown root of the same name below which the true one hangs",
    async () => {
      const other = await authority({ name: "root" });
      return shown(await server(other), root, other);
    },
  ],
  ["without its intermediate", async () => shown(await server(await below("never sent", root)))],
  ["that has expired", async () => shown(await server(root, { valid: [-9, -1] }))],
  ["that isn't valid yet", async () => shown(await server(root, { valid: [1, 9] }))],
  [
    "of an intermediate that has expired",
    async () => {
      const one = await below("expired", root, { valid: [-9, -1] });
      return shown(await server(one), one);
    },
  ],
  ...[undefined, [SERVERS]].map((purposes): [string, () => Promise<Shown>] => [
    `of an intermediate that is no authority${purposes ? ", for servers" : ""}`,
    async () => {
      const one = await below("no authority", root, { authority: false, purposes });
      return shown(await server(one), one);
    },
  ]),
  [
    "of an intermediate that says nothing of being an authority",
    async () => {
      const one = await below("silent", root, { authority: undefined });
      return shown(await server(one), one);
    },
  ],
  [
    "of another server's certificate",
    async () => {
      const one = await server(root);
      return shown(await server(one), one);
    },
  ],
  [
    "of an intermediate that may not certify",
    async () => {
      const one = await below("mute", root, { usage: KeyUsageFlags.digitalSignature });
      return shown(await server(one), one);
    },
  ],
  ...[undefined, [SERVERS]].map((purposes): [string, () => Promise<Shown>] => [
    `of an intermediate below one that may have none${purposes ? ", for servers" : ""}`,
    async () => {
      const one = await below("last", root, { authority: 0, purposes });
      const two = await below("too many", one, { purposes });
      return shown(await server(two), two, one);
    },
  ]),
  ...[CODE, CLIENTS].map((purpose): [string, () => Promise<Shown>] => [
    `of an intermediate for ${purpose}`,
    async () => {
      const one = await below(`for ${purpose}`, root, { purposes: [purpose] });
      return shown(await server(one), one);
    },
  ]),
  [
    "of an intermediate with a critical extension nobody knows",
    async () => {
      const one = await below("strange", root, { extensions: [UNKNOWN] });
      return shown(await server(one), one);
    },
  ],
  [
    "of an intermediate that may issue other names only",
    async () => {
      const one = await below("constrained", root, { extensions: [ELSEWHERE] });
      return shown(await server(one), one);
    },
  ],
  [
    "with a critical extension nobody knows",
    async () => shown(await server(root, { extensions: [UNKNOWN] })),
  ],
  ["for code alone", async () => shown(await server(root, { purposes: [CODE] }))],
  [
    "that may not sign",
    async () => shown(await server(root, { usage: KeyUsageFlags.keyEncipherment })),
  ],
];

describe.each(VERSIONS)("with %s, a peer with a certificate", (version) => {
  it.each(good)("%s is accepted, and when its session is resumed", async (_, make) => {
    const identity = await make();
    const line = await open(identity, { version });
    expect(await line.ask("from:@alice")).toMatch(ACCEPTED);
    expect(await line.ask("from:@alice")).toMatch(ACCEPTED);
    const { session } = line;
    const again = await open(identity, { version, session });
    expect(again.reused).toBe(true);
    expect(await again.ask("from:@alice")).toMatch(ACCEPTED);
  });

  it.each(bad)("%s is refused, and when its session is resumed", async (_, make) => {
    const identity = await make();
    const line = await open(identity, { version });
    expect(await line.ask("from:@alice")).toBe(REFUSED);
    const { session } = line;
    const again = await open(identity, { version, session });
    expect(again.reused).toBe(true);
    expect(await again.ask("from:@alice")).toBe(REFUSED);
  });
});

describe("an accepted certificate for servers", () => {
  it("counts no longer once it, or an authority above it, has expired", async () => {
    const one = await below("short", root, { valid: [-1, 2] });
    for (const identity of [
      shown(await server(root, { valid: [-1, 2] })),
      shown(await server(one, { valid: [-1, 9] }), one),
    ]) {
      const line = await open(identity);
      expect(await line.ask("from:@alice")).toMatch(ACCEPTED);
      now += 3 * 86_400_000;
      expect(await line.ask("from:@alice")).toBe(REFUSED);
      now -= 3 * 86_400_000;
    }
  });

  it("counts no longer once its authority isn't trusted any more", async () => {
    const identity = shown(await server(root));
    const line = await open(identity);
    expect(await line.ask("from:@alice")).toMatch(ACCEPTED);
    const { tls } = bob.config;
    bob.server.useIdentity({ ...tls });
    expect(await line.ask("from:@alice")).toBe(REFUSED);
    bob.server.useIdentity({ ...tls, authority: `${tls.authority}${root.certificate}` });
    expect(await line.ask("from:@alice")).toMatch(ACCEPTED);
  });
});
