// SPDX-License-Identifier: BSD-3-Clause
// Whose values a device believes, and how it knows their keys (core/README.md, config_set 15; AT-AUTH-1, sections 2 and 8).

export interface Pin {
  /** "@alice" */
  readonly atSign: string;
  /** The 20 digits of its public key's fingerprint; absent: the first look-up is believed. */
  readonly fingerprint?: string;
  /** Values nobody vouches for are taken from it as well: for a sender whose software doesn't know AT-AUTH-1. */
  readonly acceptUnauthenticated?: boolean;
}

/** Most atSigns, and most bytes of their text. */
const LARGEST = { pins: 4, bytes: 192 } as const;

function entryOf({ atSign, fingerprint, acceptUnauthenticated }: Pin): string {
  if (!/^@[^\s:@+*]+$/u.test(atSign)) throw new RangeError("a pin must be of an atSign");
  return `${atSign}${fingerprint ? `:${fingerprint}` : ""}${acceptUnauthenticated ? "+" : ""}`;
}

/** "@alice:5m6360tnmf51ccq0rv4g @bob+". Throws RangeError when there are too many. */
export function pinsText(pins: readonly Pin[]): string {
  const text = pins.map(entryOf).join(" ");
  if (pins.length > LARGEST.pins || Buffer.byteLength(text) > LARGEST.bytes) {
    throw new RangeError(`at most ${LARGEST.pins} atSigns in ${LARGEST.bytes} bytes can be pinned`);
  }
  return text;
}

/** Of a device that was provisioned before there were pins: its peer at first use, others' values marked. */
export function earlierPinsText(peer: string): string {
  return `${peer} *`;
}
