// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "./errors.ts";
import { isNestedDeeper, JsonError, jsonLimits, MAX_JSON_DEPTH, parseJson } from "./json.ts";

/** Hash of the public key a value was encrypted for, in hexadecimal, and the algorithm that made it, such as `sha512`. */
export interface PublicKeyHash {
  hash: string;
  algo: string;
}

/** What a writer says about a record: times in ms, ttr in seconds. */
export interface MetadataValues {
  ttl?: number;
  ttb?: number;
  ttr?: number;
  ccd?: boolean;
  isBinary?: boolean;
  isEncrypted?: boolean;
  dataSignature?: string;
  sharedKeyEnc?: string;
  pubKeyCS?: string;
  pubKeyHash?: PublicKeyHash;
  encoding?: string;
  encKeyName?: string;
  encAlgo?: string;
  ivNonce?: string;
  skeEncKeyName?: string;
  skeEncAlgo?: string;
  immutable?: boolean;
  appMetadata?: Record<string, unknown>;
}

/** Metadata of a stored record: the writer's values and what the server adds. Instants are ms since the epoch. */
export interface Metadata extends MetadataValues {
  createdBy?: string;
  updatedBy?: string;
  createdAt?: number;
  updatedAt?: number;
  availableAt?: number;
  expiresAt?: number;
  refreshAt?: number;
  status?: string;
  version?: number;
}

/** The text options, in the order of the wire. */
export const textOptions = [
  "dataSignature",
  "sharedKeyEnc",
  "pubKeyCS",
  "encoding",
  "encKeyName",
  "encAlgo",
  "ivNonce",
  "skeEncKeyName",
  "skeEncAlgo",
] as const;
/** Name of a text option. */
export type TextOption = (typeof textOptions)[number];

/** Options as a command carries them: absent keeps the stored value, `null` clears it. */
export type MetadataOptions = {
  [K in keyof MetadataValues]: MetadataValues[K] | null;
} & { ttln?: number } & AssertedInstants;

/** Instants newer clients state themselves (`cAt`, `uAt`, `eAt`, `aAt`), ms since the epoch. */
export interface AssertedInstants {
  createdAt?: number;
  updatedAt?: number;
  expiresAt?: number;
  availableAt?: number;
}

const instantOptions = {
  cat: "createdAt",
  uat: "updatedAt",
  eat: "expiresAt",
  aat: "availableAt",
} as const satisfies Record<string, keyof AssertedInstants>;

const NAMES =
  "ttln|ttl|ttb|ttr|ccd|dataSignature|sharedKeyStatus|isBinary|isEncrypted|sharedKeyEnc|pubKeyCS|pubKeyHash|hashingAlgo|hash|algo|encoding|encKeyName|encAlgo|ivNonce|skeEncKeyName|skeEncAlgo|immutable|appMetadata";
const OPTION = `:(?:(?:${NAMES}):[^:@\\s]+|[cuea]At:\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z)`;

/**
 * Grammar of the metadata fragment, to be put into the grammars of update, update:meta and notify: any order, so that
 * what existing clients send is understood. The values are judged by `parseMetadataFragment`.
 */
export const METADATA_GRAMMAR = `(?<metadata>(?:${OPTION})*)`;

const NO_APP_METADATA = "appMetadata has to be base64 of a JSON object";
const MAX_APP_METADATA_BASE64 = 4 * Math.ceil(jsonLimits.appMetadata.characters / 3);

function invalid(detail: string): never {
  throw new AtError("AT0003", `Invalid syntax. ${detail}`);
}

function integer(name: string, text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    invalid(`${name} has to be a whole number`);
  }
  return value;
}

function flag(name: string, text: string): boolean {
  const value = text.toLowerCase();
  if (value !== "true" && value !== "false") invalid(`${name} has to be true or false`);
  return value === "true";
}

/** `2023-05-05T11:59:44.123000Z` to the millisecond. Throws AT0003 for a day or hour there isn't. */
export function assertedInstant(text: string): number {
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? invalid(`${text} is no instant`) : instant;
}

/** Text of `appMetadata`; not even decoded when it is too long. */
function decodeAppMetadata(base64: string): string {
  if (base64.length > MAX_APP_METADATA_BASE64) {
    return invalid(`appMetadata is longer than ${jsonLimits.appMetadata.characters} bytes`);
  }
  try {
    const bytes = Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return invalid(NO_APP_METADATA);
  }
}

function appMetadata(base64: string): Record<string, unknown> | null {
  if (base64 === "null") return null;
  const text = decodeAppMetadata(base64);
  try {
    const value = parseJson(text, jsonLimits.appMetadata);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return invalid(`${NO_APP_METADATA}, and this ${error.message}`);
  }
  return invalid(NO_APP_METADATA);
}

function checkTimes(options: MetadataOptions): void {
  if ((options.ttl ?? 0) < 0) {
    throw new AtError("AT0003", "Valid value for TTL should be greater than or equal to 0");
  }
  if ((options.ttb ?? 0) < 0) {
    throw new AtError("AT0003", "Valid value for TTB should be greater than or equal to 0");
  }
  if ((options.ttr ?? 0) < -1) {
    throw new AtError("AT0003", "Valid values for TTR are -1 and greater than or equal to 1");
  }
}

function splitFragment(fragment: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const match of fragment.matchAll(/:([A-Za-z]+):((?:(?<=At:)\d{4}-[^Z]*Z|[^:@\s]+))/g)) {
    const name = (match[1] ?? "").toLowerCase();
    if (found.has(name)) invalid(`${match[1]} is given twice`);
    found.set(name, match[2] ?? "");
  }
  return found;
}

type ReadOption = (options: MetadataOptions, text: string) => void;

/** How the value of each option is read, by its name in lower case. */
const readers: ReadonlyMap<string, ReadOption> = new Map([
  ...(["ttl", "ttb", "ttr", "ttln"] as const).map((name): [string, ReadOption] => [
    name,
    (options, text) => {
      options[name] = integer(name, text);
    },
  ]),
  ...(["ccd", "isBinary", "isEncrypted", "immutable"] as const).map(
    (name): [string, ReadOption] => [
      name.toLowerCase(),
      (options, text) => {
        options[name] = flag(name, text);
      },
    ],
  ),
  ...textOptions.map((name): [string, ReadOption] => [
    name.toLowerCase(),
    (options, text) => {
      options[name] = text === "null" ? null : text;
    },
  ]),
  ...Object.entries(instantOptions).map(([option, name]): [string, ReadOption] => [
    option,
    (options, text) => {
      options[name] = assertedInstant(text);
    },
  ]),
  [
    "appmetadata",
    (options, text) => {
      options.appMetadata = appMetadata(text);
    },
  ],
]);

function publicKeyHash(found: Map<string, string>): PublicKeyHash | null | undefined {
  const hash = found.get("pubkeyhash") ?? found.get("hash");
  const algo = found.get("hashingalgo") ?? found.get("algo");
  if (hash === "null") return null;
  return hash === undefined || algo === undefined ? undefined : { hash, algo };
}

/**
 * Reads a metadata fragment such as `:ttl:1000:isEncrypted:true` (atProtocol, metadata options): options in any order,
 * names and booleans in any letter case, the old and the new names of the public key hash. `sharedKeyStatus` is read and
 * left out. Throws AT0003.
 */
export function parseMetadataFragment(fragment: string): MetadataOptions {
  const options: MetadataOptions = {};
  if (fragment === "") return options;
  const found = splitFragment(fragment);
  for (const [name, text] of found) readers.get(name)?.(options, text);
  const hash = publicKeyHash(found);
  if (hash !== undefined) options.pubKeyHash = hash;
  checkTimes(options);
  return options;
}

/**
 * An application's own metadata as it may be sent: one that was kept before its depth had a limit, and is nested deeper, is
 * left out.
 */
export function sentAppMetadata({
  appMetadata,
}: Pick<MetadataOptions, "appMetadata">): Record<string, unknown> | undefined {
  if (isNestedDeeper(appMetadata, MAX_JSON_DEPTH)) return undefined;
  return appMetadata ?? undefined;
}

/** Base64 of the JSON object, as it goes over the wire. */
function encodeAppMetadata(value: Record<string, unknown>): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Writes the fragment in the order every atServer accepts; `null` options are written as the word null. */
export function formatMetadataFragment(options: MetadataOptions): string {
  const parts: string[] = [];
  const put = (name: string, value: unknown): void => {
    if (value !== undefined) parts.push(`:${name}:${value}`);
  };
  put("ttl", options.ttl ?? undefined);
  put("ttb", options.ttb ?? undefined);
  put("ttr", options.ttr ?? undefined);
  put("ccd", options.ccd ?? undefined);
  put("dataSignature", options.dataSignature);
  put("isBinary", options.isBinary ?? undefined);
  put("isEncrypted", options.isEncrypted ?? undefined);
  put("sharedKeyEnc", options.sharedKeyEnc);
  put("pubKeyCS", options.pubKeyCS);
  put("pubKeyHash", options.pubKeyHash?.hash);
  put("hashingAlgo", options.pubKeyHash?.algo);
  for (const name of textOptions.slice(3)) put(name, options[name]);
  put("immutable", options.immutable ?? undefined);
  const appMetadata = sentAppMetadata(options);
  if (appMetadata) put("appMetadata", encodeAppMetadata(appMetadata));
  return parts.join("");
}

/** Last instant that has a date, ms since the epoch (ECMA-262, time values). */
export const LAST_INSTANT = 8.64e15;

/** `2024-10-21 09:46:48.982Z`, as metadata and notifications show an instant; later ones than a date can say end there. */
export function formatTime(epochMillis: number): string {
  const instant = Math.max(-LAST_INSTANT, Math.min(epochMillis, LAST_INSTANT));
  return new Date(instant).toISOString().replace("T", " ");
}

/** Reads such a text, with a space or a `T`; undefined when it isn't one. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const millis = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(millis) ? undefined : millis;
}

const times = ["createdAt", "updatedAt", "availableAt", "expiresAt", "refreshAt"] as const;
const numbers = ["version", "ttl", "ttb", "ttr"] as const;
const flags = ["ccd", "isBinary", "isEncrypted", "immutable"] as const;
const texts = ["createdBy", "updatedBy", "status", ...textOptions] as const;

const memberOrder = [
  "createdBy",
  "updatedBy",
  ...times,
  "status",
  ...numbers,
  "ccd",
  "isBinary",
  "isEncrypted",
  "dataSignature",
  "sharedKeyEnc",
  "pubKeyCS",
  "pubKeyHash",
  ...textOptions.slice(3),
  "immutable",
  "appMetadata",
] as const satisfies (keyof Metadata)[];

/** The metadata object of `llookup:meta` and of `metaData` in `:all`, members in protocol order, absent ones left out. */
export function metadataToJson(metadata: Metadata): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const name of memberOrder) {
    const value = name === "appMetadata" ? sentAppMetadata(metadata) : metadata[name];
    if (value === undefined) continue;
    json[name] =
      typeof value === "number" && (times as readonly string[]).includes(name)
        ? formatTime(value)
        : value;
  }
  return json;
}

/** The same members for sync, where every value is a text: numbers and booleans in words, appMetadata as base64. */
export function metadataToText(metadata: Metadata): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadataToJson(metadata))) {
    if (name === "appMetadata") text[name] = encodeAppMetadata(metadata.appMetadata ?? {});
    else text[name] = typeof value === "object" ? JSON.stringify(value) : String(value);
  }
  return text;
}

/** A number, or its text, as a whole number that is exact; undefined for anything else. */
function numberOf(value: unknown): number | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const number = value === "" ? Number.NaN : Math.trunc(Number(value));
  if (Number.isNaN(number)) return undefined;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(number, Number.MAX_SAFE_INTEGER));
}

function flagOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** Reads such an object leniently: null is absent, numbers and booleans may be strings, times may have a `T`. */
export function metadataFromJson(json: Record<string, unknown>): Metadata {
  const metadata: Metadata = {};
  for (const name of times) metadata[name] = parseTime(json[name]);
  for (const name of numbers) metadata[name] = numberOf(json[name]);
  for (const name of flags) metadata[name] = flagOf(json[name]);
  for (const name of texts) {
    const value = json[name];
    if (typeof value === "string" && value !== "null") metadata[name] = value;
  }
  const hash = json.pubKeyHash;
  if (typeof hash === "object" && hash !== null) {
    const { hash: value, algo } = hash as Record<string, unknown>;
    if (typeof value === "string" && typeof algo === "string") {
      metadata.pubKeyHash = { hash: value, algo };
    }
  }
  const app = json.appMetadata;
  if (typeof app === "object" && app !== null && !Array.isArray(app)) {
    metadata.appMetadata = app as Record<string, unknown>;
  }
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => value !== undefined),
  ) as Metadata;
}
