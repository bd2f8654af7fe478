// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Kind } from "./session/device.ts";
import { loggedIn } from "./session/fixtures.ts";
import { alpha, encryptValue } from "./session/world.ts";

const SELF = alpha.selfEncryptionKeyBase64;
const IV = "0bOJ3JEC6xo8WUlwrhrtmQ==";
const CT = encryptValue("v", SELF, IV);
const ZERO = encryptValue("v", SELF);
/** Done, and the value came unencrypted. */
const PLAIN = 1;

/** The reply to a get, and the status and value it has to come to. */
const CASES: [string, string, number, string][] = [
  ["plain", `{"key":"k","data":"${CT}","metaData":{"ivNonce":"${IV}","isEncrypted":true}}`, 0, "v"],
  [
    "metadata first, white space",
    `{ "metaData" : { "isEncrypted" : true , "ivNonce" : "${IV}" } , "data" : "${CT}" }`,
    0,
    "v",
  ],
  [
    "escaped solidus",
    `{"data":"${CT.replaceAll("/", "\\/")}","metaData":{"ivNonce":"${IV.replaceAll("/", "\\/")}"}}`,
    0,
    "v",
  ],
  [
    "isEncrypted as text",
    `{"data":"${CT}","metaData":{"ivNonce":"${IV}","isEncrypted":"True"}}`,
    0,
    "v",
  ],
  [
    "nulls",
    `{"data":"${ZERO}","metaData":{"ivNonce":null,"isEncrypted":null,"encAlgo":null,"encoding":null,"pubKeyHash":null}}`,
    0,
    "v",
  ],
  ["null metadata", `{"data":"${ZERO}","metaData":null}`, 0, "v"],
  ["no metadata", `{"data":"${ZERO}"}`, 0, "v"],
  [
    "unknown members, nested",
    `{"x":{"data":"no","y":[{"data":1}]},"data":"${ZERO}","metaData":{"z":[1,{"ivNonce":"no"}],"version":3}}`,
    0,
    "v",
  ],
  ["names that are spelled with escapes", `{"d\\u0061ta":"${ZERO}","metaData":{}}`, 0, "v"],
  [
    "not encrypted",
    '{"data":"a\\n\\u2615\\ud83d\\udee0","metaData":{"isEncrypted":false}}',
    PLAIN,
    "a\n☕🛠",
  ],
  ["not encrypted as text", '{"data":"clear","metaData":{"isEncrypted":"false"}}', PLAIN, "clear"],
  [
    "base64",
    '{"data":"bGluZQ==","metaData":{"isEncrypted":false,"encoding":"base64"}}',
    PLAIN,
    "line",
  ],
  [
    "known names",
    `{"data":"${ZERO}","metaData":{"encAlgo":"AES/CTR/PKCS7Padding","encKeyName":"shared_key","skeEncKeyName":"publickey","skeEncAlgo":"RSA/ECB/PKCS1Padding"}}`,
    0,
    "v",
  ],
  ["unknown encoding", `{"data":"${ZERO}","metaData":{"encoding":"rot13"}}`, -36, ""],
  ["unknown key", `{"data":"${ZERO}","metaData":{"encKeyName":"my_key"}}`, -36, ""],
  ["unknown wrapping", `{"data":"${ZERO}","metaData":{"skeEncAlgo":"X25519"}}`, -36, ""],
  ["null data", '{"data":null,"metaData":{}}', -37, ""],
  ["no data", '{"metaData":{}}', -37, ""],
  ["an IV of the wrong length", `{"data":"${ZERO}","metaData":{"ivNonce":"AAAA"}}`, -11, ""],
  ["an escape that is none", '{"data":"\\x","metaData":{"isEncrypted":false}}', -12, ""],
  ["half a surrogate pair", '{"data":"\\ud83d","metaData":{"isEncrypted":false}}', -12, ""],
  ["cut short", '{"data":"abc', -12, ""],
  ["no JSON", "text", -12, ""],
  ["a value that is too long", `{"data":"${"A".repeat(2756)}","metaData":{}}`, -7, ""],
];

for (const factory of engines) {
  describe(`metadata on ${factory.name}`, () => {
    for (const [name, reply, status, value] of CASES) {
      test(name, async () => {
        const { world, device } = await loggedIn(factory);
        world.hook = (line) => (line.startsWith("llookup") ? `data:${reply}\n@alpha@` : undefined);
        expect(device.finish(Kind.get, "k.demo@alpha")).toMatchObject({ status, value });
      });
    }
  });
}
