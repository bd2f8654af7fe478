// SPDX-License-Identifier: BSD-3-Clause
// As much of MQTT 3.1.1 as it takes to publish and to receive with QoS 1.
import type { TLSSocket } from "node:tls";
import { type Endpoint, openLink } from "./measuring/rawLink.ts";

const CONNECT = 0x10;
const CONNACK = 0x20;
const PUBLISH_QOS1 = 0x32;
const PUBLISH = 0x30;
const PUBACK = 0x40;
const SUBSCRIBE = 0x82;
const SUBACK = 0x90;
const CLEAN_SESSION = 0x02;
const PROTOCOL_LEVEL = 4;
const MAX_PACKET_ID = 0xffff;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** A packet: type, remaining length (MQTT 3.1.1, §2.2.3), body. */
function packet(type: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

export class MqttLink {
  /** Called for each message that arrives, after it was acknowledged. */
  onMessage: () => void = () => undefined;
  private readonly socket: TLSSocket;
  private held: Buffer = Buffer.alloc(0);
  private readonly awaited = new Map<number, () => void>();
  private packetId = 0;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
  }

  static async open(endpoint: Endpoint, clientId: string): Promise<MqttLink> {
    const link = new MqttLink(await openLink(endpoint));
    const header = Buffer.from([PROTOCOL_LEVEL, CLEAN_SESSION, 0, 0]);
    const connected = link.expect(CONNACK);
    link.socket.write(packet(CONNECT, Buffer.concat([text("MQTT"), header, text(clientId)])));
    await connected;
    return link;
  }

  async subscribe(topic: string): Promise<void> {
    const taken = this.expect(SUBACK);
    this.socket.write(
      packet(SUBSCRIBE, Buffer.concat([this.nextId(), text(topic), Buffer.from([1])])),
    );
    await taken;
  }

  /** Publishes with QoS 1; the acknowledgement is not waited for. */
  publish(topic: string, payload: Buffer): void {
    this.socket.write(packet(PUBLISH_QOS1, Buffer.concat([text(topic), this.nextId(), payload])));
  }

  close(): void {
    this.socket.destroy();
  }

  private expect(type: number): Promise<void> {
    return new Promise((resolve) => this.awaited.set(type, resolve));
  }

  private nextId(): Buffer {
    this.packetId = (this.packetId % MAX_PACKET_ID) + 1;
    return Buffer.from([this.packetId >> 8, this.packetId & 0xff]);
  }

  private receive(chunk: Buffer): void {
    let bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const replies: Buffer[] = [];
    for (;;) {
      let length = 0;
      let at = 1;
      let more = true;
      for (let shift = 0; more && at < bytes.length; shift += 7) {
        const digit = bytes[at++] ?? 0;
        length |= (digit & 0x7f) << shift;
        more = digit > 0x7f;
      }
      if (more || bytes.length < at + length) break;
      this.take(bytes[0] ?? 0, bytes.subarray(at, at + length), replies);
      bytes = bytes.subarray(at + length);
    }
    this.held = bytes;
    if (replies.length > 0) this.socket.write(Buffer.concat(replies));
  }

  private take(type: number, body: Buffer, replies: Buffer[]): void {
    if ((type & 0xf0) === PUBLISH) {
      const idAt = 2 + body.readUInt16BE(0);
      replies.push(packet(PUBACK, body.subarray(idAt, idAt + 2)));
      this.onMessage();
      return;
    }
    this.awaited.get(type & 0xf0)?.();
    this.awaited.delete(type & 0xf0);
  }
}
