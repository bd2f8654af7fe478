// SPDX-License-Identifier: BSD-3-Clause
// The extensions of a certificate (RFC 5280, 4.2), of which node:crypto shows only some.
import type { Buffer } from "node:buffer";

/** Object identifiers as their DER bytes in hex. */
export const OID = {
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  nameConstraints: "551d1e",
  certificatePolicies: "551d20",
  policyMappings: "551d21",
  policyConstraints: "551d24",
  extKeyUsage: "551d25",
  inhibitAnyPolicy: "551d36",
  anyExtendedKeyUsage: "551d2500",
  serverAuth: "2b06010505070301",
} as const;

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
const EXTENSIONS = 0xa3;

/** Bits of keyUsage, counted from the first. */
const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The DER elements that follow each other in `bytes`. Throws RangeError for bytes that are not DER. */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    // The indefinite length is no DER; four bytes are more than any certificate needs.
    if (first === 0x80 || lengthBytes > 4) throw new RangeError("a length that is no DER");
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) throw new RangeError("an element longer than what holds it");
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function only(bytes: Buffer, tag: number): Buffer {
  const [element, ...more] = elements(bytes);
  if (element?.tag === tag && more.length === 0) return element.content;
  throw new RangeError("not the element expected");
}

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

function readExtension(content: Buffer): readonly [string, Extension] {
  const [oid, ...rest] = elements(content);
  const critical = rest[0]?.tag === BOOLEAN ? rest.shift() : undefined;
  const [value] = rest;
  if (oid === undefined || value?.tag !== OCTET_STRING) throw new RangeError("no extension");
  return [
    oid.content.toString("hex"),
    { critical: critical !== undefined && critical.content[0] !== 0, value: value.content },
  ];
}

/** What a certificate says of its own use. */
export class X509Extensions {
  private readonly held: ReadonlyMap<string, Extension>;

  /** `raw` is the certificate's DER. Throws RangeError for other bytes. */
  constructor(raw: Buffer) {
    const [toBeSigned] = elements(only(raw, SEQUENCE));
    if (toBeSigned?.tag !== SEQUENCE) throw new RangeError("no certificate");
    const list = elements(toBeSigned.content).find(({ tag }) => tag === EXTENSIONS);
    const each = list === undefined ? [] : elements(only(list.content, SEQUENCE));
    this.held = new Map(each.map(({ content }) => readExtension(content)));
  }

  /** Whether each critical extension is one of these. */
  onlyCritical(known: ReadonlySet<string>): boolean {
    return [...this.held].every(([oid, { critical }]) => !critical || known.has(oid));
  }

  /** How many authorities may stand below this one; undefined for no limit, -1 for a certificate of no authority. */
  pathLength(): number | undefined {
    const constraints = this.held.get(OID.basicConstraints);
    if (constraints === undefined) return -1;
    const [isAuthority, length] = elements(only(constraints.value, SEQUENCE));
    if (isAuthority?.tag !== BOOLEAN || isAuthority.content[0] === 0) return -1;
    if (length === undefined) return undefined;
    // Longer than one byte is longer than any path.
    if (length.tag !== INTEGER || length.content.length !== 1) return undefined;
    return length.content.readInt8(0);
  }

  mayCertify(): boolean {
    return this.hasUsage(KEY_CERT_SIGN);
  }

  maySign(): boolean {
    return this.hasUsage(DIGITAL_SIGNATURE);
  }

  /** Whether it is for TLS servers; true where nothing is said of its purpose. */
  isForServers(): boolean {
    const purposes = this.held.get(OID.extKeyUsage);
    if (purposes === undefined) return true;
    return elements(only(purposes.value, SEQUENCE)).some(({ content }) => {
      const oid = content.toString("hex");
      return oid === OID.serverAuth || oid === OID.anyExtendedKeyUsage;
    });
  }

  private hasUsage(bit: number): boolean {
    const usage = this.held.get(OID.keyUsage);
    if (usage === undefined) return true;
    const [bits] = elements(usage.value);
    const byte = bits?.content[1 + (bit >> 3)] ?? 0;
    return (byte & (0x80 >> (bit & 7))) !== 0;
  }
}
