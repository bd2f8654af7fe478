// SPDX-License-Identifier: BSD-3-Clause
// A peer whose commands are authentic by AT-AUTH-1, written apart from the client: it can also say a thing twice, or earlier
// than it was said.
import { randomUUID } from "node:crypto";
import { type Count, type Direction, sealShared } from "../../core/test/session/sealing.ts";
import { fingerprintOf } from "../../device/js/fingerprint.ts";
import type { World } from "../../host/cli/world/world.ts";
import type { AtConnection } from "../../host/client/connection.ts";
import { openLoggedIn } from "../../host/client/session.ts";
import { type AtKeys, readKeyFile } from "../../host/crypto/keyFile.ts";
import { rsaDecrypt } from "../../host/crypto/rsa.ts";

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
    this.fingerprint = fingerprintOf(peers.from, keys.encryptPublicKey);
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
