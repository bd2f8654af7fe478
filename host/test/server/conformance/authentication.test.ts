// SPDX-License-Identifier: BSD-3-Clause
import { createHash, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Line } from "../line.ts";
import { loginAsPeer } from "../peerLogin.ts";
import {
  challengeOf,
  identity,
  type Place,
  pkamLine,
  SECRET,
  signChallenge,
  World,
} from "../world.ts";
import { type Applicant, applicant } from "./applicant.ts";
import { data, item, items } from "./items.ts";

const { privateKey } = identity("@alpha");
const success = data("success");

describe("authentication", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let pending: Applicant;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
    pending = await applicant(owner, { wavi: "rw" });
  });
  afterAll(() => world.close());

  const cram = async (line: Line, secret: string): Promise<string> => {
    const challenge = challengeOf(await line.ask("from:@alice"));
    return line.ask(
      `cram:${createHash("sha512")
        .update(secret + challenge)
        .digest("hex")}`,
    );
  };
  const pkam = async (line: Line, options = "", hash = "sha256"): Promise<string> => {
    const challenge = challengeOf(await line.ask("from:@alice"));
    return line.ask(`pkam:${options}${signChallenge(privateKey, challenge, hash)}`);
  };

  item(19, "cram with the right digest", async () => {
    expect(await cram(await alice.open(), SECRET)).toBe(success);
  });

  item(20, "cram with a wrong digest, and the connection stays open", async () => {
    const line = await alice.open();
    expect(await cram(line, "another secret")).toBe(
      "error:AT0401-Exception: Authentication Failed\n@",
    );
    expect(await cram(line, SECRET)).toBe(success);
  });

  item(21, "cram after the secret was deleted", async () => {
    const bob = await world.start("@bob");
    expect(await (await bob.cram()).ask("delete:privatekey:at_secret")).toBe("data:-1\n@bob@");
    const line = await bob.open();
    await line.ask("from:@bob");
    expect(await line.ask("cram:00")).toBe(
      "error:AT0015-Exception: privatekey:at_secret does not exist in keystore\n@",
    );
  });

  item(22, "pkam with RSA-2048 and SHA-256", async () => {
    expect(await pkam(await alice.open())).toBe(success);
  });

  item(23, "pkam that names its algorithms", async () => {
    const line = await alice.open();
    expect(await pkam(line, "signingAlgo:rsa2048:hashingAlgo:sha256:")).toBe(success);
    expect(await pkam(line, "signingAlgo:rsa2048:hashingAlgo:sha512:", "sha512")).toBe(success);
  });

  item(24, "pkam with an unknown algorithm", async () => {
    const line = await alice.open();
    await line.ask("from:@alice");
    line.send("pkam:signingAlgo:rsa2047:hashingAlgo:sha256:AAAA\n");
    expect(await line.closed()).toMatch(/^error:AT0011-Exception: .*\n@$/);
  });

  item(25, "pkam with P-256: a hex point stored, base64 of hex r and s sent", async () => {
    const place = await world.start("@carol");
    const line = await place.cram();
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = pair.publicKey.export({ format: "jwk" });
    const point = `04${[x, y].map((part) => Buffer.from(part, "base64url").toString("hex")).join("")}`;
    expect(await line.ask(`update:privatekey:at_pkam_publickey ${point}`)).toBe("data:-1\n@carol@");
    const challenge = challengeOf(await line.ask("from:@carol"));
    const signature = sign("sha256", Buffer.from(challenge), {
      key: createPrivateKey(pair.privateKey.export({ format: "pem", type: "pkcs8" })),
      dsaEncoding: "ieee-p1363",
    });
    const text = Buffer.from(signature.toString("hex"), "ascii").toString("base64");
    expect(await line.ask(`pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:${text}`)).toBe(
      "data:success\n@carol@",
    );
  });

  item(26, "pkam with a signature of something else, and the connection stays open", async () => {
    const line = await alice.open();
    await line.ask("from:@alice");
    expect(await line.ask(`pkam:${signChallenge(privateKey, "something else")}`)).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
    expect(await pkam(line)).toBe(success);
  });

  item(27, "ten logins in a row on one connection", async () => {
    const line = await alice.open();
    for (let i = 0; i < 10; i++) expect(await pkam(line)).toBe(success);
  });

  item(28, "from and pkam are one exchange each", async () => {
    const line = await alice.open();
    expect(await line.ask(await pkamLine(line, "@alice", privateKey))).toBe(success);
    expect(line.rest).toBe("");
  });

  item(29, "pkam without from", async () => {
    const line = await alice.open();
    expect(await line.ask("pkam:AAAA")).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
  });

  item(30, "pkam with an unknown enrollment", async () => {
    expect(await pkam(await alice.open(), "enrollmentId:nobody:")).toBe(
      "error:AT0028:enrollment_id: nobody is expired or invalid\n@",
    );
  });

  item(31, "pkam with a pending enrollment", async () => {
    expect(await pending.refusal(alice)).toBe(
      `error:AT0026:enrollment_id: ${pending.id} is pending\n@`,
    );
  });

  item(32, "pkam with a denied enrollment", async () => {
    await owner.ask(`enroll:deny:{"enrollmentId":"${pending.id}"}`);
    expect(await pending.refusal(alice)).toBe(
      `error:AT0025:enrollment_id: ${pending.id} is denied\n@`,
    );
  });

  item(33, "pkam with a revoked enrollment", async () => {
    const one = await applicant(owner, { wavi: "rw" });
    await one.approve(owner);
    await owner.ask(`enroll:revoke:{"enrollmentId":"${one.id}"}`);
    expect(await one.refusal(alice)).toBe(`error:AT0027:enrollment_id: ${one.id} is revoked\n@`);
  });

  item(34, "pol without from, and the connection is closed", async () => {
    const line = await alice.open();
    line.send("pol\n");
    expect(await line.closed()).toBe(
      "error:AT0011-Exception: Exception: You must execute a 'from:' command before you may run the pol command\n@",
    );
  });

  items(() => alice.open(), {
    35: [
      ["from:@bob", "error:AT0401-Exception: Certificate Verification Failed\n@"],
      ["noop:0", "data:ok\n@"],
    ],
  });

  item(36, "from of a blocked atSign, and the connection is closed", async () => {
    await owner.ask("config:block:add:@bob");
    const line = await alice.open();
    line.send("from:@bob\n");
    expect(await line.closed()).toBe("error:AT0013-Exception: Unable to connect\n@");
    await owner.ask("config:block:remove:@bob");
  });

  item(
    37,
    "from and pol of another atServer, which then reads what is shared with it",
    async () => {
      const dan = await world.start("@dan");
      await owner.ask("update:@dan:k@alice for dan");
      await owner.ask("update:public:k@alice for all");
      const peer = await loginAsPeer(world, dan, alice);
      expect(await peer.ask("lookup:k@alice")).toBe("data:for dan\n@dan@");
    },
  );
});
