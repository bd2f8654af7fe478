// SPDX-License-Identifier: BSD-3-Clause
import { Option } from "commander";
import type { AtClient } from "../../client/atClient.ts";
import type { Enrollment, EnrollmentStatus, Namespaces } from "../../client/enrollment.ts";
import type { CommandDefinition } from "../terminal/command.ts";
import { addClientOptions, type ClientFlags, jsonOption, withClient } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";
import { formatTable } from "../terminal/table.ts";

type Flags = ClientFlags & { readonly json?: boolean };
type ListFlags = Flags & { readonly status?: EnrollmentStatus };

const STATES: readonly EnrollmentStatus[] = ["pending", "approved", "denied", "revoked", "expired"];

const decisions = [
  {
    name: "accept",
    done: "approved",
    description: "approve a request",
    run: (client: AtClient, id: string): Promise<Enrollment | undefined> => client.approve(id),
  },
  {
    name: "deny",
    done: "denied",
    description: "refuse a request",
    run: (client: AtClient, id: string) => client.deny(id).then(() => undefined),
  },
  {
    name: "revoke",
    done: "revoked",
    description: "take an approval back; its connections end",
    run: (client: AtClient, id: string) => client.revoke(id).then(() => undefined),
  },
] as const;

export const approve: CommandDefinition = (program, io) => {
  const command = program
    .command("approve")
    .description("decide who may use your atSign: list, accept, deny, revoke")
    .addHelpText("after", "\nExample: atmicro approve accept -a @alice <enrollment id>");
  const list = command.command("list").description("requests and enrollments");
  addClientOptions(list)
    .addOption(new Option("--status <state>", "only those").choices(STATES))
    .addOption(jsonOption())
    .addHelpText("after", "\nExample: atmicro approve list -a @alice --status pending")
    .action(async (flags: ListFlags) => {
      const states = flags.status === undefined ? [] : [flags.status];
      const found = await withClient(flags, io, (client) => client.enrollments(states));
      printResult(io, flags.json, found, found.length === 0 ? "none" : enrollmentTable(found));
    });
  for (const { name, done, description, run } of decisions) {
    addClientOptions(command.command(name).description(description).argument("<enrollment id>"))
      .addOption(jsonOption())
      .addHelpText("after", `\nExample: atmicro approve ${name} -a @alice <enrollment id>`)
      .action(async (id: string, flags: Flags) => {
        const decided = await withClient(flags, io, (client) => run(client, id));
        const what = decided === undefined ? "" : `: ${describe(decided)}`;
        const json = { enrollmentId: id, status: done };
        printResult(io, flags.json, json, `${id} is ${done}${what}`);
      });
  }
};

function accessText(namespaces: Namespaces): string {
  return Object.entries(namespaces)
    .map(([name, access]) => `${name}:${access}`)
    .join(" ");
}

function describe({ appName, deviceName, namespaces }: Enrollment): string {
  return `application "${appName}", device "${deviceName}", ${accessText(namespaces)}`;
}

function enrollmentTable(found: readonly Enrollment[]): string[] {
  const rows = found.map(({ id, status, appName, deviceName, namespaces }) => [
    id,
    status,
    appName,
    deviceName,
    accessText(namespaces),
  ]);
  return formatTable(["enrollment", "status", "application", "device", "namespaces"], rows);
}
