// SPDX-License-Identifier: BSD-3-Clause
// The configuration of a device before its first start, as the bytes of its store: device/store.h says how they lie in flash,
// device/provisioning.h what the values are.
import { X509Certificate } from "node:crypto";
import { type Pin, pinsText } from "./pins.ts";

export interface Provisioning {
  /** "@greenhouse" */
  readonly atSign: string;
  /** The atDirectory, "host:port". */
  readonly directory: string;
  /** Names of application and device in the enrolment. */
  readonly app: string;
  readonly device: string;
  readonly namespaces: Readonly<Record<string, "r" | "rw">>;
  /** The one-time passcode, with its pairing code (passcode.ts); absent for a device that is enrolled. */
  readonly passcode?: string;
  /** An approving client's answer may come without IVs: whoever holds the atServer can read such a one. */
  readonly acceptLegacyAnswer?: boolean;
  /** The atSign that receives readings and may command. */
  readonly peer: string;
  /** Whose values are believed, and how their keys are known; absent: as before there were pins (pins.ts). */
  readonly pins?: readonly Pin[];
  /** Milliseconds between readings. */
  readonly intervalMs: number;
  /** "address mask gateway nameserver", dotted; absent: DHCP. */
  readonly network?: string;
  /** PEM of the certificates to trust. */
  readonly authorities: string;
}

/** What it costs to accept a legacy answer; said whenever somebody does. */
export const LEGACY_ANSWER_COST =
  "the answer to this device's enrolment may come without IVs: both keys are then under one keystream, and whoever holds the atServer can compute the atSign's self key from it";

const NUMBER = { configuration: 16, authorities: 17 } as const;
const FIELD = {
  atSign: 1,
  directory: 2,
  app: 3,
  device: 4,
  namespaces: 5,
  passcode: 12,
  legacyAnswer: 13,
  peers: 15,
  namespace: 32,
  peer: 33,
  interval: 34,
  network: 48,
} as const;

const PAGE = 256;
const LARGEST = { configuration: 512, authorities: 3072 } as const;

/** CRC-32 of IEEE 802.3. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}

function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const head = Buffer.alloc(3);
  head[0] = number;
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function configuration(provisioning: Provisioning): Buffer {
  const { namespaces, passcode, pins, network } = provisioning;
  const namespace = Object.keys(namespaces).find((name) => namespaces[name] === "rw");
  if (namespace === undefined) throw new RangeError('at least one namespace must be "rw"');
  const bytes = Buffer.concat([
    field(FIELD.atSign, provisioning.atSign),
    field(FIELD.directory, provisioning.directory),
    field(FIELD.app, provisioning.app),
    field(FIELD.device, provisioning.device),
    field(FIELD.namespaces, JSON.stringify(namespaces)),
    ...(passcode === undefined ? [] : [field(FIELD.passcode, passcode)]),
    ...(provisioning.acceptLegacyAnswer ? [field(FIELD.legacyAnswer, "1")] : []),
    ...(pins === undefined ? [] : [field(FIELD.peers, pinsText(pins))]),
    field(FIELD.namespace, namespace),
    field(FIELD.peer, provisioning.peer),
    field(FIELD.interval, String(provisioning.intervalMs)),
    ...(network === undefined ? [] : [field(FIELD.network, network)]),
  ]);
  if (bytes.length <= LARGEST.configuration) return bytes;
  throw new RangeError(`the configuration is longer than ${LARGEST.configuration} bytes`);
}

/** Every certificate of the PEM in DER, each after its length in two bytes. */
function authorities(pem: string): Buffer {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new RangeError("there is no certificate in the PEM");
  const bytes = Buffer.concat(
    blocks.map((block) => {
      const { raw } = new X509Certificate(block);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(raw.length);
      return Buffer.concat([length, raw]);
    }),
  );
  if (bytes.length <= LARGEST.authorities) return bytes;
  throw new RangeError(`the certificates are longer than ${LARGEST.authorities} bytes`);
}

function padded(bytes: Buffer): Buffer {
  const filling = (PAGE - (bytes.length % PAGE)) % PAGE;
  return Buffer.concat([bytes, Buffer.alloc(filling, 0xff)]);
}

function record(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(number);
  head.writeUInt16LE(value.length, 2);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(Buffer.concat([head, value])));
  return padded(Buffer.concat([Buffer.from("rec\u0001"), head, crc, value]));
}

/** The first bytes of a store that holds this and nothing else; the rest of it is erased flash. Throws RangeError. */
export function provisionedStore(provisioning: Provisioning): Buffer {
  const head = Buffer.concat([Buffer.from("atm2"), Buffer.of(1, 0, 0, 0)]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(head));
  return Buffer.concat([
    padded(Buffer.concat([head, crc])),
    record(NUMBER.configuration, configuration(provisioning)),
    record(NUMBER.authorities, authorities(provisioning.authorities)),
  ]);
}
