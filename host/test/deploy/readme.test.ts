// SPDX-License-Identifier: BSD-3-Clause
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { deployed, mistakes, ROOT } from "./commandLine.ts";

/** Lines of the README's examples, the shell's `sudo` and pipes with them. */
const examples = [...deployed("README.md").matchAll(/```\n([\s\S]*?)```/g)].flatMap(
  ([, block = ""]) => block.split("\n"),
);

it("has commands that atmicro knows, with flags it has", async () => {
  const lines = examples.flatMap(
    (line) =>
      /(?:host\/cli\/main\.js|^docker run.* atmicro|^docker exec \S+ atmicro|-- atmicro) (.*)/.exec(
        line,
      )?.[1] ?? [],
  );
  expect(lines.length).toBeGreaterThanOrEqual(8);
  for (const line of lines) expect(await mistakes(line.split(/\s+/)), line).toEqual([]);
});

it("names files that are there", () => {
  const named = examples.flatMap((line) => [...line.matchAll(/host\/deploy\/\S+/g)]).flat();
  expect(named.length).toBeGreaterThan(3);
  for (const path of named.filter((name) => !name.includes("*"))) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
  }
});

it("names the host where a server in a container listens", () => {
  const containers = examples.filter((line) => / atmicro (?:server @|directory serve)/.test(line));
  expect(containers).toHaveLength(2);
  for (const line of containers) expect(line).toContain(" --host 0.0.0.0 ");
});
