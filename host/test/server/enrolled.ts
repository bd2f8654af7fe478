// SPDX-License-Identifier: BSD-3-Clause
import type { Line } from "./line.ts";
import { challengeOf, identity, type Place, signChallenge } from "./world.ts";

/** The JSON payload behind `data:` of a reply. */
export function payloadOf(reply: string): unknown {
  const match = /^data: ?(.*)\n(?:@[^@:\n]+)?@$/.exec(reply);
  if (match?.[1] === undefined) throw new Error(`no data in ${reply}`);
  return JSON.parse(match[1]);
}

let devices = 0;

export interface Enrolled {
  id: string;
  line: Line;
}

/** Requests and approves an enrollment as the owner and logs in with it, as the identity of @bravo. */
export async function enrolled(
  place: Place,
  namespaces: Record<string, string>,
  more: Record<string, unknown> = {},
): Promise<Enrolled> {
  const { publicKey, privateKey } = identity("@bravo");
  const { atSign } = place.server;
  const owner = await place.owner();
  const request = {
    appName: "app",
    deviceName: `device${devices++}`,
    namespaces,
    apkamPublicKey: publicKey,
    encryptedAPKAMSymmetricKey: "SYM",
    ...more,
  };
  const reply = await owner.ask(`enroll:request:${JSON.stringify(request)}`);
  const { enrollmentId: id } = payloadOf(reply) as { enrollmentId: string };
  const approval = {
    enrollmentId: id,
    encryptedDefaultEncryptionPrivateKey: "ENC",
    encryptedDefaultSelfEncryptionKey: "SELF",
  };
  await owner.ask(`enroll:approve:${JSON.stringify(approval)}`);
  owner.close();
  const line = await place.open();
  const challenge = challengeOf(await line.ask(`from:${atSign}`));
  const login = await line.ask(`pkam:enrollmentId:${id}:${signChallenge(privateKey, challenge)}`);
  if (login !== `data:success\n${atSign}@`) throw new Error(login);
  return { id, line };
}
