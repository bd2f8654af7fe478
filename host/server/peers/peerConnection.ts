// SPDX-License-Identifier: BSD-3-Clause
import type { TLSSocket } from "node:tls";
import { type Address, formatAddress } from "../../net/address.ts";
import { openTls } from "../../net/tlsClient.ts";
import { AtError, parseError } from "../../wire/errors.ts";
import { LineReader, MAX_LINE_BYTES } from "../../wire/line.ts";
import type { TlsIdentity } from "../config/config.ts";

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
  const where = formatAddress(address);
  if (isCertificateError(cause)) {
    const text = `The certificate of ${peer} at ${where} was refused: ${cause.message}`;
    return new AtError("AT0008", text, { cause });
  }
  return new AtError("AT0004", `Unable to connect to ${peer} at ${where}: ${cause.message}`, {
    cause,
  });
}

/** A request that was sent and isn't answered yet. */
interface Waiting {
  /** Bytes that are a whole answer although no line feed ends them (pol). */
  readonly exact?: string | undefined;
  answer(text: string): void;
  fail(error: Error): void;
}

/** What stands after `data:`, or the error the peer gave. */
function payloadOf(answer: string): string | AtError {
  if (answer.startsWith("data:")) return answer.slice("data:".length);
  return relayed(parseError(answer));
}

/** Answers to requests that were sent together; each is a payload or an error. */
class Answers implements Waiting {
  private readonly answers: (string | AtError)[] = [];
  private readonly expected: number;
  private readonly timer: NodeJS.Timeout;
  private readonly resolve: (answers: (string | AtError)[]) => void;

  constructor(
    expected: number,
    timer: NodeJS.Timeout,
    resolve: (answers: (string | AtError)[]) => void,
  ) {
    this.expected = expected;
    this.timer = timer;
    this.resolve = resolve;
  }

  answer(text: string): void {
    this.timer.refresh();
    this.take(payloadOf(text));
  }

  fail(error: Error): void {
    this.take(error instanceof AtError ? error : new AtError("AT0004", error.message));
  }

  private take(answer: string | AtError): void {
    if (this.answers.push(answer) < this.expected) return;
    clearTimeout(this.timer);
    this.resolve(this.answers);
  }
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
      const socket = openTls(address, tls);
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
    const payload = payloadOf(await this.exchange(command, timeoutMillis));
    if (payload instanceof AtError) throw payload;
    return payload;
  }

  /** Sends commands, to a peer that lets them overlap all at once; gives the payload or the error of each. */
  async requestAll(
    commands: readonly string[],
    timeoutMillis: number,
  ): Promise<(string | AtError)[]> {
    if (this.overlaps === true && !this.closed) return this.sendAll(commands, timeoutMillis);
    const answers: (string | AtError)[] = [];
    for (const command of commands) {
      const answer = this.request(command, timeoutMillis).catch((error: unknown) => {
        if (error instanceof AtError) return error;
        throw error;
      });
      answers.push(await answer);
    }
    return answers;
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
      const timer = this.deadline(timeoutMillis);
      this.waiting.push({
        exact,
        answer: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.tail = "";
      this.write(`${command}\n`);
    });
  }

  private async sendAll(
    commands: readonly string[],
    timeoutMillis: number,
  ): Promise<(string | AtError)[]> {
    this.busy += commands.length;
    const answers = await new Promise<(string | AtError)[]>((resolve) => {
      const waiting = new Answers(commands.length, this.deadline(timeoutMillis), resolve);
      for (const _ of commands) this.waiting.push(waiting);
      this.tail = "";
      this.write(`${commands.join("\n")}\n`);
    });
    this.busy -= commands.length;
    return answers;
  }

  private deadline(timeoutMillis: number): NodeJS.Timeout {
    return setTimeout(() => {
      const text = `No response after ${timeoutMillis} millis from remote secondary ${this.peer} at ${formatAddress(this.address)}`;
      this.fail(new AtError("AT0023", text));
      this.socket.destroy();
    }, timeoutMillis);
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
    this.waiting.shift()?.answer(text);
  }

  private fail(error: Error): void {
    this.closed = true;
    for (const waiting of this.waiting.splice(0)) waiting.fail(error);
  }
}

/** A peer's error as it is passed on: same code and words; an internal one also ends the own connection. */
function relayed(error: AtError): AtError {
  if (error.code !== "AT0011") return new AtError(error.code, error.message, { cause: error });
  return new AtError("AT0011", error.message, { cause: error, closes: true });
}
