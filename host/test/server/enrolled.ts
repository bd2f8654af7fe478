// SPDX-License-Identifier: BSD-3-Clause
import { type ApkamKeys, newApkamKeys } from "./apkamKeys.ts";
import type { Line } from "./line.ts";
import { challengeOf, type Place } from "./world.ts";

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
  keys: ApkamKeys;
}

/** Logs in with an enrollment on a new connection. */
export async function loginEnrolled(place: Place, id: string, keys: ApkamKeys): Promise<Line> {
  const { atSign } = place.server;
  const line = await place.open();
  const challenge = challengeOf(await line.ask(`from:${atSign}`));
  const login = await line.ask(`pkam:enrollmentId:${id}:${keys.sign(challenge)}`);
  if (login !== `data:success\n${atSign}@`) throw new Error(login);
  return line;
}

/** Requests an enrollment and approves it, both as the owner or on `manager`, and logs in with it, with keys of its own. */
export async function enrolled(
  place: Place,
  namespaces: Record<string, string>,
  more: Record<string, unknown> = {},
  manager?: Line,
): Promise<Enrolled> {
  const keys = newApkamKeys();
  const owner = manager ?? (await place.owner());
  const request = {
    appName: "app",
    deviceName: `device${devices++}`,
    namespaces,
    apkamPublicKey: keys.publicKey,
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
  const approved = await owner.ask(`enroll:approve:${JSON.stringify(approval)}`);
  if (!approved.startsWith("data:")) throw new Error(approved);
  if (manager === undefined) owner.close();
  return { id, keys, line: await loginEnrolled(place, id, keys) };
}
