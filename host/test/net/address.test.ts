// SPDX-License-Identifier: BSD-3-Clause
// Every reader of host:port, by one table of cases.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open as openLmdb } from "lmdb";
import { describe, expect, it } from "vitest";
import * as board from "../../../device/js/address.ts";
import { ServerSettings } from "../../cli/serving/serverSettings.ts";
import { formatEntry, parseEntry } from "../../directory/directoryStore.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import * as host from "../../net/address.ts";
import { AtError } from "../../wire/errors.ts";

interface Vectors {
  accepted: { text: string; host: string; port: number }[];
  hostAlone: { text: string; host: string }[];
  unusable: string[];
  refused: { text: string; why: string }[];
  longest: { letters: number };
}
const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../../../core/test/vectors/addresses.json", import.meta.url), "utf8"),
);

function hostParse(text: string, defaultPort?: number): host.Address | null {
  try {
    return host.parseAddress(text, defaultPort);
  } catch (error) {
    if (error instanceof AtError && error.code === "AT0022") return null;
    throw error;
  }
}

const readers = [
  ["host", hostParse],
  ["boards", board.parseAddress],
] as const;

describe.each(readers)("the addresses of %s", (_, parse) => {
  it.each(vectors.accepted)("accept $text", ({ text, host, port }) => {
    expect(parse(text)).toEqual({ host, port });
    expect(parse(text, 7)).toEqual({ host, port });
  });

  it.each(vectors.hostAlone)("accept $text where a port has a default", ({ text, host }) => {
    expect(parse(text)).toBeNull();
    expect(parse(text, 64)).toEqual({ host, port: 64 });
  });

  it.each([
    ...vectors.unusable.map((text) => ({ text, why: "no IPv6 address" })),
    ...vectors.refused,
  ])("refuse $text: $why", ({ text }) => {
    expect(parse(text)).toBeNull();
    expect(parse(text, 64)).toBeNull();
  });

  it("have a longest host", () => {
    const longest = "a".repeat(vectors.longest.letters);
    expect(parse(`${longest}:64`)).toEqual({ host: longest, port: 64 });
    expect(parse(`${longest}a:64`)).toBeNull();
  });
});

describe("an address of the host", () => {
  it.each(vectors.accepted)("is written as it was read: $text", ({ text, host: name, port }) => {
    expect(host.formatAddress({ host: name, port })).toBe(text);
  });

  it.each([
    ["::1:6464", "write an IPv6 address in brackets, as in [::1]:6464"],
    ["2001:db8::1", "write an IPv6 address in brackets, as in [::1]:6464"],
    ["host:0", "the port has to be from 1 to 65535"],
    ["[::1]:65536", "the port has to be from 1 to 65535"],
    ["münchen.example:64", "write the host name in its ASCII form, xn--mnchen-3ya.example"],
    ["host", "write host:port"],
    ["", "write host:port"],
    ["a b:1", "write host:port"],
  ])("refused is %j with the remedy", (text, remedy) => {
    expect(() => host.parseAddress(text)).toThrow(`is not an address: ${remedy}`);
  });

  it("is shown harmless and short when it is none", () => {
    const hostile = `\u001b[2J\u202e\n${"x".repeat(10_000)}`;
    let message = "";
    try {
      host.parseAddress(hostile, 64);
    } catch (error) {
      if (error instanceof AtError) message = error.message;
    }
    expect(message).toMatch(/^"\\u\{1b\}\[2J\\u\{202e\}\\u\{a\}x+" is not an address: /);
    expect(message).toMatch(/^[\x20-\x7e]{1,300}$/);
  });
});

describe("an address in a directory's store", () => {
  it.each(vectors.accepted)("is $text", ({ text, host: name, port }) => {
    expect(formatEntry({ host: name, port })).toBe(text);
    expect(parseEntry(text)).toEqual({ host: name, port });
  });

  it.each(vectors.accepted.map(({ host: name, port }) => `${name}:${port}`))(
    "may have been kept without brackets: %s",
    (text) => {
      const found = vectors.accepted.find(({ host: name, port }) => text === `${name}:${port}`);
      expect(parseEntry(text)).toEqual({ host: found?.host, port: found?.port });
    },
  );

  it.each(vectors.refused.filter(({ text }) => !/^[0-9a-f]*:.*:\d+$/.test(text)))(
    "is not $text",
    ({ text }) => expect(parseEntry(text)).toBeUndefined(),
  );

  it("is found again in a store of an earlier version", async () => {
    const path = mkdtempSync(join(tmpdir(), "atmicro-address-"));
    const old = openLmdb({ path });
    await old.openDB<string, string>({ name: "addresses" }).put("six", "::1:6464");
    await old.close();
    const store = await openDirectoryStore(path);
    expect(await store.get("@six")).toEqual({ host: "::1", port: 6464 });
    await store.set("@six", { host: "::1", port: 6465 });
    expect(await store.get("@six")).toEqual({ host: "::1", port: 6465 });
    await store.close();
    rmSync(path, { recursive: true });
  });
});

describe("an address among the parameters of an atServer", () => {
  const read = async (directory: string) =>
    (await ServerSettings.read({ flags: { directory }, env: {} })).directory();

  it.each(vectors.accepted)("is $text", async ({ text, host: name, port }) => {
    expect(await read(text)).toEqual({ host: name, port });
    expect(await read(`proxy:${text}`)).toEqual({ host: `proxy:${name}`, port });
  });

  it.each(vectors.hostAlone)("may be $text", async ({ text, host: name }) => {
    expect(await read(text)).toEqual({ host: name, port: 64 });
  });

  // White space around a value of a file or variable is no part of it; `proxy:` has a meaning.
  it.each(vectors.refused.filter(({ text }) => text === text.trim() && !text.startsWith("proxy:")))(
    "is not $text: $why",
    async ({ text }) => {
      await expect(read(text)).rejects.toThrow("a host or host:port is needed");
    },
  );
});
