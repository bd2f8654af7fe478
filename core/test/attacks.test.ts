// SPDX-License-Identifier: BSD-3-Clause
// A device against a lying server (core/AUTHENTICITY.md, section 14). core/test/weakened.slow.ts shows that each attack succeeds
// where its defence is missing.
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { ATTACKS, works } from "./session/attacks.ts";
import { Verdict } from "./session/device.ts";

for (const factory of engines) {
  describe(`attacks, on ${factory.name}`, () => {
    for (const [name, attack] of Object.entries(ATTACKS)) {
      test(`stopped: ${name}`, async () => {
        expect(await attack(factory)).toBe(false);
      });
    }

    test("from the first start on values are verified and sealed, and say how the peer is known", async () => {
      const first = Verdict.encrypted | Verdict.authentic | Verdict.fresh | Verdict.pinned;
      expect(await works(factory, "@bravo")).toBe(first);
      expect(await works(factory, "@bravo:hw9q-q8cb-ba2f-xmhk-3g0y *")).toBe(
        first | Verdict.provisioned,
      );
    });
  });
}
