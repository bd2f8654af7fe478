// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";

export const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

export interface SessionOptions {
  port: number;
  authority: string;
  version: SecureVersion;
  /** A session to be resumed, if the server takes it. */
  session?: Buffer;
  /** Shown to the server. */
  identity?: { certificate: string; privateKey: string };
}

/** A client that knows whether its TLS session is a resumed one. */
export class TlsSession {
  readonly socket: TLSSocket;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
  }

  /** Connects, and asks something: the tickets of TLS 1.3 come behind the greeting, in front of an answer. */
  static async open(options: SessionOptions): Promise<TlsSession> {
    const { port, authority, version, session, identity } = options;
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: authority,
      minVersion: version,
      maxVersion: version,
      ...(session !== undefined && { session }),
      ...(identity !== undefined && { cert: identity.certificate, key: identity.privateKey }),
    });
    const opened = new TlsSession(socket);
    const [greeting] = await once(socket, "data");
    if (String(greeting) !== "@") throw new Error(`greeted with ${greeting}`);
    await opened.ask("noop:0");
    return opened;
  }

  /** What resumes this session. */
  get session(): Buffer | undefined {
    return this.socket.getSession();
  }

  get reused(): boolean {
    return this.socket.isSessionReused();
  }

  /** Sends a line and gives the first piece of the answer. */
  async ask(command: string): Promise<string> {
    this.socket.write(`${command}\n`);
    const [answer] = await once(this.socket, "data");
    return String(answer);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Connects, leaves again, and tells whether the session was resumed and which one to resume next. */
export async function visit(
  options: SessionOptions,
): Promise<{ reused: boolean; session: Buffer | undefined }> {
  const opened = await TlsSession.open(options);
  const { reused, session } = opened;
  opened.close();
  return { reused, session };
}
