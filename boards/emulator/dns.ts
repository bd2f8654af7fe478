// SPDX-License-Identifier: BSD-3-Clause

export const DNS_PORT = 53;

const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
const NAME_ERROR = 3;
const TTL_SECONDS = 60;

/** The question's name and where it ends; null when the message is cut short or compresses its name. */
function question(message: Buffer): { name: string; end: number } | null {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; ; ) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at++;
    if (length === 0)
      return at + 4 <= message.length ? { name: labels.join("."), end: at + 4 } : null;
    labels.push(message.toString("latin1", at, at + length));
    at += length;
  }
}

/** Answers one query for an address (RFC 1035, §4); null for anything else. */
export function answerDns(
  query: Uint8Array,
  resolve: (name: string) => string | undefined,
): Uint8Array | null {
  const message = Buffer.from(query);
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return null;
  const asked = question(message);
  if (!asked) return null;
  const isAddress =
    message.readUInt16BE(asked.end - 4) === TYPE_A &&
    message.readUInt16BE(asked.end - 2) === CLASS_IN;
  const ip = isAddress ? resolve(asked.name.toLowerCase()) : undefined;
  const head = Buffer.from(message.subarray(0, asked.end));
  // QR and RD, RA; the answer's name points back to the question's.
  head.writeUInt16BE(0x8180 | (ip === undefined ? NAME_ERROR : 0), 2);
  head.writeUInt16BE(ip === undefined ? 0 : 1, 6);
  head.fill(0, 8, HEADER_BYTES);
  if (ip === undefined) return head;
  const answer = Buffer.alloc(16);
  answer.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  answer.writeUInt16BE(TYPE_A, 2);
  answer.writeUInt16BE(CLASS_IN, 4);
  answer.writeUInt32BE(TTL_SECONDS, 6);
  answer.writeUInt16BE(4, 10);
  answer.set(ip.split(".").map(Number), 12);
  return Buffer.concat([head, answer]);
}
