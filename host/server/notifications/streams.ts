// SPDX-License-Identifier: BSD-3-Clause
import { AtError, quoted } from "../../wire/errors.ts";
import type { Session } from "../access/session.ts";

interface Stream {
  sender: Session;
  receiver?: Session;
}

/** Files on their way from one connection to another (atProtocol, the stream verb). */
export class Streams {
  private readonly streams = new Map<string, Stream>();

  /** Registers a connection as sender; one it registered before and nobody receives yet is given up. Throws AT0022. */
  open(id: string, sender: Session): void {
    if (this.streams.has(id)) throw new AtError("AT0022", `stream id ${quoted(id)} is in use`);
    for (const [earlier, stream] of this.streams) {
      if (stream.sender === sender) this.streams.delete(earlier);
    }
    this.streams.set(id, { sender });
  }

  /** Pairs the connection that asks for a stream with its sender, once. Throws AT0401. */
  receive(id: string, receiver: Session): void {
    const stream = this.demand(id);
    if (stream.receiver !== undefined || stream.sender === receiver) throw invalidStream();
    stream.receiver = receiver;
    stream.sender.relayTo(receiver);
    stream.sender.send(`stream:ack ${id}\n`);
  }

  /** Tells the sender that everything has arrived, and ends both connections. Throws AT0401. */
  finish(id: string): void {
    const { sender, receiver } = this.demand(id);
    this.streams.delete(id);
    sender.send(`stream:done ${id}\n`);
    sender.close();
    receiver?.close();
  }

  /** Ends what is left of an earlier attempt, before a stream is taken up again. */
  tearDown(id: string): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.delete(id);
    stream.receiver?.close();
    stream.sender.close();
  }

  /** Called when a connection is gone: the other end of its stream is closed too. */
  remove(session: Session): void {
    for (const [id, { sender, receiver }] of this.streams) {
      if (session !== sender && session !== receiver) continue;
      this.streams.delete(id);
      if (receiver === undefined) continue;
      (session === sender ? receiver : sender).close();
    }
  }

  private demand(id: string): Stream {
    const found = this.streams.get(id);
    if (found === undefined) throw invalidStream();
    return found;
  }
}

function invalidStream(): AtError {
  return new AtError("AT0401", "Invalid stream id");
}
