// SPDX-License-Identifier: BSD-3-Clause
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Source files of a folder, tests left out, as paths from the repository's root. */
function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "test" ? [] : sources(path);
    return /\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}

/** What a file imports or re-exports: relative ones as paths from the root without extension. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g,
  );
  return [...found].map((match) => {
    const target = match[1] ?? match[2] ?? "";
    if (!target.startsWith(".")) return target;
    return normalize(join(dirname(file), target)).replace(/\.(ts|mjs)$/, "");
  });
}

/** Layers from the top down; a file may import its own layer and those below. */
function layerOf(layers: readonly RegExp[], path: string): number {
  return layers.findIndex((layer) => layer.test(path));
}

const coreLayers = [
  /^core\/(index|primitives)/,
  /^core\/abi\//,
  /^core\/session\//,
  /^core\/(wire|keys)\//,
  /^core\/(codec|crypto)\//,
  /^core\/(bytes|memory|retries|status|hal)$/,
];

const hostLayers = [
  /^host\/cli\/(main|atmicro)$/,
  /^host\/cli\/commands\//,
  /^host\/cli\/(serving|world)\//,
  /^host\/cli\/terminal\//,
  /^host\/cli\/process\//,
  /^host\/server\/server$/,
  /^host\/server\/connection\//,
  /^host\/server\/verbs\//,
  /^host\/server\/(enrollment|running)\//,
  /^host\/server\/upkeep\//,
  /^host\/server\/notifications\//,
  /^host\/server\/(passcodes|peers)\//,
  /^host\/server\/access\//,
  /^host\/server\/records\//,
  /^host\/server\/config\//,
  /^host\/(directory|client)\//,
  /^host\/net\//,
  /^host\/(store|crypto|wire)\//,
];

const withoutExtension = (file: string) => file.replace(/\.(ts|mjs)$/, "");

function upward(layers: readonly RegExp[], folder: string): string[] {
  return sources(folder).flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith(`${folder}/`))
      .filter((target) => layerOf(layers, target) < layerOf(layers, withoutExtension(file)))
      .map((target) => `${file} imports ${target}`),
  );
}

/** Groups of more than one, in which each reaches every other. */
function circles(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>();
    const left = [from];
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      for (const next of arrows.get(at) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        left.push(next);
      }
    }
    return seen;
  };
  const reached = new Map([...arrows.keys()].map((each) => [each, reach(each)]));
  const groups = new Map<string, string[]>();
  for (const [each, those] of reached) {
    if (!those.has(each)) continue;
    const group = [...those].filter((other) => reached.get(other)?.has(each)).sort();
    groups.set(group.join(), group);
  }
  return [...groups.values()];
}

const places = ["core", "device", "boards", "host", "bench", "emulate", "setup"];

/** Arrows between files, or between the folders that `nameOf` makes of them. */
function arrowsBetween(nameOf: (file: string) => string): Map<string, Set<string>> {
  const files = new Set(places.flatMap(sources).map(withoutExtension));
  const arrows = new Map<string, Set<string>>();
  for (const file of places.flatMap(sources)) {
    const from = nameOf(withoutExtension(file));
    const to = importsOf(file)
      .filter((target) => files.has(target))
      .map(nameOf);
    const known = arrows.get(from) ?? new Set();
    for (const each of to) if (each !== from || nameOf === identity) known.add(each);
    arrows.set(from, known);
  }
  return arrows;
}

const identity = (file: string) => file;

/** C files and headers of a folder, tests left out. */
function cSources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "test" ? [] : cSources(path);
    return /\.[chS]$/.test(entry.name) ? [path] : [];
  });
}

/** Files of ours that a C file includes: looked for beside it, from the root and in device/, as the builds do. */
function includesOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].flatMap(([, name = ""]) => {
    const candidates = [
      join(dirname(file), name),
      name,
      join("device", name),
      join("boards", name),
    ];
    const found = candidates.map(normalize).find((path) => existsSync(join(root, path)));
    return found === undefined ? [] : [found];
  });
}

/** `boards/<name>` of a file below it; undefined elsewhere. */
const boardOf = (file: string) => /^boards\/[^/]+(?=\/)/.exec(file)?.[0];
const isBoard = (folder: string) => existsSync(join(root, folder, "board.json"));

function importsOutside(folder: string, allowed: RegExp): string[] {
  return sources(folder).flatMap((file) =>
    importsOf(file)
      .filter((target) => !allowed.test(target))
      .map((target) => `${file} imports ${target}`),
  );
}

describe("the tree is the architecture", () => {
  it("finds the sources and their imports", () => {
    expect(sources("core").length).toBeGreaterThan(5);
    expect(importsOf("core/abi/memory.ts")).toEqual(["core/memory"]);
  });

  it("puts every file of core/ and host/ into a layer", () => {
    const lost = (layers: readonly RegExp[], folder: string) =>
      sources(folder).filter((file) => layerOf(layers, withoutExtension(file)) < 0);
    expect(lost(coreLayers, "core")).toEqual([]);
    expect(lost(hostLayers, "host")).toEqual([]);
  });

  it("imports nothing into core/ from outside, and only downward", () => {
    expect(importsOutside("core", /^core\//)).toEqual([]);
    expect(upward(coreLayers, "core")).toEqual([]);
  });

  it("lets only the session and the accelerator switch reach the board", () => {
    const users = sources("core").filter((file) => importsOf(file).includes("core/hal"));
    expect(users.filter((file) => !/^core\/(session\/|crypto\/accelerator)/.test(file))).toEqual(
      [],
    );
  });

  it("keeps device/ on Node alone and boards/ on device/ alone", () => {
    expect(importsOutside("device", /^(device\/|setup\/debian\/|node:|node-api-headers)/)).toEqual(
      [],
    );
    expect(
      importsOutside("boards", /^(boards\/|device\/|setup\/debian\/|node:|rp2040js$)/),
    ).toEqual([]);
  });

  it("imports downward in host/, and never the device's side", () => {
    expect(upward(hostLayers, "host")).toEqual([]);
    expect(
      sources("host")
        .flatMap(importsOf)
        .filter((t) => /^(core|device|boards|bench)\//.test(t)),
    ).toEqual([]);
  });

  it("keeps host/wire free of Node", () => {
    expect(importsOutside("host/wire", /^host\/wire\//)).toEqual([]);
  });

  it("keeps benchmarks, demonstrations and the set-up above everything", () => {
    const above = /^(bench|emulate|setup\/(?!debian\/))/;
    const below = ["core", "device", "boards", "host"].flatMap(sources);
    const upwards = below.flatMap((file) =>
      importsOf(file)
        .filter((target) => above.test(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(upwards).toEqual([]);
    expect(
      importsOutside("setup", /^(setup\/|boards\/(build|make\/)|assemblyscript\/binaryen|node:)/),
    ).toEqual([]);
    expect(importsOutside("emulate", /^(emulate\/|boards\/|device\/js\/|host\/|node:)/)).toEqual(
      [],
    );
    expect(importsOutside("bench", /^(bench\/|emulate\/|boards\/|device\/|host\/|node:)/)).toEqual(
      [],
    );
  });

  it("has no circle between files", () => {
    expect(
      circles(
        new Map([
          ["a", new Set(["b"])],
          ["b", new Set(["a", "c"])],
        ]),
      ),
    ).toEqual([["a", "b"]]);
    expect(circles(arrowsBetween(identity))).toEqual([]);
  });

  it("has no circle between folders", () => {
    // The core's entry stands above its folder, whose other files are its ground.
    const folderOf = (file: string) =>
      /^core\/(index|primitives)$/.test(file) ? file : dirname(file);
    expect(circles(arrowsBetween(folderOf))).toEqual([]);
  });

  it("has at most 15 files in a folder of the host and the core", () => {
    const many = new Map<string, number>();
    for (const file of ["core", "host"].flatMap(sources)) {
      many.set(dirname(file), (many.get(dirname(file)) ?? 0) + 1);
    }
    const mayHoldMore = ["host/server/verbs", "host/cli/commands"];
    const over = [...many].filter(([folder, count]) => count > 15 && !mayHoldMore.includes(folder));
    expect(over).toEqual([]);
  });

  it("includes no board in device/, and in a board only device/, itself and shared drivers", () => {
    expect(includesOf("device/loop.c")).toContain("device/tls.h");
    const wrong = ["device", "boards"].flatMap(cSources).flatMap((file) => {
      const own = boardOf(file);
      const foreign = includesOf(file).filter((target) => {
        const board = boardOf(target);
        if (board === undefined || board === own) return false;
        return own === undefined || isBoard(board);
      });
      return foreign.map((target) => `${file} includes ${target}`);
    });
    expect(wrong).toEqual([]);
  });
});
