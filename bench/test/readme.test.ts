// SPDX-License-Identifier: BSD-3-Clause
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { documentsWithTables, withTables } from "../readme.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Markdown files at the root, and the README of every folder. */
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...["bench", "boards", "core", "device", "emulate", "host", "setup"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith("README.md"))
      .map((name) => join(folder, name)),
  ),
];

describe("the READMEs", () => {
  it.each(documentsWithTables)("show what was measured last, in %s", (path) => {
    expect(read(path)).toBe(withTables(path));
    expect(read(path)).not.toMatch(/NaN|undefined/);
  });

  it("begin with one of at most 130 lines", () => {
    expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(130);
  });

  it("link to what is there", () => {
    expect(documents.length).toBeGreaterThan(8);
    const broken = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
        .filter(([, target = ""]) => !existsSync(join(root, dirname(path), target)))
        .map(([, target]) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("quote the template of an application", () => {
    const [, code = ""] = /```c\n([\s\S]*?)```/.exec(read("README.md")) ?? [];
    expect(code.length).toBeGreaterThan(100);
    expect(read("boards/app/template/template.c")).toContain(code);
  });

  it("have a line for each folder and file beside them", () => {
    const unsaid = ["bench", "boards", "core", "device", "emulate", "host", "setup"].flatMap(
      (folder) =>
        readdirSync(join(root, folder), { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .filter(({ name }) => !read(`${folder}/README.md`).includes(`${name}/`))
          .map(({ name }) => `${folder}/README.md: ${name}/`),
    );
    expect(unsaid).toEqual([]);
  });
});
