// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { normalizeCommand } from "../../wire/command.ts";

/** Most bytes of a line, LF included, on a connection that nobody is logged in on. */
export const MAX_ANONYMOUS_LINE_BYTES = 65_536;
/** Most bytes of an `enroll:request` there, whose keys and metadata may be long. */
export const MAX_ENROLL_REQUEST_BYTES = 786_432;

/** Whether a line that begins so is an `enroll:request`, spelled in any way the verb takes. */
export function isEnrollRequest(start: Uint8Array): boolean {
  const text = Buffer.from(start).toString("latin1");
  return /^enroll:request/i.test(normalizeCommand(text));
}

/** Which connections may send a long `enroll:request`: one at a time of an address block. */
export class LongRequests {
  private readonly holders = new Map<string, object>();

  /** Whether a connection of an address block has its turn, which it then keeps until `release`. */
  claim(block: string, connection: object): boolean {
    const holder = this.holders.get(block) ?? connection;
    this.holders.set(block, holder);
    return holder === connection;
  }

  release(block: string, connection: object): void {
    if (this.holders.get(block) === connection) this.holders.delete(block);
  }
}
