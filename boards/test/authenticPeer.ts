// SPDX-License-Identifier: BSD-3-Clause
// A peer whose commands are authentic by AT-AUTH-1, written apart from the client: it can also say a thing twice, or earlier
// than it was said.
import { randomUUID } from "node:crypto";
import { type Count, type Direction, pinOf, sealShared } from "../../core/test/session/sealing.ts";
import { groupedDigits } from "../../device/js/checkedDigits.ts";
import type { World } from "../../host/cli/world/world.ts";
import type { AtConnection } from "../../host/client/connection.ts";
import { openLoggedIn } from "../../host/client/session.ts";
import { type AtKeys, readKeyFile } from "../../host/crypto/keyFile.ts";
import { rsaDecrypt } from "../../host/crypto/rsa.ts";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/** The fingerprint of a pin: 90 bits and their check in base 32. */
function fingerprintOf(pin: Buffer): string {
  const value = BigInt(`0x${pin.subarray(0, 12).toString("hex")}`) >> 6n;
  const digit = (place: number) => DIGITS[Number((value >> BigInt(5 * place)) & 31n)];
  const digits = Array.from({ length: 18 }, (_, i) => digit(17 - i)).join("");
  const check = Number(value % 1021n);
  return groupedDigits(`${digits}${DIGITS[check >> 5]}${DIGITS[check & 31]}`);
}

interface Peers {
  readonly from: string;
  readonly to: string;
  readonly namespace: string;
}

export class AuthenticPeer {
  /** How the device knows this peer. */
  readonly fingerprint: string;
  readonly #connection: AtConnection;
  readonly #keys: AtKeys;
  readonly #peers: Peers;
  #counter = 0;

  private constructor(connection: AtConnection, keys: AtKeys, peers: Peers) {
    this.#connection = connection;
    this.#keys = keys;
    this.#peers = peers;
    this.fingerprint = fingerprintOf(pinOf(peers.from, keys.encryptPublicKey));
  }

  static async open(world: World, peers: Peers): Promise<AuthenticPeer> {
    const keys = await readKeyFile(world.keyFile(peers.from), peers.from);
    const connection = await openLoggedIn(peers.from, keys, world.network);
    return new AuthenticPeer(connection, keys, peers);
  }

  close(): void {
    this.#connection.close();
  }

  /** What the device issued and the key of the values, as the atServers have them now. */
  async direction(): Promise<Direction> {
    const { from, to, namespace } = this.#peers;
    const issued = await this.#connection.request(
      `lookup:bypassCache:true:all:__auth1.${namespace}${to}`,
    );
    const { data, metaData } = JSON.parse(issued);
    const key = await this.#connection.request(`llookup:shared_key.${to.slice(1)}${from}`);
    return {
      ...this.#peers,
      issued: this.#open(data),
      epoch: Buffer.from(metaData.ivNonce, "base64"),
      key: this.#open(key),
    };
  }

  /** The line of a sealed notification; each has a higher number than the one before. */
  sealed(direction: Direction, name: string, value: string, instance = 1): string {
    const count: Count = [instance, ++this.#counter];
    const { from, to, namespace } = this.#peers;
    const key = `${to}:${name}.${namespace}${from}`;
    const { iv, value: ciphertext } = sealShared(direction, 1, key, count, value);
    return `update:messageType:key:isEncrypted:true:ivNonce:${iv}:${key}:${ciphertext}`;
  }

  /** Sends such a line, with an id of its own each time. */
  async send(line: string): Promise<void> {
    await this.#connection.request(`notify:id:${randomUUID()}:${line}`);
  }

  #open(wrapped: string): Buffer {
    return Buffer.from(rsaDecrypt(wrapped, this.#keys.encryptPrivateKey), "base64");
  }
}
