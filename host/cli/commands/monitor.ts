// SPDX-License-Identifier: BSD-3-Clause
import { Option } from "commander";
import type { ReceivedNotification } from "../../client/notifications.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import {
  addClientOptions,
  type ClientFlags,
  jsonOption,
  plaintextOption,
  wholeNumber,
  withClient,
} from "../terminal/options.ts";
import { interruption, printJson, printLines, printNotice } from "../terminal/output.ts";
import { valueToJson, valueToText } from "../terminal/value.ts";

type Flags = ClientFlags & {
  readonly since?: number;
  readonly self?: boolean;
  readonly acceptPlaintext?: boolean;
  readonly count?: number;
  readonly json?: boolean;
};

export const monitor: CommandDefinition = (program, io) => {
  const command = program
    .command("monitor")
    .description("print notifications as they arrive, decrypted, until Ctrl-C")
    .argument("[regex]", "only keys or senders that it fits")
    .addHelpText("after", "\nExample: atmicro monitor -a @bob '\\.demo@'");
  addClientOptions(command)
    .addOption(
      new Option("--since <ms>", "first those stored since this epoch time").argParser(whole),
    )
    .option("--self", "also your own, such as requests to enroll")
    .addOption(plaintextOption())
    .addOption(new Option("--count <n>", "end after so many").argParser(wholeNumber(1, 1e9)))
    .addOption(jsonOption())
    .action((regex: string | undefined, flags: Flags) =>
      withClient(flags, io, async (client) => {
        let left = flags.count ?? Number.POSITIVE_INFINITY;
        let enough: () => void = () => undefined;
        const counted = new Promise<void>((resolve) => {
          enough = resolve;
        });
        const monitor = client.monitor({
          regex,
          since: flags.since,
          selfNotifications: flags.self,
          acceptPlaintext: flags.acceptPlaintext,
          onNotification: (notification) => {
            if (left <= 0) return;
            printNotification(notification, flags.json === true, io);
            left -= 1;
            if (left <= 0) enough();
          },
          onError: (error) => printNotice(io, error.message),
        });
        const error = await Promise.race([monitor.ended, counted, interruption(io)]);
        await monitor.close();
        if (error !== undefined) throw error;
      }),
    );
};

const whole = wholeNumber(0, Number.MAX_SAFE_INTEGER);

function printNotification(notification: ReceivedNotification, json: boolean, io: Io): void {
  const { value, ...rest } = notification;
  if (json) {
    printJson(io, { ...rest, ...valueToJson(value) });
    return;
  }
  const time = new Date(rest.epochMillis).toISOString();
  const mark = value === undefined || rest.encrypted ? "" : "(plaintext) ";
  const what = `${rest.from}  ${rest.operation}  ${rest.key}  ${mark}${valueToText(value)}`;
  printLines(io, `${time}  ${what}`.trimEnd());
}
