// SPDX-License-Identifier: BSD-3-Clause
// The restart a file beside the certificate asks for, in testing mode by the config verb.
import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certificateSource } from "../../cli/serving/certificateFiles.ts";
import { type IssuedCertificate, issueCertificate } from "../../crypto/certificates.ts";
import type { ServerConfig } from "../../server/config/config.ts";
import type { Line } from "./line.ts";
import { ServerProcess } from "./serverProcess.ts";
import { type Place, World } from "./world.ts";

const paused =
  "error:AT0024-Exception: Server is temporarily paused and should be available again shortly\n@";
const pausedOwner = (atSign: string): string =>
  `error:AT0024-Server is paused : Server is temporarily paused and should be available again shortly\n${atSign}@`;

let world: World;
let folder: string;
let places = 0;

beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-restart-"));
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const issue = (): Promise<IssuedCertificate> =>
  issueCertificate(world.authority, { hosts: ["localhost"] });

const serial = (line: Line): string => line.socket.getPeerCertificate().serialNumber;

/** An atServer whose certificate is in files, a renewed one among them. */
async function start(
  atSign: string,
  changes: Partial<ServerConfig> = {},
): Promise<{ place: Place; mark: string; certificate: string; renewed: string }> {
  const own = mkdtempSync(join(folder, `${places++}-`));
  const [certificate, privateKey] = [join(own, "fullchain.pem"), join(own, "privkey.pem")];
  const place = await world.start(atSign, {
    testingMode: true,
    certificates: certificateSource({ certificate, privateKey }),
    ...changes,
  });
  const issued = await issue();
  writeFileSync(certificate, issued.certificate);
  writeFileSync(privateKey, issued.privateKey);
  const renewed = new X509Certificate(issued.certificate).serialNumber;
  return { place, mark: join(own, "restart"), certificate, renewed };
}

/** Connects until a command is answered. */
async function back(place: Place): Promise<Line> {
  for (;;) {
    const line = await place.open();
    if ((await line.ask("noop:0")) === "data:ok\n@") return line;
    line.close();
  }
}

describe("a restart by the config verb", () => {
  it("sets and removes the file that asks for it", async () => {
    const { place, mark } = await start("@mark");
    const owner = await place.owner();
    expect(await owner.ask("config:set:shouldReloadCertificates=true")).toBe("data:ok\n@mark@");
    expect(existsSync(mark)).toBe(true);
    expect(await owner.ask("config:set:shouldReloadCertificates=false")).toBe("data:ok\n@mark@");
    expect(existsSync(mark)).toBe(false);
    expect(await owner.ask("config:set:checkCertificateReload=true")).toBe("data:ok\n@mark@");
    expect(await owner.ask("noop:0")).toBe("data:ok\n@mark@");
  });

  it("pauses until all but monitors are gone, then shows the renewed certificate", async () => {
    const { place, mark, renewed } = await start("@pauses");
    const [owner, other, monitor] = [await place.owner(), await place.owner(), await place.owner()];
    monitor.send("monitor:strict none\nnoop:0\n");
    expect(await monitor.reply()).toBe("data:ok\n@pauses@");
    await owner.ask("config:set:shouldReloadCertificates=true");
    expect(await owner.ask("config:set:checkCertificateReload=true")).toBe("data:ok\n@pauses@");
    // What waits for the connections ends with the last of them, so these are answered before.
    const fresh = await place.open();
    other.send("noop:0\n");
    expect(await other.closed()).toBe(pausedOwner("@pauses"));
    fresh.send("info:brief\n");
    expect(await fresh.closed()).toBe(paused);
    expect(existsSync(mark)).toBe(true);
    owner.send("update:public:x.demo@pauses 1\n");
    expect(await owner.closed()).toBe(pausedOwner("@pauses"));
    expect(await monitor.closed()).toBe("");
    const line = await back(place);
    expect(serial(line)).toBe(renewed);
    expect(existsSync(mark)).toBe(false);
    expect(await (await place.owner()).ask("llookup:public:x.demo@pauses")).toMatch(/AT0015/);
  });

  it.each([
    ["when its time is over", "@patience", { restartWaitMillis: 1 }],
    ["at once when it is forced", "@forced", { forceRestart: true, restartWaitMillis: 86_400_000 }],
  ])("hangs up %s", async (_when, atSign, changes) => {
    const { place, renewed } = await start(atSign, changes);
    const owner = await place.owner();
    await owner.ask("config:set:shouldReloadCertificates=true");
    owner.send("config:set:checkCertificateReload=true\n");
    expect(await owner.closed()).toBe(`data:ok\n${atSign}@`);
    expect(serial(await back(place))).toBe(renewed);
  });

  it("does nothing when the files can't be used, and keeps the file", async () => {
    const { place, mark, certificate } = await start("@unfit");
    writeFileSync(certificate, (await issue()).certificate);
    const owner = await place.owner();
    const before = serial(owner);
    await owner.ask("config:set:shouldReloadCertificates=true");
    expect(await owner.ask("config:set:checkCertificateReload=true")).toBe("data:ok\n@unfit@");
    expect(await owner.ask("noop:0")).toBe("data:ok\n@unfit@");
    expect(serial(await place.open())).toBe(before);
    expect(existsSync(mark)).toBe(true);
  });

  it("is given up by an atServer that ends", async () => {
    const { place, mark } = await start("@ends", { restartWaitMillis: 86_400_000 });
    const owner = await place.owner();
    await owner.ask("config:set:shouldReloadCertificates=true");
    await owner.ask("config:set:checkCertificateReload=true");
    const closed = owner.closed();
    await world.stop(place);
    expect(await closed).toBe("");
    expect(existsSync(mark)).toBe(true);
    await place.store.close();
  });

  it("needs testing mode", async () => {
    const { place, mark } = await start("@earnest", { testingMode: false });
    const reply = await (await place.owner()).ask("config:set:shouldReloadCertificates=true");
    expect(reply).toBe("data:testing mode disabled by default\n@earnest@");
    expect(existsSync(mark)).toBe(false);
  });
});

describe("the file beside the certificate of a process", () => {
  it("is taken as a renewal, and nobody is hung up on", async () => {
    const own = join(folder, "plain");
    const server = new ServerProcess(world, "@plain", own, {}, ["--log-level", "info"]);
    await server.start();
    const before = await world.connect(server.port);
    const mark = join(own, "restart");
    writeFileSync(mark, "");
    await server.logged("a restart was asked for");
    expect(existsSync(mark)).toBe(false);
    expect(await before.ask("noop:0")).toBe("data:ok\n@");
    server.stop();
    expect(await server.exit()).toBe(0);
  });

  it("waits for the config verb in testing mode, which the environment gives", async () => {
    const own = join(folder, "testing");
    const env = { testingMode: "true", forceRestart: "true" };
    const server = new ServerProcess(world, "@tested", own, env);
    await server.start();
    await server.activate();
    const owner = await server.owner();
    await owner.ask("config:set:shouldReloadCertificates=true");
    expect(existsSync(join(own, "restart"))).toBe(true);
    owner.send("config:set:checkCertificateReload=true\n");
    expect(await owner.closed()).toBe("data:ok\n@tested@");
    expect(await (await server.owner()).ask("noop:0")).toBe("data:ok\n@tested@");
    expect(existsSync(join(own, "restart"))).toBe(false);
    server.stop();
    expect(await server.exit()).toBe(0);
  });
});
