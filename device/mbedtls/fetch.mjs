// SPDX-License-Identifier: BSD-3-Clause
// The source of mbedTLS 2.28: MBEDTLS_DIR, else Debian's source package, unpacked once into build/mbedtls.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { aptGet, install, mayInstall } from "../../setup/debian/aptGet.mjs";

/** No source and no way to get one; the message is one sentence. */
export class MbedtlsMissing extends Error {}

const HOW =
  "unpack mbedTLS 2.28 (on Debian: apt-get source mbedtls) and set MBEDTLS_DIR to its folder";

const isSource = (folder) => existsSync(join(folder, "include", "mbedtls", "ssl.h"));

/** Debian's package sources of this machine with source packages instead of binary ones. */
function sourceLists() {
  const folder = "/etc/apt/sources.list.d";
  const parts = existsSync(folder) ? readdirSync(folder) : [];
  const stanzas = parts
    .filter((name) => name.endsWith(".sources"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .filter((text) => /^Types:.*\bdeb\b/m.test(text))
    .map((text) => text.replaceAll(/^Types:.*$/gm, "Types: deb-src"));
  const files = [
    "/etc/apt/sources.list",
    ...parts.filter((name) => name.endsWith(".list")).map((name) => join(folder, name)),
  ];
  const lines = files
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => /^deb\s/.test(line))
    .map((line) => line.replace(/^deb\s/, "deb-src "));
  return { stanzas: stanzas.join("\n\n"), lines: lines.join("\n") };
}

/** Throws for what apt-get complained of. */
function demand(reason) {
  if (reason === undefined) return;
  throw new MbedtlsMissing(`mbedTLS could not be fetched (apt-get: ${reason}); ${HOW}`);
}

/** Downloads and unpacks the source package without touching the system's own package lists. */
function download(folder) {
  const parts = join(folder, "parts");
  for (const name of [parts, join(folder, "lists/partial"), join(folder, "cache")]) {
    mkdirSync(name, { recursive: true });
  }
  const { stanzas, lines } = sourceLists();
  if (stanzas) writeFileSync(join(parts, "debian.sources"), `${stanzas}\n`);
  if (lines) writeFileSync(join(parts, "debian.list"), `${lines}\n`);
  const configuration = join(folder, "apt.conf");
  const settings = {
    "Dir::Etc::sourcelist": "/dev/null",
    "Dir::Etc::sourceparts": parts,
    "Dir::State::lists": join(folder, "lists"),
    "Dir::Cache": join(folder, "cache"),
    "APT::Sandbox::User": "root",
  };
  const text = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(configuration, text.join(""));
  const options = { cwd: folder, env: { APT_CONFIG: configuration } };
  demand(aptGet(["update"], options));
  demand(aptGet(["source", "mbedtls"], options));
}

function ensureDpkgSource() {
  if (spawnSync("dpkg-source", ["--version"], { stdio: "ignore" }).status === 0) return;
  if (!mayInstall()) throw new MbedtlsMissing(`mbedTLS is missing; ${HOW}`);
  demand(install(["dpkg-dev"]));
}

/** The folder of mbedTLS's source (include/, library/); build is the project's build folder. */
export function mbedtlsSource(build) {
  if (process.env.MBEDTLS_DIR) {
    const folder = resolve(process.env.MBEDTLS_DIR);
    if (!isSource(folder)) throw new MbedtlsMissing(`no mbedTLS source in ${folder}; ${HOW}`);
    return folder;
  }
  const folder = join(build, "mbedtls");
  if (isSource(folder)) return folder;
  ensureDpkgSource();
  process.stderr.write("atmicro: fetching mbedTLS's source package …\n");
  const work = `${folder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    download(work);
    const unpacked = readdirSync(work).find((name) => isSource(join(work, name)));
    if (!unpacked) throw new MbedtlsMissing(`the source package has no mbedTLS in it; ${HOW}`);
    // Another build may have been faster.
    if (!isSource(folder)) renameSync(join(work, unpacked), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}
