// SPDX-License-Identifier: BSD-3-Clause
// The simulated device as a program of this world: how it is started and enrolled.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AtClient } from "../../client/atClient.ts";
import { formatAddress } from "../../net/address.ts";
import { AtError } from "../../wire/errors.ts";
import { jsonLimits, parseJson } from "../../wire/json.ts";
import { ChildProgram, type LifeEvent } from "../process/childProgram.ts";
import { deviceProgram } from "../process/program.ts";
import type { World } from "./world.ts";

const ENROLLED_MILLIS = 60_000;

export type DeviceOptions = {
  readonly world: World;
  /** Its configuration and its key store; a device started there again is still enrolled. */
  readonly folder: string;
  readonly atSign: string;
  readonly peer: string;
  readonly namespace: string;
  readonly intervalMs: number;
  readonly onEvent?: (event: LifeEvent) => void;
};

/** What a device asks its owner for. */
export type EnrolmentAsked = {
  readonly id: string;
  readonly appName: string;
  readonly deviceName: string;
  readonly namespaces: Readonly<Record<string, string>>;
};

/** Writes the device's configuration and starts its program. */
export async function startDevice(options: DeviceOptions): Promise<ChildProgram> {
  const { world, folder, namespace } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "configuration.json");
  const configuration = {
    atSign: options.atSign,
    directory: formatAddress(world.directory),
    ca: world.authorityFile,
    store: "store",
    app: namespace,
    device: "simulator",
    namespaces: { [namespace]: "rw" },
    peer: options.peer,
    intervalMs: options.intervalMs,
  };
  await writeFile(file, JSON.stringify(configuration));
  return new ChildProgram({
    name: `the device of ${options.atSign}`,
    args: [deviceProgram(), file],
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
}

/** Gives the device a one-time passcode and approves what it asks for, in its owner's name. */
export async function enrolDevice(
  device: ChildProgram,
  owner: AtClient,
  onApproved: (asked: EnrolmentAsked) => void = () => undefined,
): Promise<void> {
  let isAsked = false;
  const approval = async (): Promise<void> => {
    const asked = await enrolmentAsked(owner);
    isAsked = true;
    await owner.approve(asked.id);
    onApproved(asked);
  };
  const enrolment = async (): Promise<void> => {
    await device.event("enrolled", ENROLLED_MILLIS);
    if (isAsked) return;
    throw new AtError("AT0014", "the device enrolled without being approved");
  };
  const passcode = async (): Promise<void> => device.writeLine(await owner.otpGet());
  await Promise.all([enrolment(), approval(), passcode()]);
}

/** Reads what the notification of a request holds. Throws JsonError, and AT0014 for anything but a request. */
function readRequest(key: string, text: string): EnrolmentAsked {
  const request = parseJson(text, jsonLimits.enrollment) as Record<string, unknown>;
  const { appName, deviceName, namespace } = request;
  if (typeof appName !== "string" || typeof deviceName !== "string") {
    throw new AtError("AT0014", "a request to enrol without app or device");
  }
  const namespaces = { ...(namespace as Record<string, string>) };
  return { id: key.slice(0, key.indexOf(".")), appName, deviceName, namespaces };
}

/** The owner learns of a request from a notification to itself (atProtocol, APKAM enrollment). */
function enrolmentAsked(owner: AtClient): Promise<EnrolmentAsked> {
  return new Promise((resolve, reject) => {
    const monitor = owner.monitor({
      selfNotifications: true,
      regex: "__manage",
      onNotification: ({ key, value }) => {
        monitor.close().catch(reject);
        resolve(readRequest(key, String(value)));
      },
      onError: reject,
    });
  });
}
