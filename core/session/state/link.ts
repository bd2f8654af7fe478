// SPDX-License-Identifier: BSD-3-Clause
// The one link to the outside, as the board reports it, and the line on its way out.
import { TX } from "../../memory";
import { lineReset } from "../../wire/line";

export const enum Link {
  Closed = 0,
  /** The board is to open it. */
  Wanted = 1,
  /** The board was told to open it. */
  Opening = 2,
  Open = 3,
  /** The other side closed it; what was received before still counts. */
  HungUp = 4,
  /** The board is to close it. */
  Unwanted = 5,
}

let link: Link = Link.Closed;
let sent: u32 = 0;
let length: u32 = 0;

export function linkState(): Link {
  return link;
}

/** Asks for a new link; the last one is closed. */
export function linkWant(): void {
  lineReset();
  sent = length = 0;
  link = Link.Wanted;
}

/** The board is being told to open the link. */
export function linkOpening(): void {
  link = Link.Opening;
}

/** Asks the board to close the link, if there is one. */
export function linkDrop(): void {
  sent = length = 0;
  if (link === Link.Opening || link === Link.Open) link = Link.Unwanted;
  else if (link !== Link.Unwanted) link = Link.Closed;
}

/** The board is being told to close the link: from now on it is closed. */
export function linkDropped(): void {
  link = Link.Closed;
}

/** The board: the link is open. */
export function linkOpened(): void {
  if (link === Link.Opening) link = Link.Open;
}

/** The board: the link broke, was closed by the other side, or could not be opened. */
export function linkLost(): void {
  if (link === Link.Opening || link === Link.Open) link = Link.HungUp;
}

/** The line of `len` bytes at TX is to be sent. */
export function linkSend(len: u32): void {
  sent = 0;
  length = len;
}

/** Bytes still to be sent, at linkPtr(). */
export function linkPending(): u32 {
  return length - sent;
}

export function linkPtr(): usize {
  return TX + sent;
}

/** The board has sent `len` bytes. */
export function linkPop(len: u32): void {
  sent += len;
}
