// SPDX-License-Identifier: BSD-3-Clause
import { readdirSync, readFileSync } from "node:fs";
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
  /^core\/index/,
  /^core\/abi\//,
  /^core\/session\//,
  /^core\/(wire|keys)\//,
  /^core\/(codec|crypto)\//,
  /^core\/(bytes|memory|retries|status|hal)$/,
];

const hostLayers = [
  /^host\/cli\//,
  /^host\/(server|directory|client|mqtt|web)\//,
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
});
