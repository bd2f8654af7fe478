// SPDX-License-Identifier: BSD-3-Clause
import type { Arguments } from "../../server/verbs/verb.ts";

/** Alternatives for each part of a command, the usual one first; "" leaves it out. */
export type Slots = readonly (readonly string[])[];

const META: Slots = [
  ["", ":ttl:0", ":ttl:-1", ":ttl:", ":ttl:x", ":TTL:5"],
  ["", ":ttb:0", ":ttb:1.5"],
  ["", ":ttr:-1", ":ttr:86400"],
  ["", ":ccd:true", ":ccd:FALSE", ":ccd:yes", ":ccd:"],
  ["", ":dataSignature:a+/=", ":dataSignature:a b"],
  ["", ":sharedKeyStatus:x"],
  ["", ":isBinary:true", ":isBinary:1"],
  ["", ":isEncrypted:False", ":isencrypted:true"],
  ["", ":sharedKeyEnc:x==", ":sharedKeyEnc:x@y"],
  ["", ":pubKeyCS:0a"],
  ["", ":encoding:base64"],
  ["", ":encKeyName:k.n"],
  ["", ":encAlgo:AES/CTR"],
  ["", ":ivNonce:iv=="],
  ["", ":skeEncKeyName:n"],
  ["", ":skeEncAlgo:rsa"],
];
const TARGET: Slots = [
  ["", ":public", ":@bob", ":@", ":@b:@c", ":private", ":PUBLIC"],
  [":k.wavi", ":", ":k", ":k,x", ":k:x", ":k::x", ":@k", ":🦄"],
  ["@alice", "", "@", "@@alice", "@al ice", "@alice@", "@alice:"],
];

/** Lines of one verb, and which of them are read otherwise than published, and why. */
export interface Family {
  verb: string;
  slots: Slots;
  /** Read although the published grammar refuses them. */
  wider?: RegExp;
  /** Refused although the published grammar reads them, into these arguments. */
  narrower?: (published: Arguments, line: string) => boolean;
  /** Read into better arguments than the published grammar's. */
  otherwise?: (published: Arguments) => boolean;
}

export const families: readonly Family[] = [
  {
    verb: "from",
    slots: [
      ["from:", "FROM:", "fr om:", "from", "from::"],
      ["@alice", "alice", "", "@", "@@alice", "a b", "@🦄", "@al.ice"],
      ["", ':clientConfig:{"version":"3.0.57"}', ":clientConfig:{}", ":clientConfig:", ":x"],
    ],
  },
  {
    verb: "cram",
    slots: [
      ["cram:", "CRAM:", "cram"],
      ["0a", "", "a:b", " 0a"],
    ],
  },
  {
    verb: "pkam",
    slots: [
      ["pkam:", "PKAM:"],
      ["", "signingAlgo:rsa2048:", "signingAlgo:ECC_secp256r1:", "signingAlgo:rsa2047:"],
      ["", "hashingAlgo:sha256:", "hashingAlgo:sha512:", "hashingAlgo:md5:"],
      ["", "enrollmentId:a-b:", "enrollmentId::"],
      ["AbC+/=", "", "AbC-_"],
    ],
  },
  { verb: "pol", slots: [["pol", "POL", "pol:", "p", "poll"]] },
  {
    verb: "update",
    slots: [
      ["update", "UPDATE", "updat"],
      ...META,
      ...TARGET,
      [" v", "", " ", "  v", " a b@c:d", " 🦄"],
    ],
    // Options also in another order, names and booleans in any case.
    wider: /:(?:TTL|isencrypted|FALSE|False):/i,
  },
  {
    verb: "update",
    slots: [
      ["update:json:", "update:JSON:"],
      ["{}", "", "x"],
    ],
  },
  {
    verb: "update:meta",
    slots: [["update:meta", "update:metax", "UPDATE:meta"], ...TARGET, ...META],
  },
  {
    verb: "lookup",
    slots: [
      ["lookup:", "LookUp:", "l ookup:"],
      ["", "bypassCache:true:", "bypassCache:FALSE:", "bypassCache:x:"],
      ["", "meta:", "all:", "ALL:"],
      ["k.wavi", "", "k", "k x", ":k", "k@x", "🦄"],
      ["@bob", "", "@", "@b:c"],
    ],
    // A name of one character.
    wider: /[:^]k@/,
    otherwise: ({ atKey }) => atKey?.endsWith(":k") === true,
  },
  {
    verb: "llookup",
    slots: [
      ["llookup", "LLOOKUP"],
      ["", ":meta", ":all", ":x"],
      ["", ":cached", ":cache"],
      ...TARGET,
    ],
    // A name of one character; an at sign doesn't begin a name.
    wider: /:k@|:🦄@/,
    otherwise: ({ atKey }) => /^(?!@:|@c:).*:k$/.test(atKey ?? ""),
    narrower: ({ atKey }) => /^(?:@:|@b:$|@c:|@k$|@bob:$)|:@k$/.test(atKey ?? ""),
  },
  {
    verb: "plookup",
    slots: [
      ["plookup:"],
      ["", "bypassCache:true:", "bypassCache:x:"],
      ["", "meta:", "all:", "x:"],
      ["k.wavi", "", "k", "k x", "🦄"],
      ["@bob", "", "@", "@b:c", "@b@c"],
    ],
  },
  {
    verb: "delete",
    slots: [
      ["delete", "DELETE"],
      ["", ":priority:low", ":priority:HIGH", ":priority:none"],
      ["", ":cached", ":cache"],
      ...TARGET,
    ],
  },
  {
    verb: "delete",
    slots: [["delete:"], ["privatekey:at_secret", "privatekey:at_pkam_publickey", "privatekey:"]],
  },
  {
    verb: "scan",
    slots: [
      ["scan", "SCAN", "scanner"],
      ["", ":showhidden:true", ":showHidden:FALSE", ":showhidden:", ":showhidden:x"],
      ["", ":@bob", ":bob", ":@", "@bob"],
      ["", ":page:1", ":page:", ":page:-1"],
      ["", " .*", " a b", " (", "  x"],
    ],
    // Several spaces before the regular expression.
    wider: / {2}x$/,
  },
  {
    verb: "stats",
    slots: [
      ["stats", "STATS"],
      ["", ":1", ":0", ":-1", ":3", ":15", ":99", ":", ":a"],
      ["", ",2", ",", ",0", ",x"],
      ["", ":.*", ":", ":a:b"],
    ],
  },
  {
    verb: "config",
    slots: [
      ["config:block:", "CONFIG:block:", "config:", "config:BLOCK:"],
      ["add:", "remove:", "show", "list", "show ", "showx"],
      ["@bob", "", "bob", "@@bob", "@bob @carol", "@bob  @carol", "@bob,@carol", "@bob @ca:rol"],
    ],
    // What isn't an atSign behind the first.
    narrower: ({ atSign }) => atSign?.includes(":") === true,
  },
  {
    verb: "config",
    slots: [["config:"], ["set:", "reset:", "print:", "get:"], ["a=b", "a", "", "="]],
  },
  {
    verb: "notify",
    slots: [
      ["notify", "NOTIFY"],
      ["", ":id:a-1", ":id:", ":id:a b"],
      ["", ":update", ":DELETE", ":upsert"],
      ["", ":messageType:key", ":messageType:text", ":messageType:x"],
      ["", ":priority:low", ":priority:x"],
      ["", ":strategy:all", ":strategy:latest", ":strategy:x"],
      ["", ":latestN:3", ":latestN:-3"],
      ["", ":notifier:n", ":notifier:"],
      ["", ":ttln:5000", ":ttln:", ":ttlnn:5000"],
      ["", ":ttl:5", ":ttr:-1", ":isEncrypted:false"],
      [":@bob", ":public", "", ":bob"],
      [":phone.wavi", ":", ":hello there", ":@k", ":a:b", ":a::b", ":p"],
      ["@alice", "", "@", "@a@b"],
      ["", ":v", ":", ":a b@c:d"],
    ],
    // A name of one character.
    wider: /:(?:@bob|public):[pa](?:@|:|$)/,
  },
  {
    verb: "notify:list",
    slots: [
      ["notify:list", "NOTIFY:list"],
      ["", ":2024-01-02", ":2024-1-2", ":24-01-02"],
      ["", ":2024-12-31"],
      ["", ":.*", ":a:b"],
    ],
  },
  { verb: "notify:status", slots: [["notify:status:"], ["a-1", "", "a b", "é"]] },
  { verb: "notify:fetch", slots: [["notify:fetch:"], ["a-1", "", "a b", "é"]] },
  {
    verb: "notify:remove",
    slots: [["notify:remove:"], ["a-1", "", "a b", "é", "a:b"]],
    narrower: (_published, line) => /a b|a:b|é/.test(line),
  },
  {
    verb: "notify:all",
    slots: [
      ["notify:all:", "NOTIFY:all:"],
      ["", "update:", "DELETE:", "upsert:"],
      ["", "messageType:key:", "messageType:text:", "messageType:x:"],
      ["", "ttl:5:", "ttl:-5:"],
      ["", "ttb:5:", "ttb::"],
      ["", "ttr:-1:", "ttr:x:"],
      ["", "ccd:true:", "ccd:x:"],
      ["@bob", "@bob,@carol", "", "bob", "@bob,", "@bob @carol"],
      [":phone", ":", "", ":a b"],
      ["@alice", "", "@", "@a@b"],
      ["", ":v", ":", ":a b@c:d"],
    ],
    // Who is no atSign isn't told.
    narrower: ({ forAtSign = "" }) => !/^@[^,@]+(?:,@[^,@]+)*$/.test(forAtSign),
  },
  {
    verb: "monitor",
    slots: [
      ["monitor", "MONITOR"],
      ["", ":strict", ":STRICT", ":x"],
      ["", ":selfNotifications", ":selfnotifications"],
      ["", ":multiplexed"],
      ["", ":0", ":1603714720965", ":-1"],
      ["", " .wavi", " a b", "x"],
    ],
  },
  {
    verb: "sync",
    slots: [
      ["sync:from:", "SYNC:from:", "sync:FROM:"],
      ["-1", "0", "12", "", "-2", "x"],
      [":limit:5", "", ":limit:", ":limit:-5", ":limit:x", ":limit:0"],
      ["", ":.wavi", ":", ":a:b"],
    ],
    // Newer clients leave the limit out.
    wider: /^sync:from:(?:-1|\d+)(?::(?!limit:).+)?$/i,
  },
  {
    verb: "stream",
    slots: [
      ["stream:", "STREAM:"],
      ["init", "send", "receive", "done", "resume", "stop"],
      ["@bob", "", "@"],
      ["", " namespace:wavi", "namespace:wavi", " namespace:"],
      ["", " startByte:5", " startByte:x"],
      [" s-1", "", " "],
      [" my file.txt ", "", " f "],
      ["5", "", "x"],
    ],
    // A file of no stream.
    narrower: ({ streamId, fileName }) =>
      streamId === "" || (streamId === undefined && fileName !== undefined),
  },
  {
    verb: "batch",
    slots: [
      ["batch:", "BATCH:", "batch"],
      ["[]", "", "x"],
    ],
  },
  {
    verb: "info",
    slots: [
      ["info", "INFO", "inf"],
      ["", ":brief", ":BRIEF", ":x", ":mtls", ":mtlsbrief", ":"],
    ],
    wider: /:mtls(?:brief)?$/,
  },
  { verb: "noop", slots: [["noop:"], ["0", "5000", "", "-1", "x", "1.5"]] },
  {
    verb: "keys",
    slots: [
      ["keys:", "KEYS:"],
      ["put:", "get:", "delete:", "take:", "get"],
      ["", "public:", "private:", "self:", "public"],
      ["", "namespace:__global:", "namespace:a.b:"],
      ["", "appName:a:", "appName::"],
      ["", "deviceName:d:"],
      ["", "keyType:rsa2048:"],
      ["", "encryptionKeyName:e-1:"],
      ["keyName:k.x ", "keyName:k", "", "keyName: "],
      ["v", "", "a b"],
    ],
  },
  {
    verb: "enroll",
    slots: [
      ["enroll:", "ENROLL:"],
      ["request", "approve", "deny", "revoke", "list", "fetch", "unrevoke", "delete", "x", ""],
      ["", ":force", ":FORCE"],
      [':{"a":1}', "", ":", "{}"],
    ],
  },
  {
    verb: "otp",
    slots: [
      ["otp:", "OTP:"],
      ["get", "put", "put:ABC123", "put:ABC12", "put:a b c d", "get:ABC123", "set"],
      ["", ":ttl:5", ":ttl:", ":ttl:-5"],
    ],
  },
];
