// SPDX-License-Identifier: BSD-3-Clause
import { namedKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";

export interface KeyParts {
  cached?: boolean;
  public?: boolean;
  sharedWith?: string | undefined;
  atKey: string;
  owner?: string | undefined;
}

/**
 * The stored key a command names: `[cached:][public:|@for:]atKey[@owner]`, its atSigns in their one spelling. Throws AT0016
 * for one that is too long.
 */
export function commandKey(parts: KeyParts): string {
  const cached = parts.cached ? "cached:" : "";
  const sharedWith = parts.sharedWith === undefined ? "" : `${normalizeAtSign(parts.sharedWith)}:`;
  const owner = parts.owner === undefined ? "" : normalizeAtSign(parts.owner);
  const scope = `${cached}${parts.public ? "public:" : ""}${sharedWith}`;
  return namedKey(`${scope}${parts.atKey}${owner}`);
}

/** Throws AT0016 when a write names another owner. */
export function demandOwner(owner: string | undefined, own: string): void {
  if (owner === undefined || normalizeAtSign(owner) === own) return;
  throw new AtError(
    "AT0016",
    `Invalid update command - sharedBy atsign ${normalizeAtSign(owner)} should be same as current atsign ${own}`,
  );
}
