// SPDX-License-Identifier: BSD-3-Clause
// Builds harness.c with instance.c and the interpreter under the sanitizers, and runs modules with it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SANITIZERS, WASM3 } from "../compilerFlags.mjs";
import { ownFlags } from "../node/build.mjs";
import { prepareWasm3 } from "../wasm3/prepare.mjs";

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** A line of the harness is shorter. */
const OUTPUT_CAP = 1 << 26;

export class SanitizedHarness {
  readonly #folder = mkdtempSync(join(tmpdir(), "atmicro-sanitizer-"));

  constructor() {
    const wasm3 = prepareWasm3(join(this.#folder, "wasm3"));
    const fatal = "-fno-sanitize-recover=all";
    const common = ["-c", "-g", "-O2", "-fno-omit-frame-pointer"];
    const checked = [...common, "-fsanitize=address", fatal];
    // Of undefined behaviour wasm3 itself does not claim to be free; but no table may be left.
    this.#cc([...checked, "-fsanitize=bounds", ...WASM3, ...wasm3.flags, ...wasm3.units]);
    const own = ["../node/heap.c", "../node/instance.c", "./harness.c"].map(source);
    const include = ["-I", source("../node")];
    const flags = [...ownFlags(wasm3.folder), ...include];
    this.#cc([...checked, "-fsanitize=undefined", ...flags, ...own]);
    const objects = readdirSync(this.#folder).filter((name) => name.endsWith(".o"));
    this.#cc([...SANITIZERS, "-o", "harness", ...objects]);
  }

  #cc(args: readonly string[]): void {
    this.#run(process.env.CC ?? "cc", args);
  }

  /** What the program prints; throws when it fails, or says anything on standard error. */
  #run(command: string, args: readonly string[]): string {
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=1:abort_on_error=0" };
    const done = spawnSync(command, args, {
      cwd: this.#folder,
      encoding: "utf8",
      env,
      maxBuffer: OUTPUT_CAP,
    });
    if (done.status === 0 && done.stderr === "") return done.stdout;
    throw new Error(`${command} ended with ${done.status}: ${done.error ?? ""}${done.stderr}`);
  }

  /** What became of each module; throws when a sanitizer found anything, or a leak. */
  run(modules: readonly Uint8Array[]): string[] {
    const files = modules.map((bytes, i) => {
      writeFileSync(join(this.#folder, `${i}.wasm`), bytes);
      return `${i}.wasm`;
    });
    return this.#run("./harness", files).split("\n").slice(0, -1);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
