// SPDX-License-Identifier: BSD-3-Clause
import { isIPv6 } from "node:net";

/** Groups of an IPv6 address that name its network: the first 64 bits, of which one household or machine has at least one. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

/** The last 32 bits in dotted form become two groups. */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const group = (high: string, low: string): string =>
      (Number(high) * 256 + Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
}

function expand(address: string): number[] {
  const [head = "", tail] = withoutDots(address).split("::");
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  const missing = GROUPS - before.length - after.length;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

/** The IPv4 address in `::ffff:a.b.c.d`. */
function mapped(groups: readonly number[]): string | undefined {
  if (groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * What counts as one address when something is limited per address: an IPv4 address itself, of an IPv6 address its /64
 * (`2001:db8:0:1::/64`), in one spelling; a zone is left out. Anything else is given back as it is.
 */
export function addressBlock(address: string): string {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return address;
  const groups = expand(plain);
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
  return mapped(groups) ?? `${network.join(":")}::/64`;
}
