// SPDX-License-Identifier: BSD-3-Clause
// A renewed certificate is taken up by a running atDirectory, and nobody who is connected notices.
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ChildProgram } from "../../cli/process/childProgram.ts";
import { atmicroProgram } from "../../cli/process/program.ts";
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
  issueCertificate,
} from "../../crypto/certificates.ts";
import { startDirectory } from "../../directory/directory.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { Line } from "../server/line.ts";

const START_MILLIS = 30_000;
const folder = mkdtempSync(join(tmpdir(), "atmicro-directory-"));
let authority: Authority;

beforeAll(async () => {
  authority = await createAuthority({ name: "test" });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const issue = (keyAlgorithm: "p256" | "rsa2048"): Promise<IssuedCertificate> =>
  issueCertificate(authority, { hosts: ["localhost"], keyAlgorithm });

const fingerprint = ({ certificate }: IssuedCertificate): string =>
  new X509Certificate(certificate).fingerprint256;

/** The certificate a new connection is shown. */
async function shown(port: number): Promise<string> {
  const line = await Line.open(port, authority.certificate);
  const { fingerprint256 } = line.socket.getPeerCertificate();
  line.close();
  return fingerprint256;
}

it("shows another certificate, and refuses a key that is not the certificate's", async () => {
  const store = await openDirectoryStore(join(folder, "inside"));
  await store.set("@alice", { host: "localhost", port: 6464 });
  const [first, second] = [await issue("p256"), await issue("rsa2048")];
  const log = pino({ level: "silent" });
  const directory = await startDirectory({ port: 0, host: "127.0.0.1", tls: first, store, log });
  const { port } = directory;
  const before = await Line.open(port, authority.certificate);
  expect(await shown(port)).toBe(fingerprint(first));
  const mixed = { certificate: second.certificate, privateKey: first.privateKey };
  expect(() => directory.useIdentity(mixed)).toThrow(/key values mismatch/);
  expect(await shown(port)).toBe(fingerprint(first));
  directory.useIdentity(second);
  expect(await shown(port)).toBe(fingerprint(second));
  expect(await before.ask("alice")).toBe("localhost:6464\r\n@");
  before.close();
  await directory.close();
  await store.close();
});

it("reads its files again on SIGHUP", async () => {
  const files = [join(folder, "certificate.pem"), join(folder, "private.key")] as const;
  const place = ({ certificate, privateKey }: IssuedCertificate): void => {
    writeFileSync(files[0], certificate);
    writeFileSync(files[1], privateKey, { mode: 0o600 });
  };
  const [first, second] = [await issue("p256"), await issue("p256")];
  place(first);
  const args = [
    ...[atmicroProgram(), "directory", "serve", "--host", "127.0.0.1", "--port", "0"],
    ...["--certificate", files[0], "--private-key", files[1]],
    ...["--store", join(folder, "process"), "--exit-with-parent"],
  ];
  const program = new ChildProgram({ name: "the atDirectory", args });
  const port = Number((await program.event("listening", START_MILLIS)).port);
  expect(await shown(port)).toBe(fingerprint(first));
  place(second);
  process.kill(program.pid ?? expect.fail("no process"), "SIGHUP");
  await expect.poll(() => shown(port), { timeout: START_MILLIS }).toBe(fingerprint(second));
  await program.stop();
});
