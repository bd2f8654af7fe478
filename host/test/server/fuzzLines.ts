// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { Random } from "../random.ts";

const UUID = "4af24c03-d732-48f8-a9a2-570e8fb6a01c";

/** Words lines are made of: good ones, odd ones, and ones that break naive readers. */
const WORDS: readonly string[] = [
  ...["phone.wavi", "a", "x.y.z", "publickey", "signing_privatekey", "shared_key", "at_secret"],
  ...["@alice", "@bob", "@nobody", "alice", "@", "@@", "@a@b", "🦄", "ü", "\u0000", "\ufeff", "\r"],
  ...[
    "0",
    "1",
    "-1",
    "-2",
    "60000",
    "9007199254740993",
    "1e9",
    "0x10",
    "NaN",
    "99999999999999999999",
  ],
  ...["true", "false", "TRUE", "null", "undefined", "public", "private", "cached", "privatekey"],
  ...[
    "update",
    "delete",
    "key",
    "text",
    "all",
    "meta",
    "latest",
    "SYSTEM",
    "__proto__",
    "constructor",
  ],
  ...[
    UUID,
    "2024-01-01",
    "9999-99-99",
    "AAAA",
    "====",
    "%00",
    "..",
    "atsign://@alice/x",
    "$&",
    "\\",
  ],
];

const METADATA = [
  ...["ttl", "ttb", "ttr", "ccd", "isBinary", "isEncrypted", "dataSignature", "sharedKeyEnc"],
  ...["pubKeyCS", "hashingAlgo", "pubKeyHash", "encoding", "encKeyName", "encAlgo", "ivNonce"],
  ...["skeEncKeyName", "skeEncAlgo", "immutable", "appMetadata"],
];

/** One line a verb and form; `%w` becomes a word, `%m` metadata options, `%k` a key, `%j` a JSON value. */
const FORMS: readonly string[] = [
  ...["from:%w", "from:@alice:clientConfig:%j", 'from:@alice:clientConfig:{"version":%j}'],
  ...["cram:%w", "pkam:%w", "pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha512:enrollmentId:%w:%w"],
  ...["pol", "scan", "scan %w", "scan:showhidden:true %w", "scan:%w %w", "scan:page:%w"],
  ...["update:%m:%k %w", "update:%k %w", "update:public:%k %w", "update:json:%j"],
  'update:json:{"atKey":%j,"value":%j,"sharedBy":"alice","sharedWith":%j,"metadata":%j}',
  'update:json:{"atKey":"a.b","value":%j,"sharedBy":"alice","metadata":{"isPublic":%j,"isBinary":false,"isEncrypted":true,"ttl":%j,"pubKeyHash":%j}}',
  ...["update:meta:%k:%m", "llookup:%k", "llookup:all:%k", "llookup:meta:cached:%k", "lookup:%k"],
  ...["lookup:bypassCache:%w:all:%k", "plookup:%k", "plookup:bypassCache:true:meta:%k"],
  ...["delete:%k", "delete:cached:%k", "delete:force:%k", "delete:privatekey:%w"],
  ...["notify:%k", "notify:id:%w:update:messageType:key:notifier:%w:%m:%k:%w", "notify:delete:%k"],
  ...["notify:messageType:text:@alice:%w", "notify:strategy:latest:latestN:%w:notifier:w:%k:%w"],
  ...[
    "notify:ttln:%w:ttr:%w:@alice:%k:%w",
    "notify:list",
    "notify:list:%w:%w:%w",
    "notify:list:%w",
  ],
  ...["notify:status:%w", "notify:fetch:%w", "notify:remove:%w", "notify:all:%w:%k:%w"],
  ...[
    "monitor",
    "monitor:strict:selfNotifications:multiplexed:%w %w",
    "monitor %w",
    "info",
    "info:%w",
  ],
  ...["otp:get", "otp:get:ttl:%w", "otp:put:%w:ttl:%w", "keys:get:%w", "keys:get:keyName:%w"],
  ...["keys:put:public:namespace:%w:keyType:%w:keyName:%w %w", "keys:delete:keyName:%w"],
  ...["enroll:list", "enroll:list:%j", "enroll:request:%j", "enroll:fetch:%j", "enroll:%w:%j"],
  'enroll:request:{"appName":%j,"deviceName":%j,"namespaces":%j,"apkamPublicKey":%j,"otp":%j}',
  'enroll:request:{"appName":"a","deviceName":%j,"namespaces":{"wavi":%j},"encryptedAPKAMSymmetricKey":%j,"apkamKeysExpiryInMillis":%j}',
  'enroll:approve:{"enrollmentId":%j,"encryptedDefaultEncryptionPrivateKey":%j}',
  ...["enroll:revoke:force:%j", 'enroll:list:{"enrollmentStatusFilter":%j}', "enroll:delete:%j"],
  ...["stats", "stats:%w", "stats:3:%w", "stats:15:%w,%w", "sync:from:%w", "sync:%w:%w"],
  ...["sync:from:%w:limit:%w:%w", "sync:from:-1:skipDeletesUntil:%w:limit:%w", "config:block:show"],
  ...["config:print:%w", "batch:%j", 'batch:[{"id":%j,"command":%j},{"id":2,"command":"scan"}]'],
  ...[
    "stream:resume%w",
    "stream:init%w namespace:%w %w %w %w",
    "stream:done %w",
    "to:%w",
    "%w",
    "%w:%w",
  ],
];

const SPECIAL: readonly string[] = [
  ":",
  "@",
  " ",
  ".",
  "{",
  "}",
  '"',
  "\\",
  "\t",
  "\r",
  "\u0000",
  "é",
  "🦄",
  "\u2028",
];
const MAX_DEPTH = 4;

function repeated(random: Random, least: number, most: number, make: () => string): string[] {
  return Array.from({ length: least + random.below(most - least + 1) }, make);
}

function jsonValue(random: Random, depth = 0): string {
  const choice = random.below(depth < MAX_DEPTH ? 9 : 6);
  if (choice < 3) return JSON.stringify(random.pick(WORDS));
  if (choice === 3) return random.pick(["true", "false", "null"]);
  if (choice === 4) return random.pick(["0", "-1", "1.5", "1e400", "-0", "9007199254740993"]);
  if (choice === 5) return random.pick(['""', '"\\u0000"', '"\\ud800"', "{}", "[]", '"*"', '"rw"']);
  if (choice === 6)
    return `[${repeated(random, 0, 4, () => jsonValue(random, depth + 1)).join(",")}]`;
  const members = repeated(random, 0, 4, () => {
    const name = random.pick(["enrollmentId", "value", "version", "id", "command", ...WORDS]);
    return `${JSON.stringify(name)}:${jsonValue(random, depth + 1)}`;
  });
  return `{${members.join(",")}}`;
}

function metadata(random: Random): string {
  const options = repeated(random, 1, 4, () => {
    const name = METADATA[random.below(METADATA.length)] ?? "ttl";
    return `${name}:${random.pick(WORDS)}`;
  });
  return options.join(":");
}

function key(random: Random): string {
  const scope = random.pick([
    "",
    "",
    "public:",
    "private:",
    "@bob:",
    "@alice:",
    "cached:@bob:",
    "@:",
  ]);
  return `${scope}${random.pick(WORDS)}.wavi${random.pick(["@alice", "@alice", "@bob", "", "@@"])}`;
}

function fill(form: string, random: Random): string {
  return form.replace(/%([wmkj])/g, (_, kind: string) => {
    switch (kind) {
      case "m":
        return metadata(random);
      case "k":
        return key(random);
      case "j":
        return jsonValue(random);
      default:
        return random.pick(WORDS);
    }
  });
}

/** Puts in, takes out, doubles or swaps a little somewhere. */
function mutate(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const end = at + random.below(8);
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at) + random.pick(SPECIAL) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return (
        text.slice(0, end) + text.slice(at, end).repeat(1 + random.below(50)) + text.slice(end)
      );
    case 3:
      return text.slice(0, at) + random.pick(WORDS) + text.slice(end);
    default:
      return text.toUpperCase();
  }
}

/** A line without its line feed: a command of some verb, well-formed or not, or just bytes. */
export function fuzzLine(random: Random): Buffer {
  if (random.below(20) === 0) return withoutLineFeed(Buffer.from(random.bytes(random.below(300))));
  let text = fill(random.pick(FORMS), random);
  for (let i = random.below(4); i > 0; i--) text = mutate(text, random);
  return withoutLineFeed(Buffer.from(text, "utf8"));
}

function withoutLineFeed(bytes: Buffer): Buffer {
  return bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)) as Buffer;
}

const HEADS = FORMS.map((form) => form.replace(/%.*$/s, ""));
const REPEATED = [
  ...[":", "@", "a:", ":@", "a@", " ", "ttl:1:", "update:", "{", "[[", '"', "\\", ".", "🦄"],
  "enrollmentId:",
];

export const LONG_LINES = HEADS.length * REPEATED.length;

/** One of `LONG_LINES`: the beginning of a verb's line, and so many bytes its grammar could backtrack over. */
export function longLine(index: number, length: number): Buffer {
  const head = HEADS[index % HEADS.length] ?? "";
  const unit = REPEATED[Math.floor(index / HEADS.length) % REPEATED.length] ?? "";
  return Buffer.from(head + unit.repeat(length / unit.length));
}
