// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";

const BAD = -10;
const TOO_LONG = -8;

type Parts = {
  flags: number;
  sharedWith: string;
  entity: string;
  namespace: string;
  owner: string;
};

function parse(engine: Engine, key: string): Parts | number {
  const text = engine.call("io_ptr");
  const view = text + 2048;
  const bytes = Buffer.from(key);
  engine.write(text, bytes);
  const status = engine.call("atkey_parse", view, text, bytes.length);
  if (status < 0) return status;
  const fields = new DataView(engine.read(view, 24).buffer);
  const part = (at: number) => {
    const offset = fields.getUint16(at, true);
    return bytes.subarray(offset, offset + fields.getUint16(at + 2, true)).toString("utf8");
  };
  return {
    flags: fields.getUint16(4, true),
    sharedWith: part(8),
    entity: part(12),
    namespace: part(16),
    owner: part(20),
  };
}

/** The atKey put together again from its parts. */
function echo(engine: Engine, key: string): string | number {
  const parts = parse(engine, key);
  if (typeof parts === "number") return parts;
  const { flags, sharedWith, entity, namespace, owner } = parts;
  const cached = flags & 1 ? "cached:" : "";
  const kind = flags & 2 ? "public:" : flags & 4 ? `${sharedWith}:` : "";
  return `${cached}${kind}${entity}${namespace === "" ? "" : `.${namespace}`}${owner}`;
}

for (const factory of engines) {
  describe(`atKeys on ${factory.name}`, () => {
    const cases: [string, Parts][] = [
      [
        "note.demo@alice",
        { flags: 0, sharedWith: "", entity: "note", namespace: "demo", owner: "@alice" },
      ],
      [
        "@bob:phone.demo@alice",
        { flags: 4, sharedWith: "@bob", entity: "phone", namespace: "demo", owner: "@alice" },
      ],
      [
        "public:name.demo@alice",
        { flags: 2, sharedWith: "", entity: "name", namespace: "demo", owner: "@alice" },
      ],
      [
        "cached:@bob:phone.demo@alice",
        { flags: 5, sharedWith: "@bob", entity: "phone", namespace: "demo", owner: "@alice" },
      ],
      ["cached:public:a@b", { flags: 3, sharedWith: "", entity: "a", namespace: "", owner: "@b" }],
      ["a.b.c@alice", { flags: 0, sharedWith: "", entity: "a.b", namespace: "c", owner: "@alice" }],
      [
        "shared_key.bob@alice",
        { flags: 0, sharedWith: "", entity: "shared_key", namespace: "bob", owner: "@alice" },
      ],
      [
        "@alice🛠:k.n@bob🛠",
        { flags: 4, sharedWith: "@alice🛠", entity: "k", namespace: "n", owner: "@bob🛠" },
      ],
      [".hidden@a", { flags: 0, sharedWith: "", entity: ".hidden", namespace: "", owner: "@a" }],
      ["dot.@a", { flags: 0, sharedWith: "", entity: "dot.", namespace: "", owner: "@a" }],
    ];
    for (const [key, parts] of cases) {
      test(key, async () => {
        const engine = await factory.open();
        expect(parse(engine, key)).toEqual(parts);
        expect(echo(engine, key)).toBe(key);
      });
    }

    test("what is no atKey", async () => {
      const engine = await factory.open();
      const bad = [
        "",
        "@",
        "@a",
        "a",
        "a@",
        "@bob:@alice",
        "@bob:",
        ":a@b",
        "a b@c",
        "a@b c",
        "a:b@c",
        "a@b@c",
        "@:a@b",
        "A@b",
        "a@B",
        "public:@a",
        "cached:",
        "public:@bob:k@a",
        "a\n@b",
        "a,b@c",
      ];
      for (const key of bad) expect(parse(engine, key), key).toBe(BAD);
    });

    test("248 bytes, and 255 with cached:, no more", async () => {
      const engine = await factory.open();
      const key = `${"k".repeat(246)}@a`;
      expect(parse(engine, key)).toMatchObject({ owner: "@a" });
      expect(parse(engine, `k${key}`)).toBe(TOO_LONG);
      expect(parse(engine, `cached:${key}`)).toMatchObject({ flags: 1 });
      expect(parse(engine, `cached:k${key}`)).toBe(TOO_LONG);
    });

    test("the parts are all there is", async () => {
      const engine = await factory.open();
      const name = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
      const entity = fc.stringMatching(/^[a-z0-9_.'*-]{1,40}$/);
      const key = fc
        .tuple(
          fc.constantFrom("", "cached:"),
          fc.constantFrom("", "public:", "@bob:"),
          entity,
          name,
        )
        .map(([cached, kind, e, owner]) => `${cached}${kind}${e}@${owner}`);
      fc.assert(
        fc.property(key, (k) => {
          expect(echo(engine, k)).toBe(k);
        }),
      );
      fc.assert(
        fc.property(fc.string({ maxLength: 300 }), (k) => {
          const out = echo(engine, k);
          expect(typeof out === "number" || out === k).toBe(true);
        }),
      );
    });

    test("atSigns are normalised", async () => {
      const engine = await factory.open();
      const normalise = (text: string) => {
        const at = engine.call("io_ptr");
        engine.write(at, Buffer.from(text));
        const n = engine.call("atsign_normalise", at, Buffer.byteLength(text));
        return n < 0 ? n : Buffer.from(engine.read(at, n)).toString("utf8");
      };
      expect(normalise("@Ali.Ce")).toBe("@alice");
      expect(normalise("@alice🛠")).toBe("@alice🛠");
      expect(normalise(`@${"a".repeat(55)}`)).toBe(`@${"a".repeat(55)}`);
      for (const bad of [
        "",
        "@",
        "alice",
        "@a b",
        "@a@b",
        "@a:b",
        "@...",
        "@a\n",
        `@${"a".repeat(56)}`,
        "@a!",
      ]) {
        expect(normalise(bad), bad).toBe(-9);
      }
    });
  });
}
