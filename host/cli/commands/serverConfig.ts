// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";
import type { Value } from "../serving/parameter.ts";
import { configOption, parameterOptions } from "../serving/parameterOptions.ts";
import { ServerSettings, type Setting } from "../serving/serverSettings.ts";
import type { Io } from "../terminal/command.ts";
import { jsonOption } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";
import { formatTable } from "../terminal/table.ts";

function valueText(value: Value | undefined): string {
  if (value === undefined) return "-";
  return typeof value === "object" ? value.join(",") || "-" : String(value);
}

function row({ parameter, value, origin, source }: Setting): string[] {
  const unit = parameter.kind === "number" ? parameter.unit : "";
  const from = origin === "file" ? origin : `${origin} ${source}`.trim();
  const set = value === undefined ? "not set" : from;
  const note = parameter.ineffective && `no effect: ${parameter.ineffective}`;
  const [variable = "-"] = parameter.env;
  return [parameter.path, valueText(value), unit, set, variable, note ?? parameter.text];
}

function table(settings: ServerSettings): string[] {
  const head = ["PARAMETER", "VALUE", "UNIT", "FROM", "ENVIRONMENT", "WHAT IT IS"];
  return formatTable(head, settings.all.map(row));
}

function asJson({ all }: ServerSettings): unknown {
  const entries = all.map(({ parameter, value, origin }) => [
    parameter.path,
    {
      value: value ?? null,
      ...(parameter.kind === "number" && parameter.unit !== "" && { unit: parameter.unit }),
      origin,
      ...(parameter.flag !== undefined && { flag: `--${parameter.flag}` }),
      environment: parameter.env,
      ...(parameter.ineffective !== undefined && { ineffective: parameter.ineffective }),
    },
  ]);
  return Object.fromEntries(entries);
}

/** `atmicro server config print`: the parameters an atServer started with the same flags would have. */
export function addServerConfig(server: Command, io: Io): void {
  const print = server
    .command("config")
    .description("the parameters an atServer would have")
    .helpCommand(false)
    .command("print")
    .description("print them, and what set them: flag, environment, file or default")
    .addOption(jsonOption())
    .addOption(configOption());
  for (const option of parameterOptions()) print.addOption(option);
  print
    .addHelpText(
      "after",
      "\nExample:\n  atmicro server config print --config server.yaml --inbound-max-limit 50",
    )
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<{ config?: string; json?: boolean }>();
      const settings = await ServerSettings.read({ flags, env: io.env, file: flags.config });
      printResult(io, flags.json, asJson(settings), table(settings));
    });
}
