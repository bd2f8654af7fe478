// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Device, Kind, State } from "./session/device.ts";
import { loggedIn } from "./session/fixtures.ts";
import { alpha, World, wrapKey } from "./session/world.ts";

// The reference server's metadata fragment: every part optional, in this order and no other.
const TEXT = "[^:@\\s]+";
const META = [
  ["ttl", "-?\\d+"],
  ["ttb", "-?\\d+"],
  ["ttr", "-?\\d+"],
  ["ccd", "true|false"],
  ["dataSignature", TEXT],
  ["sharedKeyStatus", TEXT],
  ["isBinary", "true|false"],
  ["isEncrypted", "true|false"],
  ["sharedKeyEnc", TEXT],
  ["pubKeyCS", TEXT],
  ["encoding", TEXT],
  ["encKeyName", TEXT],
  ["encAlgo", TEXT],
  ["ivNonce", TEXT],
]
  .map(([name, value]) => `(?::${name}:(?:${value}))?`)
  .join("");

/** The grammar of the reference server, a verb an entry (atProtocol, the verbs). */
const GRAMMAR: Record<string, RegExp> = {
  from: /^from:@[^:@\s]+$/,
  pkam: /^pkam:(?:signingAlgo:(?:ecc_secp256r1|rsa2048):)?(?:hashingAlgo:(?:sha256|sha512):)?(?:enrollmentId:[\w-]+:)?[A-Za-z0-9+/]+=*$/,
  update: new RegExp(`^update${META}(?::(?:public|@[^:@\\s]+))?:[^:@\\s]+(?:@[^:@\\s]+)? [^\\n]+$`),
  lookup: /^lookup:(?:(?:meta|all):)?[^:].*@[^:@\s]+$/,
  llookup:
    /^llookup(?::(?:meta|all))?(?::cached)?(?::(?:public|@[^:@\s]+))?:[^:](?:(?!::)[^@])+@[^:@\s]+$/,
  plookup: /^plookup:(?:(?:meta|all):)?[^@\s]+@[^:@\s]+$/,
  delete: /^delete(?::cached)?(?::(?:public|@[^:@\s]+))?:[^:@\s]+(?:@[^:@\s]+)?$/,
  scan: /^scan(?: \S+)?$/,
  notify: new RegExp(
    `^notify(?::id:[\\w-]+)?(?::(?:update|delete))?(?::messageType:(?:key|text))?(?::priority:(?:low|medium|high))?(?::strategy:(?:all|latest))?(?::latestN:\\d+)?(?::notifier:[^\\s:]+)?(?::ttln:\\d+)?${META}:@[^:@\\s]+:[^:@](?:(?!::)[^@])+@[^:@\\s]+:.+$`,
  ),
  monitor: /^monitor(?::strict)?(?::selfNotifications)?(?::multiplexed)?(?::\d+)?(?: .+)?$/,
  noop: /^noop:\d+$/,
  enroll: /^enroll:request:\{.+\}$/,
  keys: /^keys:get:keyName:\S+$/,
};

function check(lines: readonly string[]): Set<string> {
  const verbs = new Set<string>();
  for (const line of lines) {
    const verb = /^[a-z]+(?=:|$| )/.exec(line)?.[0] ?? "";
    if (line === "alpha") continue;
    expect(line).toMatch(GRAMMAR[verb] ?? /(?!)/);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(4096);
    verbs.add(verb);
  }
  return verbs;
}

for (const factory of engines) {
  describe(`requests on ${factory.name}`, () => {
    test("every line follows the reference grammar", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.records.set("@alpha:k.demo@bravo", { value: "x", meta: { isEncrypted: true } });
      world.records.set("cached:@alpha:shared_key@bravo", {
        value: wrapKey(alpha.selfEncryptionKeyBase64, alpha),
      });
      const put = (key: string, value: string, ttl = 0) => device.finish(Kind.put, key, value, ttl);
      put("note.demo@alpha", "v".repeat(2048), 1);
      put("@bravo:note.demo@alpha", "v".repeat(2048), Number.MAX_SAFE_INTEGER);
      put("@alpha:note.demo@alpha", "x");
      put("public:note.demo@alpha", "two words @ : and more");
      put("public:note.demo@alpha", " base64 ");
      for (const key of [
        "note.demo@alpha",
        "@bravo:note.demo@alpha",
        "public:a@alpha",
        "public:a.b@bravo",
        "k.demo@bravo",
        "@alpha:k.demo@bravo",
        "cached:@alpha:k.demo@bravo",
        "cached:public:a@bravo",
      ]) {
        device.finish(Kind.get, key);
      }
      for (const key of [
        "note.demo@alpha",
        "@bravo:note.demo@alpha",
        "public:a@alpha",
        "cached:@alpha:k.demo@bravo",
      ]) {
        device.finish(Kind.delete, key);
      }
      device.finish(Kind.scan);
      device.finish(Kind.scan, "", "^@bravo.*");
      device.finish(Kind.notify, "@bravo:note.demo@alpha", "v".repeat(2048), 86400000);
      device.finish(Kind.notify, "@alpha:note.demo@alpha", "");
      device.advance(20_000);
      expect([...check(world.lines)].sort()).toEqual([
        "delete",
        "from",
        "llookup",
        "lookup",
        "monitor",
        "noop",
        "notify",
        "pkam",
        "plookup",
        "scan",
        "update",
      ]);
    });

    test("and those of an enrollment", async () => {
      const world = new World();
      world.passcodes.add('A"B\\1');
      const device = await Device.open(factory, world);
      device.init();
      device.configure('A"B\\1');
      device.start();
      device.until(() => device.state() === State.approval);
      device.advance(2000);
      expect([...check(world.lines)].sort()).toEqual(["enroll", "from", "lookup", "pkam"]);
    });
  });
}
