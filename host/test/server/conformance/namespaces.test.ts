// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe } from "vitest";
import { enrolled } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { type Place, World } from "../world.ts";
import { committed, converse, data, item, items, JSON_VERSION, shows } from "./items.ts";

describe("namespaces, keys and batch", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  const denied = (id: string, verb: string, key: string): string =>
    `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${id} is not authorized to ${verb} key: ${key}\n@alice@`;

  item(221, "a client is kept to its namespace", async () => {
    await converse(owner, [["update:phone.wavi@alice 1", committed]]);
    const { id, line } = await enrolled(alice, { buzz: "rw" });
    await converse(line, [
      ["llookup:phone.wavi@alice", denied(id, "llookup", "phone.wavi@alice")],
      ["delete:phone.wavi@alice", denied(id, "delete", "phone.wavi@alice")],
      ["update:phone.buzz@alice 1", committed],
      ["llookup:phone.buzz@alice", data("1")],
      ["delete:phone.buzz@alice", committed],
    ]);
  });

  item(222, "a namespace covers those below it", async () => {
    for (const namespace of ["at_contact.buzz", "buzz"]) {
      const { line } = await enrolled(alice, { [namespace]: "rw" });
      await converse(line, [["update:atconnections.bob.alice.at_contact.buzz@alice 1", committed]]);
    }
  });

  item(223, "public keys of all namespaces can be read", async () => {
    await converse(owner, [["update:public:shown.buzz@alice 1", committed]]);
    const { line } = await enrolled(alice, { wavi: "rw" });
    await converse(line, [["llookup:public:shown.buzz@alice", data("1")]]);
  });

  item(224, "keys without a namespace aren't a client's, shared keys are", async () => {
    await converse(owner, [["update:bare@alice 1", committed]]);
    const { id, line } = await enrolled(alice, { wavi: "rw" });
    await converse(line, [
      ["llookup:bare@alice", denied(id, "llookup", "bare@alice")],
      ["update:bare@alice 2", denied(id, "update", "bare@alice")],
      ["update:@bob:shared_key@alice k", committed],
      ["llookup:@bob:shared_key@alice", data("k")],
      ["update:shared_key.bob@alice k", committed],
      ["llookup:shared_key.bob@alice", data("k")],
    ]);
  });

  item(225, "with r a client reads and doesn't write", async () => {
    await converse(owner, [["update:kept.wavi@alice 1", committed]]);
    const { id, line } = await enrolled(alice, { wavi: "r" });
    await converse(line, [
      ["llookup:kept.wavi@alice", data("1")],
      ["update:kept.wavi@alice 2", denied(id, "update", "kept.wavi@alice")],
      ["update:meta:kept.wavi@alice:ttl:1", denied(id, "update", "kept.wavi@alice")],
      ["delete:kept.wavi@alice", denied(id, "delete", "kept.wavi@alice")],
      ["notify:@bob:kept.wavi@alice", denied(id, "notify", "@bob:kept.wavi@alice")],
      [
        "notify:all:@bob:kept.wavi@alice",
        /^error:AT0009-.*is not authorized to notify.*\n@alice@$/,
      ],
      ["llookup:kept.wavi@alice", data("1")],
    ]);
  });

  items(() => alice.open(), {
    226: [
      ["keys:get:self", "error:AT0401-Exception: Command cannot be executed without auth\n@"],
      [
        "keys:put:public:namespace:__global:keyType:rsa2048:keyName:k V",
        "error:AT0401-Exception: Command cannot be executed without auth\n@",
      ],
    ],
  });

  item(227, "public keys are stored, listed, read and deleted", async () => {
    const { id, line } = await enrolled(alice, { wavi: "rw" });
    const name = "public:encryption_x.__public_keys.__global@alice";
    await converse(line, [
      ["keys:put:public:namespace:__global:keyType:rsa2048:keyName:encryption_X V", data("-1")],
      ["keys:get:public", data(`["${name}"]`)],
      [
        "keys:get:keyName:public:encryption_X.__public_keys.__global@alice",
        data(JSON.stringify({ value: "V", keyType: "rsa2048", enrollmentId: id })),
      ],
      ["keys:delete:keyName:public:encryption_X.__public_keys.__global@alice", data("-1")],
      ["keys:get:public", data("[]")],
    ]);
  });

  item(228, "self and private keys name the key they are encrypted with", async () => {
    const { id, line } = await enrolled(alice, { wavi: "rw" });
    const put = (kind: string): string =>
      `keys:put:${kind}:namespace:__global:appName:wavi:deviceName:pixel:keyType:aes256:encryptionKeyName:encryption_X:keyName:myAESkey V`;
    const stored = data(
      JSON.stringify({
        value: "V",
        keyType: "aes256",
        enrollmentId: id,
        encryptionKeyName: "encryption_X",
      }),
    );
    await converse(line, [
      [put("self"), data("-1")],
      ["keys:get:self", shows('"wavi.pixel.myaeskey.__self_keys.__global@alice"')],
      ["keys:get:keyName:wavi.pixel.myaesKey.__self_keys.__global@alice", stored],
      [put("private"), data("-1")],
      ["keys:get:private", shows('"private:wavi.pixel.myaeskey.__private_keys.__global@alice"')],
      ["keys:get:keyName:private:wavi.pixel.myaesKey.__private_keys.__global@alice", stored],
    ]);
  });

  items(() => owner, {
    229: [
      [
        'batch:[{"id":1,"command":"update:public:x@alice 1"},{"id":2,"command":"llookup:nope@alice"}]',
        /^data:\[\{"id":1,"response":\{"data":"\d+"\}\},\{"id":2,"response":\{"error_code":"AT0015","error_message":"key not found"\}\}\]\n@alice@$/,
      ],
    ],
  });
});
