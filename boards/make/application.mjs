// SPDX-License-Identifier: BSD-3-Clause
// The application of a firmware: a C file, or a folder of them, anywhere on this machine.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { FOREIGN, OWN } from "../../device/compilerFlags.mjs";
import { compileAll, run } from "./compile.mjs";
import { BuildFailure } from "./failure.mjs";

/** What every application defines (device/at.h). */
const ENTRY = "at_application";

const cFilesIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(folder, name));

function sourcesOf(path) {
  if (!existsSync(path)) throw new BuildFailure(`there is no application ${path}`);
  if (!statSync(path).isDirectory()) {
    if (path.endsWith(".c")) return [path];
    throw new BuildFailure(`${path} is no C file; an application is a .c file or a folder of them`);
  }
  const sources = cFilesIn(path);
  if (sources.length > 0) return sources;
  throw new BuildFailure(`the folder ${path} holds no .c file; an application needs one`);
}

/**
 * { name, sources, includes, flags, isOurs } of the application at the path; without one it is the greenhouse. Throws
 * BuildFailure when there is none.
 */
export function findApplication(root, path = null) {
  if (!path) {
    const sources = sourcesOf(join(root, "boards/app/greenhouse"));
    return { name: "greenhouse", sources, flags: OWN, isOurs: true };
  }
  const place = resolve(path);
  const sources = sourcesOf(place);
  const name = basename(place, ".c");
  if (/^[\w.+-]+$/.test(name)) return { name, sources, flags: FOREIGN, isOurs: false };
  throw new BuildFailure(
    `the application's name "${name}" becomes a folder's: letters, digits and _ . + - are possible`,
  );
}

/** The folder of what is made: `out` for the greenhouse, one of its own for every other application. */
export function applicationFolder(out, { name, isOurs }) {
  return isOurs ? out : join(out, "apps", name);
}

/**
 * Compiles the application and the drivers of sensors it may use, with the processor's flags; the objects. Throws
 * BuildFailure, also when the application lacks its entry function.
 */
export async function compileApplication({ root, out, cc, nm, application, flags }) {
  const { sources, isOurs } = application;
  const folder = join(applicationFolder(out, application), "app");
  const unit = (more, place) => (source) => ({
    cc,
    source,
    flags: [...flags, ...more, `-I${root}`],
    object: join(place, `${basename(source)}.o`),
    tellsWarnings: !isOurs && sources.includes(source),
  });
  const objects = await compileAll(sources.map(unit(application.flags, folder)));
  await checkEntry(nm, objects, sources);
  const drivers = cFilesIn(join(root, "boards/app/sensors"));
  return [...objects, ...(await compileAll(drivers.map(unit(OWN, join(out, "sensors")))))];
}

async function checkEntry(nm, objects, sources) {
  const symbols = (await run(nm, ["-A", ...objects])).split("\n");
  const entries = symbols.filter((line) => new RegExp(`\\sT _?${ENTRY}$`).test(line));
  if (entries.length === 1) return;
  const what = entries.length === 0 ? "defines no function" : "defines more than once the function";
  throw new BuildFailure(
    `the application (${sources.join(", ")}) ${what} ${ENTRY}; device/at.h says what it is, boards/app/template has one`,
  );
}
