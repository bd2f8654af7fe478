// SPDX-License-Identifier: BSD-3-Clause
import { type ApkamKeys, newApkamKeys } from "../apkamKeys.ts";
import { payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { challengeOf, type Place } from "../world.ts";

let devices = 0;

/** A client that asked for an enrollment, with keys of its own. */
export interface Applicant {
  readonly id: string;
  readonly deviceName: string;
  readonly keys: ApkamKeys;
  /** Approves it on a connection that may; gives the reply. */
  approve(line: Line): Promise<string>;
  /** Tries to log in on a new connection; gives the reply and the connection. */
  login(place: Place): Promise<{ reply: string; line: Line }>;
  /** The reply to its login. */
  refusal(place: Place): Promise<string>;
}

/** The parameters of a request whose device name and key nobody else has. */
export function parameters(
  namespaces: Record<string, string>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    appName: "wavi",
    deviceName: `device${devices++}`,
    namespaces,
    apkamPublicKey: newApkamKeys().publicKey,
    encryptedAPKAMSymmetricKey: "SYM",
    ...more,
  };
}

export function request(of: Record<string, unknown>): string {
  return `enroll:request:${JSON.stringify(of)}`;
}

export function approval(id: string): string {
  const keys = {
    encryptedDefaultEncryptionPrivateKey: "ENC",
    encryptedDefaultSelfEncryptionKey: "SELF",
  };
  return `enroll:approve:${JSON.stringify({ enrollmentId: id, ...keys })}`;
}

/** Requests an enrollment on a connection that may without a passcode, or with the passcode in `more`. */
export async function applicant(
  line: Line,
  namespaces: Record<string, string>,
  more: Record<string, unknown> = {},
): Promise<Applicant> {
  const keys = newApkamKeys();
  const asked = parameters(namespaces, { apkamPublicKey: keys.publicKey, ...more });
  const reply = payloadOf(await line.ask(request(asked))) as { enrollmentId: string };
  return known(reply.enrollmentId, String(asked.deviceName), keys);
}

/** An enrollment whose id and keys are known. */
export function known(id: string, deviceName: string, keys: ApkamKeys): Applicant {
  const login = async (place: Place): Promise<{ reply: string; line: Line }> => {
    const line = await place.open();
    const challenge = challengeOf(await line.ask(`from:${place.server.atSign}`));
    return { reply: await line.ask(`pkam:enrollmentId:${id}:${keys.sign(challenge)}`), line };
  };
  return {
    id,
    deviceName,
    keys,
    approve: (line) => line.ask(approval(id)),
    login,
    refusal: async (place) => (await login(place)).reply,
  };
}
