// SPDX-License-Identifier: BSD-3-Clause
// TLS sessions outlive a restart of the server, and never vouch for a certificate they did not see.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChildProgram } from "../../cli/process/childProgram.ts";
import {
  TICKET_KEY_FILE,
  TICKET_KEY_MILLIS,
  type TicketKeys,
  ticketKeysOf,
} from "../../cli/serving/ticketKeyFile.ts";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { ServerProcess } from "./serverProcess.ts";
import { type SessionOptions, TlsSession, VERSIONS, visit } from "./tlsSession.ts";
import { World } from "./world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
const START_MILLIS = 20_000;
/** Less than a connection may be idle. */
const SOON = 300_000;

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-tickets-"));
});

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (port: number, version: (typeof VERSIONS)[number]): SessionOptions => ({
  port,
  version,
  authority: world.authority.certificate,
});

const resumes = async (options: SessionOptions): Promise<boolean> => (await visit(options)).reused;

const fileIn = (store: string): string => join(store, TICKET_KEY_FILE);
const keysIn = (store: string): string => JSON.parse(readFileSync(fileIn(store), "utf8")).keys;

describe.each(VERSIONS)("a session of %s", (version) => {
  it("is resumed after the atServer's process was started again, after kill -9 too", async () => {
    const server = new ServerProcess(world, "@again", join(folder, `again${version}`));
    await server.start();
    let { reused, session } = await visit(at(server.port, version));
    expect(reused).toBe(false);
    for (const end of ["stop", "kill"] as const) {
      server[end]();
      await server.exit();
      await server.start();
      ({ reused, session } = await visit({ ...at(server.port, version), session }));
      expect(reused).toBe(true);
    }
    expect(statSync(fileIn(server.store)).mode & 0o777).toBe(0o600);
    const { keys } = JSON.parse(readFileSync(fileIn(server.store), "utf8"));
    expect(Buffer.from(keys, "base64")).toHaveLength(48);
    expect(server.log).not.toContain(keys);
    server.stop();
    expect(await server.exit()).toBe(0);
  });

  it("is resumed after the atDirectory's process was started again", async () => {
    const place = join(folder, `directory${version}`);
    mkdirSync(place);
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    writeFileSync(join(place, "certificate.pem"), tls.certificate);
    writeFileSync(join(place, "private.key"), tls.privateKey, { mode: 0o600 });
    const start = async (): Promise<[ChildProgram, number]> => {
      const args = [
        ...[ATMICRO, "directory", "serve", "--host", "127.0.0.1", "--port", "0"],
        ...["--certificate", join(place, "certificate.pem")],
        ...["--private-key", join(place, "private.key")],
        ...["--store", join(place, "store"), "--exit-with-parent"],
      ];
      const program = new ChildProgram({ name: "the atDirectory", args });
      const { port } = await program.event("listening", START_MILLIS);
      return [program, Number(port)];
    };
    const [first, port] = await start();
    const { session } = await visit(at(port, version));
    await first.stop();
    const [second, newPort] = await start();
    expect(await resumes({ ...at(newPort, version), session })).toBe(true);
    await second.stop();
  });

  it("is resumed after a renewed certificate, with keys that were changed before it", async () => {
    const { server } = await world.start(`@renewed${version.slice(-1)}`);
    const { session: old } = await visit(at(server.port, version));
    server.useTicketKeys(randomBytes(48));
    expect(await resumes({ ...at(server.port, version), session: old })).toBe(false);
    const { session } = await visit(at(server.port, version));
    const renewed = await issueCertificate(world.authority, { hosts: ["localhost"] });
    server.useIdentity({ ...renewed, authority: world.authority.certificate });
    expect(await resumes({ ...at(server.port, version), session })).toBe(true);
    expect(await resumes({ ...at(server.port, version), session: old })).toBe(false);
  });

  it("is not resumed by another atServer", async () => {
    const [one, other] = [await world.start("@one"), await world.start("@other")];
    const { session } = await visit(at(one.server.port, version));
    expect(await resumes({ ...at(one.server.port, version), session })).toBe(true);
    expect(await resumes({ ...at(other.server.port, version), session })).toBe(false);
  });
});

describe.each(VERSIONS)("a resumed session of %s, towards from", (version) => {
  const refused = "error:AT0401-Exception: Certificate Verification Failed\n@";
  const shift = { millis: 0 };

  async function places(name: string) {
    const peer = `@peer${name}${version.slice(-1)}`;
    await world.start(peer);
    const now = (): number => Date.now() + shift.millis;
    const { server } = await world.start(`@host${name}${version.slice(-1)}`, { now });
    return { peer, server, options: at(server.port, version) };
  }

  it("counts as certified by the certificate it began with, until that expires", async () => {
    const { peer, options } = await places("valid");
    const identity = await issueCertificate(world.authority, {
      hosts: ["localhost"],
      notAfter: new Date(Date.now() + SOON),
    });
    const first = await TlsSession.open({ ...options, identity });
    expect(await first.ask(`from:${peer}`)).toMatch(/^data:proof:/);
    const { session } = first;
    const second = await TlsSession.open({ ...options, identity, session });
    expect(second.reused).toBe(true);
    expect(await second.ask(`from:${peer}`)).toMatch(/^data:proof:/);
    shift.millis = SOON + 60_000;
    const third = await TlsSession.open({ ...options, identity, session });
    expect(third.reused).toBe(true);
    expect(await third.ask(`from:${peer}`)).toBe(refused);
    expect(await first.ask(`from:${peer}`)).toBe(refused);
    shift.millis = 0;
    for (const line of [first, second, third]) line.close();
  });

  it("is not certified by a certificate it is offered with but did not begin with", async () => {
    const { peer, options } = await places("offered");
    const { session } = await visit(options);
    const identity = await issueCertificate(world.authority, { hosts: ["localhost"] });
    const line = await TlsSession.open({ ...options, identity, session });
    expect(line.reused).toBe(true);
    expect(await line.ask(`from:${peer}`)).toBe(refused);
    line.close();
  });

  it("is not resumed once another authority is trusted, nor does its certificate count", async () => {
    const { peer, server, options } = await places("moved");
    const identity = await issueCertificate(world.authority, { hosts: ["localhost"] });
    const { session } = await visit({ ...options, identity });
    const other = await createAuthority({ name: "another authority" });
    const own = await issueCertificate(world.authority, { hosts: ["localhost"] });
    // The atSign's address is known by then: the directory's certificate isn't trusted any more either.
    const known = await TlsSession.open({ ...options, identity });
    expect(await known.ask(`from:${peer}`)).toMatch(/^data:proof:/);
    known.close();
    server.useIdentity({ ...own, authority: other.certificate });
    const again = await TlsSession.open({ ...options, identity, session });
    expect(again.reused).toBe(false);
    expect(await again.ask(`from:${peer}`)).toBe(refused);
    again.close();
  });
});

describe("the file of ticket keys", () => {
  const silent = pino({ level: "silent" });
  let count = 0;
  const storeFolder = (): string => {
    const path = join(folder, `store-${count++}`);
    mkdirSync(path);
    return path;
  };

  /** The keys, and what was warned of. */
  async function load(store: string, now = Date.now()): Promise<[TicketKeys, string]> {
    let text = "";
    const log = pino({ level: "debug" }, { write: (line: string) => (text += line) });
    return [await ticketKeysOf(store, log, () => now), text];
  }

  it("keeps the same keys for a day, then has others", async () => {
    const store = storeFolder();
    const start = 1_800_000_000_000;
    const [first] = await load(store, start);
    const [within, warned] = await load(store, start + TICKET_KEY_MILLIS - 1);
    expect(within).toEqual(first);
    expect(warned).toBe("");
    const [after] = await load(store, start + TICKET_KEY_MILLIS);
    expect(after.keys.equals(first.keys)).toBe(false);
    expect((await load(store, start + TICKET_KEY_MILLIS))[0]).toEqual(after);
    const [clockWentBack] = await load(store, start);
    expect(clockWentBack.keys.equals(after.keys)).toBe(false);
  });

  const whole = JSON.stringify({ createdAt: Date.now(), keys: "A".repeat(64) });
  it.each([
    ["empty", "", "not JSON"],
    ["cut off", whole.slice(0, 50), "not JSON"],
    ["null", "null", "48 bytes"],
    ["too short a key", whole.replace("AAAA", ""), "48 bytes"],
    ["no instant", JSON.stringify({ keys: "A".repeat(64) }), "48 bytes"],
  ])("is replaced when it is damaged: %s", async (_, text, reason) => {
    const store = storeFolder();
    writeFileSync(fileIn(store), text, { mode: 0o600 });
    const [keys, warned] = await load(store);
    expect(warned).toContain(reason);
    expect(warned).not.toContain("AAAAAAAA");
    expect(await load(store)).toEqual([keys, ""]);
  });

  it.each([0o640, 0o604, 0o620, 0o666])("is replaced when its mode is %o", async (mode) => {
    const store = storeFolder();
    writeFileSync(fileIn(store), whole);
    chmodSync(fileIn(store), mode);
    const [keys, warned] = await load(store);
    expect(warned).toContain("others than its owner");
    expect(keys.keys.equals(Buffer.from("A".repeat(64), "base64"))).toBe(false);
    expect(statSync(fileIn(store)).mode & 0o777).toBe(0o600);
  });

  it("is replaced when it is a symbolic link; what the link names stays", async () => {
    const store = storeFolder();
    const target = join(store, "elsewhere");
    writeFileSync(target, whole, { mode: 0o600 });
    symlinkSync(target, fileIn(store));
    const [keys, warned] = await load(store);
    expect(warned).toContain("replaced");
    expect(readFileSync(target, "utf8")).toBe(whole);
    expect(await load(store)).toEqual([keys, ""]);
  });

  it("may be impossible to write: the keys are used all the same, with a warning", async () => {
    const store = storeFolder();
    mkdirSync(join(fileIn(store), "in the way"), { recursive: true });
    const [keys, warned] = await load(store);
    expect(keys.keys).toHaveLength(48);
    expect(warned).toContain("can't be kept");
  });

  it("gets other keys while the atServer runs, when a day is over", async () => {
    const server = new ServerProcess(world, "@turn", join(folder, "turn"));
    await server.start();
    server.stop();
    await server.exit();
    const { keys } = await ticketKeysOf(server.store, silent);
    const nearlyOld = Date.now() - TICKET_KEY_MILLIS + 3_000;
    const text = JSON.stringify({ createdAt: nearlyOld, keys: keys.toString("base64") });
    writeFileSync(fileIn(server.store), text, { mode: 0o600 });
    await server.start();
    await expect
      .poll(() => keysIn(server.store), { timeout: 20_000 })
      .not.toBe(keys.toString("base64"));
    const { session } = await visit(at(server.port, "TLSv1.3"));
    server.stop();
    await server.exit();
    await server.start();
    expect(await resumes({ ...at(server.port, "TLSv1.3"), session })).toBe(true);
    server.stop();
    expect(await server.exit()).toBe(0);
  });

  it("is replaced by the atServer's process when others may read it, and it says so", async () => {
    const server = new ServerProcess(world, "@open", join(folder, "open"));
    await server.start();
    const { session } = await visit(at(server.port, "TLSv1.3"));
    server.stop();
    await server.exit();
    chmodSync(fileIn(server.store), 0o644);
    await server.start();
    await server.logged("others than its owner may read or write it");
    expect(await resumes({ ...at(server.port, "TLSv1.3"), session })).toBe(false);
    server.stop();
    expect(await server.exit()).toBe(0);
  });
});
