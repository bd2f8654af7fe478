// SPDX-License-Identifier: BSD-3-Clause
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomUUID,
  verify,
} from "node:crypto";
import identities from "../vectors/interop/00-identities.json" with { type: "json" };

/** A record of the scripted atServer: the value, and the metadata of `lookup:all`. */
export type Item = { value: string; meta?: Record<string, unknown> };

/** One connection to the scripted atDirectory or atServer; `send` is what goes to the device. */
export type Connection = {
  kind: "directory" | "server";
  received: string;
  out: string[];
  challenge: string;
  loggedIn: boolean;
  monitor: { epoch: number } | undefined;
  closed: boolean;
};

type Enrollment = {
  id: string;
  name: string;
  status: "pending" | "approved" | "denied" | "revoked" | "expired";
  publicKey: string;
  symmetric: string;
};

export const alpha = identities["@alpha"];
export const bravo = identities["@bravo"];

/**
 * What a client's line is answered with: nothing to say goes on to the ordinary behaviour, "" is
 * silence, "cut" breaks.
 */
export type Hook = (line: string, connection: Connection) => string | undefined;

/**
 * @alpha's atServer, the atDirectory and what @alpha's atServer sees of @bravo: enough of the
 * protocol to tell right from wrong.
 */
export class World {
  records = new Map<string, Item>();
  enrollments = new Map<string, Enrollment>();
  passcodes = new Set<string>();
  notifications: { line: string; epoch: number }[] = [];
  /** Every line of the device, in order. */
  lines: string[] = [];
  connections: Connection[] = [];
  hook: Hook = () => undefined;
  directoryAnswer = "alpha.example:6464";
  legacyPkam: string | undefined = alpha.pkam.publicKeySpkiBase64;
  monitorClock = 1732000000000;

  constructor() {
    this.records.set("public:publickey@alpha", { value: alpha.encryption.publicKeySpkiBase64 });
    this.records.set("public:publickey@bravo", { value: bravo.encryption.publicKeySpkiBase64 });
  }

  open(address: string): Connection {
    const connection: Connection = {
      kind: address === "root.example:64" ? "directory" : "server",
      received: "",
      out: ["@"],
      challenge: "",
      loggedIn: false,
      monitor: undefined,
      closed: false,
    };
    this.connections.push(connection);
    return connection;
  }

  take(connection: Connection, text: string): void {
    connection.received += text;
    for (;;) {
      const end = connection.received.indexOf("\n");
      if (end < 0 || connection.closed) return;
      const line = connection.received.slice(0, end);
      connection.received = connection.received.slice(end + 1);
      this.lines.push(line);
      this.answer(connection, line);
    }
  }

  /** Keeps a notification and sends it to every monitor. */
  notify(json: Record<string, unknown>): void {
    const epoch = Number(json.epochMillis ?? this.monitorClock++);
    const line = `notification: ${JSON.stringify({ ...json, epochMillis: epoch })}\n`;
    this.notifications.push({ line, epoch });
    for (const connection of this.connections) {
      if (connection.monitor && !connection.closed) connection.out.push(line);
    }
  }

  private answer(connection: Connection, line: string): void {
    const special = this.hook(line, connection);
    if (special === "cut") connection.closed = true;
    else if (special === "answer and cut") {
      this.respond(connection, line);
      connection.closed = true;
      connection.out = [];
    } else if (special !== undefined) connection.out.push(special);
    else this.respond(connection, line);
  }

  private respond(connection: Connection, line: string): void {
    if (connection.kind === "directory") connection.out.push(`${this.directoryAnswer}\r\n@`);
    else {
      const reply = this.verb(connection, line);
      if (reply !== undefined) {
        connection.out.push(`${reply}\n${connection.loggedIn ? "@alpha@" : "@"}`);
      }
    }
  }

  private verb(connection: Connection, line: string): string | undefined {
    const [, verb = "", rest = ""] = /^([a-z]+)(.*)$/s.exec(line) ?? [];
    switch (verb) {
      case "from":
        connection.challenge = `_${randomUUID()}${rest.slice(1)}:${randomUUID()}`;
        return `data:${connection.challenge}`;
      case "pkam":
        return this.pkam(connection, rest.slice(1));
      case "enroll":
        return this.enroll(rest);
      case "lookup":
        if (!connection.loggedIn) return this.read(`public:${rest.slice(1)}`, false);
        return this.remote(rest.slice(1));
      case "noop":
        return "data:ok";
    }
    if (!connection.loggedIn)
      return "error:AT0401-Exception: Command cannot be executed without auth";
    switch (verb) {
      case "llookup":
        return this.read(rest.replace(/^:all:/, ":").slice(1), rest.startsWith(":all:"));
      case "plookup":
        return this.read(
          `public:${rest.replace(/^:all:/, ":").slice(1)}`,
          rest.startsWith(":all:"),
        );
      case "update":
        return this.update(rest);
      case "delete":
        this.records.delete(rest.slice(1));
        return "data:99";
      case "scan":
        return `data:${JSON.stringify([...this.records.keys()])}`;
      case "notify":
        return `data:${/^:id:([\w-]+)/.exec(rest)?.[1]}`;
      case "keys":
        return this.read(rest.replace(/^:get:keyName:/, ""), false);
      case "monitor":
        return this.monitor(connection, rest);
    }
    return "error:AT0003-Invalid syntax : invalid command";
  }

  private monitor(connection: Connection, rest: string): undefined {
    const epoch = Number(/:(\d+)/.exec(rest)?.[1] ?? Number.POSITIVE_INFINITY);
    connection.monitor = { epoch };
    for (const n of this.notifications) if (n.epoch > epoch) connection.out.push(n.line);
    return undefined;
  }

  // `lookup:` of another's record on an authenticated connection: shared with @alpha, or in the
  // cache.
  private remote(request: string): string {
    const key = request.replace(/^bypassCache:true:/, "");
    const all = key.startsWith("all:");
    const name = `@alpha:${all ? key.slice(4) : key}`;
    return this.read(name, all);
  }

  private read(key: string, all: boolean): string {
    const item = this.records.get(key);
    if (!item) return `error:AT0015-key not found : ${key} does not exist in keystore`;
    if (!all) return `data:${item.value}`;
    return `data:${JSON.stringify({ key, data: item.value, metaData: item.meta ?? {} })}`;
  }

  private update(rest: string): string {
    const space = rest.indexOf(" ");
    const head = rest.slice(0, space);
    const meta: Record<string, unknown> = {};
    let key = head;
    for (;;) {
      const m =
        /^:(ttl|ttr|dataSignature|isEncrypted|sharedKeyEnc|pubKeyCS|encoding|ivNonce):([^:]+)/.exec(
          key,
        );
      if (!m) break;
      meta[m[1] ?? ""] = m[1] === "isEncrypted" ? m[2] === "true" : m[2];
      key = key.slice(m[0].length);
    }
    this.records.set(key.slice(1), { value: rest.slice(space + 1), meta });
    return "data:11";
  }

  private enroll(rest: string): string {
    const json = JSON.parse(rest.slice(":request:".length)) as Record<string, string>;
    if (!this.passcodes.delete(json.otp ?? "")) {
      return "error:AT0011-Exception: invalid otp. Cannot process enroll request";
    }
    const name = `${json.appName}.${json.deviceName}`;
    for (const e of this.enrollments.values()) {
      if (e.name === name && (e.status === "pending" || e.status === "approved")) {
        return `error:AT0011-Exception: Another enrollment with id ${e.id} exists with the app name: ${json.appName} and device name: ${json.deviceName} in ${e.status} state`;
      }
    }
    const id = randomUUID();
    this.enrollments.set(id, {
      id,
      name,
      status: "pending",
      publicKey: json.apkamPublicKey ?? "",
      symmetric: json.encryptedAPKAMSymmetricKey ?? "",
    });
    return `data:{"enrollmentId":"${id}","status":"pending"}`;
  }

  private pkam(connection: Connection, rest: string): string {
    const m =
      /^signingAlgo:(ecc_secp256r1|rsa2048):hashingAlgo:sha256:(?:enrollmentId:([^:]+):)?([^:]+)$/.exec(
        rest,
      );
    if (!m) return "error:AT0003-Invalid syntax";
    const [, algorithm, id, signature = ""] = m;
    let key = this.legacyPkam;
    if (id) {
      const e = this.enrollments.get(id);
      if (!e || e.status === "expired")
        return `error:AT0028:enrollment_id: ${id} is expired or invalid`;
      const codes = { denied: "AT0025", pending: "AT0026", revoked: "AT0027" } as const;
      if (e.status !== "approved")
        return `error:${codes[e.status]}:enrollment_id: ${id} is ${e.status}`;
      key = e.publicKey;
    }
    const good =
      algorithm === "rsa2048"
        ? verifyRsa(key ?? "", connection.challenge, signature)
        : verifyP256(key ?? "", connection.challenge, signature);
    if (!good) return "error:AT0401-Exception: pkam authentication failed";
    connection.loggedIn = true;
    return "data:success";
  }
}

function verifyRsa(spki: string, challenge: string, signature: string): boolean {
  const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
  return verify("sha256", Buffer.from(challenge), key, Buffer.from(signature, "base64"));
}

// The stored key is the point in hexadecimal, the signature base64 of the hexadecimal digits of r
// and s.
function verifyP256(pointHex: string, challenge: string, signature: string): boolean {
  const point = Buffer.from(pointHex, "hex");
  if (point.length !== 65) return false;
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const rs = Buffer.from(Buffer.from(signature, "base64").toString("latin1"), "hex");
  return verify("sha256", Buffer.from(challenge), { key, dsaEncoding: "ieee-p1363" }, rs);
}

/** Hexadecimal MD5 of a public key's text, as pubKeyCS has it. */
export function checksumOf(spki: string): string {
  return createHash("md5").update(spki).digest("hex");
}

type Identity = { encryption: { publicKeySpkiBase64: string; privateKeyPkcs8Base64: string } };

/** RSA-wraps a key's text for an identity. */
export function wrapKey(text: string, identity: Identity): string {
  const der = Buffer.from(identity.encryption.publicKeySpkiBase64, "base64");
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const padding = constants.RSA_PKCS1_PADDING;
  return publicEncrypt({ key, padding }, Buffer.from(text)).toString("base64");
}

/**
 * Opens what wrapKey made, or the core. Node refuses RSA_PKCS1_PADDING here, so the padding is
 * taken off by hand.
 */
export function unwrapKey(wrapped: unknown, identity: Identity): string {
  const der = Buffer.from(identity.encryption.privateKeyPkcs8Base64, "base64");
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const padding = constants.RSA_NO_PADDING;
  const em = privateDecrypt({ key, padding }, Buffer.from(String(wrapped), "base64"));
  if (em[0] !== 0 || em[1] !== 2) throw new Error("no PKCS#1 block");
  return em.subarray(em.indexOf(0, 2) + 1).toString("latin1");
}

function ivOf(iv: unknown): Buffer {
  return typeof iv === "string" ? Buffer.from(iv, "base64") : Buffer.alloc(16);
}

/** AES-256-CTR over PKCS#7: a value as the protocol has it. */
export function encryptValue(text: string, key: string, iv?: unknown): string {
  const plain = Buffer.from(text);
  const pad = 16 - (plain.length % 16);
  const cipher = createCipheriv("aes-256-ctr", Buffer.from(key, "base64"), ivOf(iv));
  return cipher.update(Buffer.concat([plain, Buffer.alloc(pad, pad)])).toString("base64");
}

/** Undoes encryptValue. */
export function decryptValue(ciphertext: string, key: string, iv?: unknown): string {
  const decipher = createDecipheriv("aes-256-ctr", Buffer.from(key, "base64"), ivOf(iv));
  const padded = decipher.update(Buffer.from(ciphertext, "base64"));
  const pad = padded.at(-1) ?? 0;
  if (pad < 1 || pad > 16 || padded.length % 16 !== 0) throw new Error("impossible padding");
  return padded.subarray(0, padded.length - pad).toString("utf8");
}
