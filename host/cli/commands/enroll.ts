// SPDX-License-Identifier: BSD-3-Clause
import { InvalidArgumentError, Option } from "commander";
import { awaitApproval, type Namespaces, requestEnrollment } from "../../client/enrollment.ts";
import { writeKeyFile } from "../../crypto/keyFile.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import {
  addNetworkOptions,
  atSignArgument,
  jsonOption,
  type NetworkFlags,
  readNetwork,
} from "../terminal/options.ts";
import { printNotice, printResult } from "../terminal/output.ts";
import { requireNewFile } from "../terminal/requireNewFile.ts";
import { readSecret } from "../terminal/secret.ts";

type Flags = NetworkFlags & {
  readonly atsign: string;
  readonly keys: string;
  readonly app: string;
  readonly device: string;
  readonly namespace: Namespaces;
  readonly otpFile?: string;
  readonly rsa?: boolean;
  readonly acceptLegacyAnswer?: boolean;
  readonly json?: boolean;
};

export const enrollCommand: CommandDefinition = (program, io) => {
  const command = program
    .command("enroll")
    .description("ask for keys of this application's own, and wait for the approval")
    .requiredOption("-a, --atsign <@atsign>", "whose application this is", atSignArgument)
    .requiredOption("-k, --keys <file>", "the .atKeys file to write")
    .requiredOption("--app <name>", "name of the application")
    .requiredOption("--device <name>", "name of the device")
    .addOption(
      new Option("--namespace <name:access>", "namespace and r or rw; may be repeated")
        .argParser(collectNamespace)
        .makeOptionMandatory(),
    )
    .option("--otp-file <file>", "file with the passcode; else ATMICRO_OTP, else asked for")
    .option(
      "--accept-legacy-answer",
      "take the keys also from an approving application of 2024, which lets the atServer's operator read your self data",
    )
    .option("--rsa", "an RSA key, for atServers that know no P-256")
    .addHelpText(
      "after",
      "\nExample: atmicro enroll -a @alice -k laptop.atKeys --app notes --device laptop --namespace notes:rw",
    );
  addNetworkOptions(command)
    .addOption(jsonOption())
    .action((flags: Flags) => enroll(flags, io));
};

async function enroll(flags: Flags, io: Io): Promise<void> {
  await requireNewFile(flags.keys);
  const network = await readNetwork(flags);
  const source = { what: "one-time passcode", file: flags.otpFile, variable: "ATMICRO_OTP" };
  const otp = await readSecret(source, io);
  const { atsign: atSign, app: appName, device: deviceName, namespace: namespaces } = flags;
  const keyAlgorithm = flags.rsa === true ? "rsa2048" : "p256";
  const request = { atSign, appName, deviceName, namespaces, otp, keyAlgorithm } as const;
  const pending = await requestEnrollment(request, network);
  const { enrollmentId } = pending;
  printNotice(io, `request ${enrollmentId} waits for the approval by ${atSign} …`);
  try {
    const keys = await awaitApproval(pending, network, {
      signal: io.signal,
      ...(flags.acceptLegacyAnswer && {
        onLegacyAnswer: (cost: string) => printNotice(io, `warning: ${cost}`),
      }),
    });
    await writeKeyFile(flags.keys, keys);
  } catch (cause) {
    if (!io.signal.aborted) throw cause;
    throw new CliError("interrupted; the request stays unused", EXIT.internal, { cause });
  }
  const file = flags.keys;
  printResult(io, flags.json, { atSign, enrollmentId, file }, `approved; keys are in ${file}`);
}

function collectNamespace(text: string, before: Namespaces | undefined): Namespaces {
  const match = /^([\w.]+):(r|rw)$/.exec(text);
  if (match?.[1] === undefined) throw new InvalidArgumentError("write name:r or name:rw");
  return { ...before, [match[1]]: match[2] === "r" ? "r" : "rw" };
}
