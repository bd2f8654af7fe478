// SPDX-License-Identifier: BSD-3-Clause
// The options that say how a device knows its peer's key.
import { readCheckedDigits } from "./checkedDigits.ts";
import type { Pin } from "./pins.ts";

/** For parseArgs. */
export const PIN_OPTIONS = {
  fingerprint: { type: "string", multiple: true },
  "first-use": { type: "boolean" },
  "accept-unauthenticated": { type: "string", multiple: true },
} as const;

export const PIN_USAGE =
  "[--fingerprint @alice=5m63-60tn-mf51-ccq0-rv4g | --first-use] [--accept-unauthenticated @alice]";

/** What parseArgs makes of PIN_OPTIONS. */
export interface PinValues {
  readonly fingerprint?: readonly string[] | undefined;
  readonly "first-use"?: boolean | undefined;
  readonly "accept-unauthenticated"?: readonly string[] | undefined;
}

/** The 20 digits. Throws RangeError when one is wrong. */
export function readFingerprint(text: string): string {
  const digits = readCheckedDigits(text);
  if (digits !== null) return digits;
  throw new RangeError(
    "a fingerprint is 20 digits such as 5m63-60tn-mf51-ccq0-rv4g; one of these is wrong, or they are not 20",
  );
}

function readPin(text: string): Pin {
  const [atSign = "", fingerprint] = text.split("=", 2);
  if (fingerprint === undefined) {
    throw new RangeError("--fingerprint takes an atSign and its fingerprint: @alice=5m63-…");
  }
  return { atSign: atSign.toLowerCase(), fingerprint: readFingerprint(fingerprint) };
}

/** Pins by atSign, as the options say; without the peer when they say nothing of it. Throws RangeError. */
export function readPins(values: PinValues, peer: string): Pin[] {
  const pins = new Map<string, Pin>();
  for (const pin of values.fingerprint?.map(readPin) ?? []) {
    if (pins.has(pin.atSign)) throw new RangeError(`${pin.atSign} has two fingerprints`);
    pins.set(pin.atSign, pin);
  }
  if (values["first-use"] && pins.has(peer)) {
    throw new RangeError(`${peer} has a fingerprint: --first-use would not look at it`);
  }
  if (values["first-use"]) pins.set(peer, { atSign: peer });
  for (const text of values["accept-unauthenticated"] ?? []) {
    const atSign = text.toLowerCase();
    pins.set(atSign, { ...pins.get(atSign), atSign, acceptUnauthenticated: true });
  }
  return [...pins.values()];
}
