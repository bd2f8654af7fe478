// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBlock, addressSite } from "../../net/addressBlock.ts";

describe("what counts as one address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:c000:207", "192.0.2.7"],
    ["2001:db8:0:1::", "2001:db8:0:1::/64"],
    ["2001:DB8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"],
    ["2001:db8::1:2:3:4", "2001:db8:0:0::/64"],
    ["2001:0db8:0000:0001:0000:0000:192.0.2.7", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
    ["no address", "no address"],
  ])("of %s is %s", (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });

  it("is the same for all of a /64, and another one for the next", () => {
    fc.assert(
      fc.property(
        fc.tuple(...Array.from({ length: 8 }, () => fc.nat({ max: 0xffff }))),
        fc.array(fc.nat({ max: 0xffff }), { minLength: 4, maxLength: 4 }),
        (groups, host) => {
          // Not one of ::ffff:0:0/96, which is IPv4.
          const network = [(groups[0] ?? 0) | 1, ...groups.slice(1, 4)];
          const text = (parts: readonly number[]): string =>
            parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
          const block = addressBlock(text([...network, ...groups.slice(4)]));
          expect(addressBlock(text([...network, ...host]))).toBe(block);
          const next = [...network.slice(0, 3), (network[3] ?? 0) ^ 1];
          expect(addressBlock(text([...next, ...host]))).not.toBe(block);
        },
      ),
    );
  });
});

describe("what counts as one site", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:0:1::", "2001:db8:0::/48"],
    ["2001:db8:0:ffff:1::", "2001:db8:0::/48"],
    ["2001:db8:1::", "2001:db8:1::/48"],
    ["no address", "no address"],
  ])("of %s is %s", (address, site) => {
    expect(addressSite(address)).toBe(site);
  });
});
