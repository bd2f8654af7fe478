// SPDX-License-Identifier: BSD-3-Clause
// An atSign is blocked while something of it is under way: nothing that waited for it goes on.
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import type { Line } from "../server/line.ts";
import { dataOf } from "../server/notifications.ts";
import { type Place, World } from "../server/world.ts";
import { HostileServer, type Identity, SILENCE, type Told } from "./hostileServer.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PUBLIC_KEY = publicKey.export({ format: "der", type: "spki" }).toString("base64");
const REFUSED = "error:AT0013-Exception: Unable to connect\n@";

let world: World;
let alice: Place;
let owner: Line;
let tls: Identity;
const hostiles: HostileServer[] = [];

beforeAll(async () => {
  world = await World.create();
  alice = await world.start("@alice");
  owner = await alice.owner();
  tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
});
afterEach(async () => {
  for (const hostile of hostiles.splice(0)) await hostile.close();
});
afterAll(() => world.close());

/** An atSign whose atServer shows whatever proof it is asked for, and answers nothing to commands that `stalls` fits. */
class Mallory {
  readonly atSign = `@mallory${randomUUID().slice(0, 8)}`;
  readonly hostile: HostileServer;
  stalls: RegExp | undefined;
  private readonly proofs = new Map<string, string>();

  private constructor(hostile: HostileServer) {
    this.hostile = hostile;
    const me = this.atSign;
    this.answer(/^to:/, () => 'data:{"publickey":null,"signing_publickey":null}');
    this.answer(new RegExp(`^lookup:signing_publickey${me}$`), () => `data:${PUBLIC_KEY}`);
    this.answer(/^lookup:_/, (line) => `data:${this.proofs.get(line.slice("lookup:".length))}`);
    this.answer(/^from:/, () => `data:proof:_${randomUUID()}@alice:${randomUUID()}`);
    this.answer(/^info$/, () => 'data:{"pipelining":true}');
    hostile.onCommand(/^pol$/, () => new TextEncoder().encode("@alice@"));
    this.answer(/^notify:/, () => "data:success");
    this.answer(/^lookup:all:shared/, () => 'data:{"data":"1","metaData":{}}');
  }

  static async start(): Promise<Mallory> {
    const hostile = await HostileServer.start({ tls });
    hostiles.push(hostile);
    const mallory = new Mallory(hostile);
    await world.directoryStore.set(mallory.atSign, {
      host: "localhost",
      port: hostile.address.port,
    });
    return mallory;
  }

  /** Says `from` and `pol` at @alice's; gives the connection, on which the answer to `pol` comes. */
  async logIn(): Promise<Line> {
    const line = await world.connect(alice.server.port, tls);
    const reply = await line.ask(`from:${this.atSign}`);
    const [, session = "", text = ""] = /^data:proof:([^@]+)@[^:]+:(\S+)\n/.exec(reply) ?? [];
    const proof = sign("sha256", Buffer.from(text), privateKey).toString("base64");
    this.proofs.set(`${session}${this.atSign}`, proof);
    line.send("pol\n");
    return line;
  }

  /** Waits for a command, has the owner block this atSign, and lets commands be answered again. */
  async blockedAt(command: RegExp, count = 1): Promise<void> {
    await this.hostile.until(command, count);
    expect(await owner.ask(`config:block:add:${this.atSign}`)).toBe("data:success\n@alice@");
    this.stalls = undefined;
  }

  private answer(line: RegExp, told: (line: string) => Told): void {
    this.hostile.onCommand(line, (asked) => (this.stalls?.test(asked) ? SILENCE : told(asked)));
  }
}

describe("an atSign that is blocked while it logs in", () => {
  it.each([/^to:/, /^lookup:_/, /^lookup:signing_publickey/])(
    "isn't let in, whatever it was asked then: %s",
    async (stalls) => {
      const mallory = await Mallory.start();
      mallory.stalls = stalls;
      const line = await mallory.logIn();
      await mallory.blockedAt(stalls);
      expect(await line.closed()).toBe(REFUSED);
      expect(mallory.hostile.connections).toHaveLength(1);
    },
  );

  it.each([/^lookup:_/, /^lookup:signing_publickey/])(
    "isn't asked anew on another connection: %s",
    async (stalls) => {
      const mallory = await Mallory.start();
      const prompt = `${mallory.atSign}@`;
      const first = await mallory.logIn();
      expect(await first.take(prompt.length)).toBe(prompt);
      mallory.stalls = stalls;
      const line = await mallory.logIn();
      await mallory.blockedAt(stalls, 2);
      expect(await first.closed()).toBe("");
      expect(await line.closed()).toBe(REFUSED);
      expect(mallory.hostile.connections).toHaveLength(1);
    },
  );
});

describe("what is under way to an atSign that is blocked", () => {
  it.each([/^to:/, /^from:/, /^lookup:all:shared/])("a look-up ends: %s", async (stalls) => {
    const mallory = await Mallory.start();
    mallory.stalls = stalls;
    const asking = await alice.owner();
    asking.send(`lookup:bypassCache:true:shared.demo${mallory.atSign}\n`);
    await mallory.blockedAt(stalls);
    expect(await asking.reply()).toMatch(/^error:AT000[48]-/);
    expect(mallory.hostile.connections).toHaveLength(1);
  });

  it("a look-up isn't asked anew on another connection", async () => {
    const mallory = await Mallory.start();
    const lookUp = `lookup:bypassCache:true:shared.demo${mallory.atSign}`;
    expect(await owner.ask(lookUp)).toBe("data:1\n@alice@");
    mallory.stalls = /^lookup:all:shared/;
    const asking = await alice.owner();
    asking.send(`${lookUp}\n`);
    await mallory.blockedAt(mallory.stalls, 2);
    expect(await asking.reply()).toMatch(/^error:AT0004-/);
    expect(mallory.hostile.connections).toHaveLength(1);
  });

  it.each([/^to:/, /^from:/, /^notify:/])("nothing is delivered any more: %s", async (stalls) => {
    const mallory = await Mallory.start();
    mallory.stalls = stalls;
    const id = dataOf(await owner.ask(`notify:${mallory.atSign}:first.demo@alice:1`));
    await owner.ask(`notify:${mallory.atSign}:second.demo@alice:2`);
    await mallory.blockedAt(stalls);
    await expect.poll(() => owner.ask(`notify:status:${id}`)).toBe("data:errored\n@alice@");
    expect(mallory.hostile.connections).toHaveLength(1);
    expect(mallory.hostile.count(/^notify:/)).toBe(stalls.test("notify:") ? 1 : 0);
  });

  it("nothing is delivered on another connection", async () => {
    const mallory = await Mallory.start();
    const first = dataOf(await owner.ask(`notify:${mallory.atSign}:first.demo@alice:1`));
    await expect.poll(() => owner.ask(`notify:status:${first}`)).toBe("data:delivered\n@alice@");
    mallory.stalls = /^notify:/;
    const id = dataOf(await owner.ask(`notify:${mallory.atSign}:second.demo@alice:2`));
    await mallory.blockedAt(/^notify:/, 2);
    await expect.poll(() => owner.ask(`notify:status:${id}`)).toBe("data:errored\n@alice@");
    expect(mallory.hostile.connections).toHaveLength(1);
    expect(mallory.hostile.count(/^notify:/)).toBe(2);
  });
});
