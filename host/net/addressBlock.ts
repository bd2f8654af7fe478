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

/** Groups of what one customer of a provider is given at most, the first 48 bits (RFC 6177). */
const SITE_GROUPS = 3;

/** The first groups of an IPv6 address as a prefix, an IPv4 address as it is; a zone is left out. */
function prefix(address: string, groups: number): string {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return address;
  const all = expand(plain);
  const shown = all.slice(0, groups).map((group) => group.toString(16));
  return mapped(all) ?? `${shown.join(":")}::/${groups * 16}`;
}

/** What counts as one site, where many addresses may belong to one owner: of an IPv6 address its /48. */
export function addressSite(address: string): string {
  return prefix(address, SITE_GROUPS);
}

/**
 * What counts as one address when something is limited per address: an IPv4 address itself, of an IPv6 address its /64
 * (`2001:db8:0:1::/64`), in one spelling; a zone is left out. Anything else is given back as it is.
 */
export function addressBlock(address: string): string {
  return prefix(address, NETWORK_GROUPS);
}
