// SPDX-License-Identifier: BSD-3-Clause
import type { TLSSocket } from "node:tls";
import { AtError, parseError } from "../wire/errors.ts";
import { LineReader, MAX_LINE_BYTES } from "../wire/line.ts";
import type { TlsIdentity } from "./config.ts";
import type { Address } from "./directoryLookup.ts";
import { openTls } from "./tlsClient.ts";

/** Cuts the prompt of an earlier reply off a reply line: all up to the last `@` before the first colon. */
function withoutPrompt(line: string): string {
  const text = line.trim();
  const colon = text.indexOf(":");
  const at = text.lastIndexOf("@", colon < 0 ? text.length : colon);
  return text.slice(at + 1);
}

function isCertificateError(error: Error & { code?: string }): boolean {
  const code = error.code ?? "";
  return /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ERR_TLS|ERR_SSL/.test(code);
}

function connectError(peer: string, address: Address, cause: Error): AtError {
  const where = `${address.host}:${address.port}`;
  if (isCertificateError(cause)) {
    const text = `The certificate of ${peer} at ${where} was refused: ${cause.message}`;
    return new AtError("AT0008", text, { cause });
  }
  return new AtError("AT0004", `Unable to connect to ${peer} at ${where}: ${cause.message}`, {
    cause,
  });
}

interface Waiting {
  /** Bytes that are a whole answer although no line feed ends them (pol). */
  exact?: string;
  resolve(answer: string): void;
  reject(error: Error): void;
}

/** One TLS connection to another atServer; requests are answered in their order. */
export class PeerConnection {
  readonly peer: string;
  readonly address: Address;
  closed = false;
  /** Requests that were asked for and not answered yet. */
  busy = 0;
  /** Whether a request may be sent before the one in front of it is answered; undefined while nobody asked. */
  overlaps: boolean | undefined;
  private readonly socket: TLSSocket;
  private readonly reader = new LineReader(MAX_LINE_BYTES);
  private readonly waiting: Waiting[] = [];
  private corked = false;
  private queue: Promise<unknown> = Promise.resolve();
  private tail = "";

  private constructor(peer: string, address: Address, socket: TLSSocket) {
    this.peer = peer;
    this.address = address;
    this.socket = socket;
  }

  /** Connects, presenting the own certificate. Throws AT0004, or AT0008 for a certificate that can't be trusted. */
  static open(
    peer: string,
    address: Address,
    tls: TlsIdentity,
    timeoutMillis: number,
  ): Promise<PeerConnection> {
    return new Promise((resolve, reject) => {
      const socket = openTls(address, tls, true);
      const connection = new PeerConnection(peer, address, socket);
      const timer = setTimeout(() => socket.destroy(new Error("timed out")), timeoutMillis);
      socket.once("secureConnect", () => {
        clearTimeout(timer);
        resolve(connection);
      });
      socket.on("error", (error) => {
        clearTimeout(timer);
        const failure = connectError(peer, address, error);
        reject(failure);
        connection.fail(failure);
      });
      socket.on("data", (chunk) => connection.receive(chunk));
      socket.on("close", () => {
        const text = `${peer} closed the connection`;
        const failure = new AtError("AT0004", text);
        reject(failure);
        connection.fail(failure);
      });
    });
  }

  /** Sends a command; the answer is what stands after `data:`. Throws what the peer says, AT0023 when it is silent. */
  async request(command: string, timeoutMillis: number): Promise<string> {
    const answer = await this.exchange(command, timeoutMillis);
    if (answer.startsWith("data:")) return answer.slice("data:".length);
    throw relayed(parseError(answer));
  }

  /** Sends `pol`; true when the peer answers with the prompt of a login. */
  async pol(own: string, timeoutMillis: number): Promise<boolean> {
    const exact = `${own}@`;
    return (await this.exchange("pol", timeoutMillis, exact)) === exact;
  }

  close(): void {
    this.socket.destroy();
  }

  private exchange(command: string, timeoutMillis: number, exact?: string): Promise<string> {
    this.busy += 1;
    const send = (): Promise<string> => this.send(command, timeoutMillis, exact);
    const run = this.overlaps === true ? send() : this.queue.then(send);
    this.queue = run.then(
      () => {
        this.busy -= 1;
      },
      () => {
        this.busy -= 1;
      },
    );
    return run;
  }

  private async send(
    command: string,
    timeoutMillis: number,
    exact: string | undefined,
  ): Promise<string> {
    if (this.closed) throw new AtError("AT0004", `${this.peer} closed the connection`);
    return await new Promise((resolve, reject) => {
      const { host, port } = this.address;
      const timer = setTimeout(() => {
        const text = `No response after ${timeoutMillis} millis from remote secondary ${this.peer} at ${host}:${port}`;
        this.fail(new AtError("AT0023", text));
        this.socket.destroy();
      }, timeoutMillis);
      this.waiting.push({
        ...(exact !== undefined && { exact }),
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.tail = "";
      this.write(`${command}\n`);
    });
  }

  /** What is written in one turn leaves together. */
  private write(line: string): void {
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(line);
  }

  private receive(chunk: Buffer): void {
    const lines = this.reader.push(chunk);
    if (this.reader.overflowed) {
      this.fail(new AtError("AT0005", `${this.peer} sent more than ${MAX_LINE_BYTES} bytes`));
      this.socket.destroy();
      return;
    }
    for (const line of lines) this.answer(withoutPrompt(line ?? ""));
    const exact = this.waiting[0]?.exact;
    if (exact === undefined) return;
    this.tail = (this.tail + chunk.toString("utf8")).slice(-exact.length);
    if (this.tail === exact) this.answer(exact);
  }

  private answer(text: string): void {
    this.waiting.shift()?.resolve(text);
  }

  private fail(error: Error): void {
    this.closed = true;
    for (const waiting of this.waiting.splice(0)) waiting.reject(error);
  }
}

/** A peer's error as it is passed on: same code and words; an internal one also ends the own connection. */
function relayed(error: AtError): AtError {
  if (error.code !== "AT0011") return new AtError(error.code, error.message, { cause: error });
  return new AtError("AT0011", error.message, { cause: error, closes: true });
}
