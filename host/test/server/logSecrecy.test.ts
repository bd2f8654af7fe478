// SPDX-License-Identifier: BSD-3-Clause
// Everything secret that a client can send is a marker here, and no log line at any level has one.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { startDirectory } from "../../directory/directory.ts";
import { verbs } from "../../server/verbs/index.ts";
import { traceOf } from "../../wire/trace.ts";
import { payloadOf } from "./enrolled.ts";
import { Line } from "./line.ts";
import { dataOf } from "./notifications.ts";
import { ServerProcess } from "./serverProcess.ts";
import { challengeOf, identity, SECRET, signChallenge, World } from "./world.ts";

/** What no log may show. */
class Markers {
  private readonly all = new Set<string>();
  private count = 0;

  /** A word that occurs nowhere else; a key, a value, a name of something. */
  make(): string {
    return this.add(`zqxj${this.count++}kvw`);
  }

  add(secret: string): string {
    this.all.add(secret);
    return secret;
  }

  /** Those that a log has, in plain, base64 or hex. */
  in(log: string): string[] {
    return [...this.all].filter((secret) => {
      const bytes = Buffer.from(secret);
      const forms = [secret, bytes.toString("base64"), bytes.toString("hex")];
      return forms.some((form) => log.includes(form));
    });
  }
}

let world: World;
let folder: string;
beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-log-"));
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = ["--log-level", "trace", "--metrics-port", "0"];

function verbsRun(port: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const url = { host: "127.0.0.1", port, path: "/metrics" };
    get(url, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => {
        const found = text.matchAll(/atmicro_commands_total\{verb="([^"]+)"\} [1-9]/g);
        resolve([...found].map(([, verb]) => verb ?? ""));
      });
    }).on("error", reject);
  });
}

describe("two atServers that log everything", () => {
  const markers = new Markers();
  const mark = (): string => markers.make();
  let alice: ServerProcess;
  let bob: ServerProcess;
  beforeAll(async () => {
    markers.add(SECRET);
    alice = new ServerProcess(
      world,
      "@loga",
      join(folder, "alice"),
      { testing_mode: "true" },
      options,
    );
    bob = new ServerProcess(world, "@logb", join(folder, "bob"), {}, options);
    for (const server of [alice, bob]) {
      await server.start();
      await logIn(server, "cram");
      await server.activate();
    }
  });
  afterAll(async () => {
    for (const server of [alice, bob]) {
      server.stop();
      expect(await server.exit()).toBe(0);
    }
  });

  /** Logs in by hand: the challenge and its answer are secrets too. */
  async function logIn(server: ServerProcess, how: "cram" | "pkam"): Promise<Line> {
    const line = await world.connect(server.port);
    const challenge = challengeOf(await line.ask(`from:${server.atSign}`));
    markers.add(challenge.split(":").at(-1) ?? "");
    const answer =
      how === "cram"
        ? createHash("sha512")
            .update(SECRET + challenge)
            .digest("hex")
        : signChallenge(identity("@alpha").privateKey, challenge);
    markers.add(answer);
    expect(await line.ask(`${how}:${answer}`)).toBe(`data:success\n${server.atSign}@`);
    return line;
  }

  async function records(line: Line): Promise<void> {
    const [key, other, value] = [mark(), mark(), mark()];
    await line.ask(`update:ttl:100000:${key}.${mark()}@loga ${value}`);
    await line.ask(`update:public:${other}@loga ${mark()}`);
    await line.ask(`update:ttr:1000:sharedKeyEnc:${mark()}:@logb:${key}@loga ${mark()}`);
    await line.ask(
      `update:json:${JSON.stringify({ atKey: mark(), value: mark(), sharedBy: "@loga" })}`,
    );
    await line.ask(`update:meta:public:${other}@loga:ttl:100000`);
    await line.ask(`llookup:all:@logb:${key}@loga`);
    await line.ask(`llookup:${mark()}@loga`);
    await line.ask(`lookup:${mark()}@loga`);
    await line.ask(`lookup:${mark()}@logb`);
    await line.ask(`plookup:${mark()}@logb`);
    await line.ask(`plookup:${mark()}@${mark()}`);
    await line.ask(`scan ${mark()}`);
    await line.ask(`sync:from:-1:limit:10:${mark()}`);
    await line.ask(`delete:public:${other}@loga`);
    const inner = `update:${mark()}@loga ${mark()}`;
    await line.ask(
      `batch:${JSON.stringify([
        { id: 1, command: inner },
        { id: 2, command: mark() },
      ])}`,
    );
    await line.ask(`stats:3:${mark()}`);
    await line.ask("stats");
    await line.ask(`config:set:${mark()}=${mark()}`);
    await line.ask(`config:block:add:@${mark()}`);
    await line.ask("config:block:show");
    await line.ask("info");
    await line.ask("noop:0");
    await line.ask("to:@loga");
  }

  /** Whom a notification is for may be in the log: who runs the server has to know which peer is not reached. */
  async function notifications(line: Line): Promise<void> {
    const sent = dataOf(await line.ask(`notify:update:@logb:${mark()}.x@loga:${mark()}`));
    await expect
      .poll(() => line.ask(`notify:status:${sent}`), { timeout: 20_000 })
      .toBe("data:delivered\n@loga@");
    await line.ask(`notify:messageType:text:@logb:${mark()}`);
    await line.ask(`notify:update:@nobodyhere:${mark()}.x@loga:${mark()}`);
    await line.ask(`notify:all:update:@logb,@loga:${mark()}@loga:${mark()}`);
    await line.ask(`notify:list:${mark()}`);
    await line.ask(`notify:fetch:${sent}`);
    await line.ask(`notify:remove:${sent}`);
    const watch = await alice.owner();
    watch.send(`monitor:selfNotifications ${mark()}\n`);
    watch.send(`monitor:selfNotifications ${mark()}(((\n`);
    const sender = await alice.owner();
    sender.send(`stream:init@logb ${mark()} ${mark()} 1000\nnoop:0\n`);
    await sender.reply();
    for (const open of [watch, sender]) open.close();
  }

  async function enrollments(line: Line): Promise<void> {
    const passcode = markers.add(dataOf(await line.ask("otp:get")));
    await line.ask(`otp:put:${mark()}`);
    const visitor = await world.connect(alice.port);
    const { publicKey, privateKey } = identity("@bravo");
    const request = {
      appName: mark(),
      deviceName: mark(),
      namespaces: { [mark()]: "rw" },
      encryptedAPKAMSymmetricKey: mark(),
      apkamPublicKey: markers.add(publicKey),
    };
    await visitor.ask(`enroll:request:${JSON.stringify({ ...request, otp: mark() })}`);
    const asked = await visitor.ask(
      `enroll:request:${JSON.stringify({ ...request, otp: passcode })}`,
    );
    const { enrollmentId } = payloadOf(asked) as { enrollmentId: string };
    const keys = {
      encryptedDefaultEncryptionPrivateKey: mark(),
      encryptedDefaultSelfEncryptionKey: mark(),
    };
    await line.ask(`enroll:approve:${JSON.stringify({ enrollmentId, ...keys })}`);
    await line.ask("enroll:list");
    await line.ask(`enroll:fetch:${JSON.stringify({ enrollmentId })}`);
    const challenge = challengeOf(await visitor.ask("from:@loga"));
    const signature = markers.add(signChallenge(privateKey, challenge));
    expect(await visitor.ask(`pkam:enrollmentId:${enrollmentId}:${signature}`)).toMatch(
      /^data:success/,
    );
    await visitor.ask(`keys:put:public:namespace:__global:keyName:${mark()} ${mark()}`);
    await visitor.ask(`update:${mark()}.${mark()}@loga ${mark()}`);
    await line.ask(`enroll:revoke:force:${JSON.stringify({ enrollmentId })}`);
    await line.ask(`enroll:deny:{"enrollmentId":"${mark()}"}`);
    visitor.close();
  }

  /** Lines that are none, and logins that fail. */
  async function mistakes(): Promise<void> {
    const line = await world.connect(alice.port);
    for (const text of [
      `${mark()}`,
      `update:${mark()} ${mark()}`,
      `from:@${mark()}`,
      `from:@loga:clientConfig:{"version":${mark()}`,
      `enroll:request:{"${mark()}":`,
      "pol",
    ]) {
      const open = await world.connect(alice.port);
      open.send(`${text}\n`);
      await open.line();
      open.close();
    }
    for (const login of ["cram", "pkam"]) {
      await line.ask("from:@loga");
      await line.ask(`${login}:${mark()}`);
    }
    const owner = await alice.owner();
    await owner.ask(`batch:[{"id":1,"command":"${mark()}`).catch(() => undefined);
    const again = await alice.owner();
    again.send(Buffer.concat([Buffer.from(mark()), Buffer.from([0xff, 0x0a])]));
    await again.ask("noop:0");
    for (const open of [line, owner, again]) open.close();
  }

  /** Handshakes that fail, with a marker where a client may put one. */
  async function handshakes(): Promise<void> {
    const refused = connect({
      host: "127.0.0.1",
      port: alice.port,
      servername: `${mark()}.example`,
    });
    await new Promise((resolve) => refused.on("error", resolve));
    const cut = await world.connect(alice.port);
    cut.send(mark());
    cut.close();
  }

  it("run every verb and log no marker", async () => {
    const owner = await logIn(alice, "pkam");
    await records(owner);
    await notifications(owner);
    await enrollments(owner);
    await mistakes();
    await handshakes();
    const back = await bob.owner();
    await back.ask(`notify:update:@loga:${mark()}.x@logb:${mark()}`);
    await expect
      .poll(() => verbsRun(alice.metricsPort ?? 0), { timeout: 20_000 })
      .toEqual(expect.arrayContaining([...verbs.map(({ name }) => name), "unknown"]));
    for (const { log } of [alice, bob]) expect(markers.in(log)).toEqual([]);
    expect(alice.log).toContain("TLS handshake failed");
    expect(alice.log).toContain("notification not delivered");
    expect(alice.log).toContain("connected to atServer");
    expect(markers.in(`x${SECRET}x`)).toEqual([SECRET]);
  });
});

/** A pino log at its lowest level, kept as text. */
function keptLog(): { log: pino.Logger; text: () => string } {
  let text = "";
  const write = (line: string): void => {
    text += line;
  };
  return { log: pino({ level: "trace" }, { write }), text: () => text };
}

it("an unexpected error is logged by its place, not by its words", async () => {
  const secret = "zqxjsecret";
  const { store } = await world.start("@sound");
  const failing = Object.create(store, {
    record: {
      value: (key: string) => {
        if (key.includes(secret)) throw new RangeError(`${key}\n    at ${secret}`);
        return store.record(key);
      },
    },
  });
  const { log, text } = keptLog();
  const place = await world.start("@unsound", { store: failing, log });
  const owner = await place.owner();
  expect(await owner.ask(`llookup:${secret}@unsound`)).toMatch(/^error:AT0010-/);
  await owner.ask(`batch:[{"id":1,"command":"llookup:${secret}@unsound"}]`);
  expect(text()).toContain("unexpected error");
  expect(text()).toContain("RangeError");
  expect(text()).toContain("logSecrecy.test.ts");
  expect(text()).not.toContain(secret);
  expect(JSON.stringify(traceOf(new Error(`a\nat ${secret}`)))).not.toContain(secret);
});

it("an atDirectory logs nobody's name, not when its store fails either", async () => {
  const secret = "zqxjname";
  const { log, text } = keptLog();
  const failure = Object.assign(new Error(`ERR ${secret}`), { command: { args: [secret] } });
  const store = { ...world.directoryStore, get: () => Promise.reject(failure) };
  const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
  const directory = await startDirectory({ port: 0, host: "127.0.0.1", tls, store, log } as never);
  const line = await Line.open(directory.port, world.authority.certificate);
  line.send(`${secret}\n`);
  await line.closed();
  await directory.close();
  expect(text()).toContain("lookup failed");
  expect(text()).not.toContain(secret);
});
