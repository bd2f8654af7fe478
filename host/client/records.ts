// SPDX-License-Identifier: BSD-3-Clause
import { rsaVerify } from "../crypto/rsa.ts";
import { type AtKey, canonicalKey, formatAtKey, keyType, parseAtKey } from "../wire/atkey.ts";
import { normalizeAtSign } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import { jsonLimits, parseJson } from "../wire/json.ts";
import {
  formatMetadataFragment,
  type Metadata,
  type MetadataOptions,
  metadataFromJson,
} from "../wire/metadata.ts";
import type { Decoded, Encoded, PlainValue, ValueCipher } from "./cipher.ts";
import type { Session } from "./session.ts";

/** A record that was read and decrypted. */
export type AtValue = {
  /** The record's key as the atServer names it, `cached:` included. */
  readonly key: string;
  readonly value: PlainValue;
  readonly metadata: Metadata;
  /** False for public records, and for plaintext that was accepted. */
  readonly encrypted: boolean;
};

/** Life (ttl), delay until visible (ttb) in ms; how long others may cache (ttr) in seconds, -1 for ever. */
export type PutOptions = {
  readonly ttl?: number | undefined;
  readonly ttb?: number | undefined;
  readonly ttr?: number | undefined;
  readonly ccd?: boolean | undefined;
};

/** How to read a record. */
export type GetOptions = {
  /** Ask the owner's atServer even when a copy is cached here. */
  readonly bypassCache?: boolean | undefined;
  /** Public records: check the owner's signature, reject when it is missing or wrong. */
  readonly verify?: boolean | undefined;
  /** Also read what is not public and came without encryption: anyone on its way could have written it. */
  readonly acceptPlaintext?: boolean | undefined;
};

/** Which keys to list. */
export type ScanOptions = {
  /** Anywhere in the key. */
  readonly regex?: string | undefined;
  readonly showHidden?: boolean | undefined;
  /** Another atSign, whose keys shared with me are listed. */
  readonly atSign?: string | undefined;
};

/** An atKey as the caller wrote it, judged: who owns it, who may read it. */
export type Target = {
  readonly key: string;
  readonly parts: AtKey;
  readonly owner: string;
  readonly kind: "public" | "self" | "shared";
};

/** Reads an atKey. Throws AT0016 for an invalid one. */
export function readAtKey(text: string): Target {
  const parts = parseAtKey(canonicalKey(text));
  const key = formatAtKey(parts);
  const type = keyType(key);
  const usable = /^(?:publicKey|selfKey|sharedKey|reservedKey|cached\w+)$/.test(type);
  if (!usable || parts.owner === undefined) {
    throw new AtError("AT0016", `"${text}" is not an atKey: write name.namespace@owner`);
  }
  const owner = normalizeAtSign(parts.owner);
  if (parts.visibility === "public") return { key, parts, owner, kind: "public" };
  const shared = parts.sharedWith !== undefined && parts.sharedWith !== owner;
  return { key, parts, owner, kind: shared ? "shared" : "self" };
}

/** Names the protocol uses for what every client relies on, whatever the scope they are written in. */
const RESERVED_NAME =
  /^(?:publickey|signing_publickey|signing_privatekey|shared_key(?:\..+)?|at_pkam_publickey|at_pkam_privatekey|at_secret|at_secret_deleted|self_encryption_key|blocklist|configkey)$/;

/** Throws AT0016 for a key that only the protocol itself may write. */
export function requireUnreserved({ key, parts }: Target): void {
  const name = formatAtKey(withoutScope(parts));
  const reserved = keyType(key) === "reservedKey" || RESERVED_NAME.test(name) || parts.cached;
  if (!reserved) return;
  const harm =
    "the keys that others encrypt to, and that devices are enrolled with, are kept there";
  throw new AtError("AT0016", `${key} is reserved for the protocol: ${harm}; choose another name`);
}

/** Put, get, delete and scan of one atSign's client. */
export class Records {
  private readonly atSign: string;
  private readonly session: Session;
  private readonly cipher: ValueCipher;

  constructor(atSign: string, session: Session, cipher: ValueCipher) {
    this.atSign = atSign;
    this.session = session;
    this.cipher = cipher;
  }

  /** Writes a record of this atSign; resolves to its commit id. Rejects as AtClient.put says. */
  async put(text: string, value: PlainValue, options: PutOptions): Promise<number> {
    const target = readAtKey(text);
    if (target.owner !== this.atSign) {
      throw new AtError("AT0009", `${this.atSign} can't write a record of ${target.owner}`);
    }
    requireUnreserved(target);
    const encoded = await this.encode(target, value);
    const { ttl, ttb, ttr, ccd } = options;
    const metadata = { ttl, ttb, ttr, ccd, ...saidInFull(encoded.metadata) };
    const fragment = formatMetadataFragment(metadata);
    const reply = await this.session.request(`update${fragment}:${target.key} ${encoded.text}`);
    if (encoded.complaint !== undefined) throw encoded.complaint;
    return commitId(reply);
  }

  /** Encrypts for whoever the key says may read. Rejects as the cipher's encodePublic, encodeSelf or encodeShared fails. */
  async encode(target: Target, value: PlainValue): Promise<Encoded> {
    if (target.kind === "public") return this.cipher.encodePublic(value);
    if (target.kind === "self") return this.cipher.encodeSelf(value);
    return await this.cipher.encodeShared(value, target.parts.sharedWith ?? "");
  }

  /** Reads a record and decrypts it. Rejects as AtClient.get says. */
  async get(text: string, options: GetOptions): Promise<AtValue> {
    const target = readAtKey(text);
    const reply = await this.session.request(this.lookup(target, "all", options.bypassCache));
    const { key, data, metadata } = readRecord(reply, target.key);
    if (target.kind === "public") {
      const { value, signed } = this.cipher.decodePublic(data, metadata);
      if (options.verify === true) await this.verify(target, signed, metadata);
      return { key, value, metadata, encrypted: false };
    }
    if (options.verify === true) throw notSigned(target);
    const accepted = options.acceptPlaintext === true;
    return { key, metadata, ...(await this.decode(target, data, metadata, accepted)) };
  }

  /** Metadata of a record. Rejects as AtClient.getMeta says. */
  async getMeta(text: string): Promise<Metadata> {
    const target = readAtKey(text);
    const reply = await this.session.request(this.lookup(target, "meta", undefined));
    if (reply === "null") throw notActive(target.key);
    return metadataFromJson(jsonObject(reply));
  }

  /** Deletes a record; resolves to the commit id. Rejects as AtClient.delete says. */
  async delete(text: string): Promise<number> {
    return commitId(await this.session.request(`delete:${readAtKey(text).key}`));
  }

  /** Keys as the atServer lists them; members that are not strings are left out. Rejects as AtClient.scan says. */
  async scan(options: ScanOptions): Promise<string[]> {
    const hidden = options.showHidden === true ? ":showhidden:true" : "";
    const of = options.atSign === undefined ? "" : `:${normalizeAtSign(options.atSign)}`;
    const regex = options.regex === undefined ? "" : ` ${options.regex}`;
    const reply = await this.session.request(`scan${hidden}${of}${regex}`);
    const keys = parseAnswer(reply);
    if (!Array.isArray(keys)) throw unreadable();
    return keys.filter((key) => typeof key === "string");
  }

  private lookup(target: Target, operation: "all" | "meta", bypassCache = false): string {
    const { key, owner, kind, parts } = target;
    if (owner === this.atSign || parts.cached) return `llookup:${operation}:${key}`;
    const name = formatAtKey({ ...withoutScope(parts), owner });
    const bypass = bypassCache ? "bypassCache:true:" : "";
    return `${kind === "public" ? "plookup" : "lookup"}:${bypass}${operation}:${name}`;
  }

  private async decode(
    target: Target,
    data: string,
    metadata: Metadata,
    accepted: boolean,
  ): Promise<Decoded> {
    if (metadata.isEncrypted === false) {
      return this.cipher.decodeUnprotected(data, metadata, target.key, accepted);
    }
    return { value: await this.decrypt(target, data, metadata), encrypted: true };
  }

  private async decrypt(target: Target, data: string, metadata: Metadata): Promise<PlainValue> {
    if (target.owner !== this.atSign) {
      return await this.cipher.decodeSharedWithMe(data, metadata, target.owner);
    }
    if (target.kind === "self") return this.cipher.decodeSelf(data, metadata);
    return await this.cipher.decodeSharedByMe(data, metadata, target.parts.sharedWith ?? "");
  }

  private async verify(target: Target, signed: string, metadata: Metadata): Promise<void> {
    const { dataSignature } = metadata;
    const own = target.owner === this.atSign;
    const publicKey = await this.session.request(
      own ? `llookup:public:publickey${target.owner}` : `plookup:publickey${target.owner}`,
    );
    if (dataSignature === undefined || !rsaVerify(signed, dataSignature, publicKey)) {
      throw notSigned(target);
    }
  }
}

/** What isn't mentioned may stay from the value before, and would make this one unreadable. */
function saidInFull(metadata: MetadataOptions): MetadataOptions {
  const { isBinary = false, encoding = null, ivNonce = null, isEncrypted } = metadata;
  return { ...metadata, isBinary, encoding, ...(isEncrypted && { ivNonce }) };
}

function notSigned({ key, owner }: Target): AtError {
  return new AtError("AT0014", `${key} is not signed by ${owner}`);
}

/** What a write is answered with. Throws AT0014. */
function commitId(reply: string): number {
  const id = Number(reply);
  if (/^-?\d+$/.test(reply) && Number.isSafeInteger(id)) return id;
  throw unreadable();
}

function withoutScope({ entity, namespace }: AtKey): AtKey {
  return { cached: false, entity, ...(namespace !== undefined && { namespace }) };
}

function readRecord(
  reply: string,
  asked: string,
): { key: string; data: string; metadata: Metadata } {
  if (reply === "null") throw notActive(asked);
  const { key, data, metaData } = jsonObject(reply);
  if (typeof data !== "string" || data === "null") throw notActive(asked);
  const metadata = typeof metaData === "object" && metaData !== null ? { ...metaData } : {};
  return {
    key: typeof key === "string" ? key : asked,
    data,
    metadata: metadataFromJson(metadata),
  };
}

/** `data:null` is how an atServer answers for a record that expired, isn't born yet or holds nothing. */
function notActive(key: string): AtError {
  return new AtError("AT0015", `${key} has no value now`);
}

/** The JSON object an atServer answered with. Throws AT0014 for anything else, and beyond jsonLimits.answer. */
export function jsonObject(text: string): Record<string, unknown> {
  const value = parseAnswer(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable();
  return { ...value };
}

function parseAnswer(text: string): unknown {
  try {
    return parseJson(text, jsonLimits.answer);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): AtError {
  return new AtError("AT0014", "the atServer's answer can't be read", { cause });
}
