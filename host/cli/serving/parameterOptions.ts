// SPDX-License-Identifier: BSD-3-Clause
// The parameters of an atServer as options of the command line.
import { Option } from "commander";
import type { Parameter } from "./parameter.ts";
import { directoryHost, logLevel, parameterGroups, storeFolder } from "./serverParameters.ts";

const placeholders: Readonly<Record<string, string>> = {
  "": "number",
  "%": "percent",
  B: "bytes",
  kB: "kilobytes",
  ms: "ms",
  s: "seconds",
  min: "minutes",
  h: "hours",
  d: "days",
};

function placeholder(parameter: Parameter): string {
  if (parameter === directoryHost) return "host:port";
  if (parameter === logLevel) return "level";
  if (parameter === storeFolder) return "folder";
  switch (parameter.kind) {
    case "number":
      return placeholders[parameter.unit] ?? "number";
    case "boolean":
      return "true|false";
    case "text":
      return "file";
    case "list":
      return "keys";
  }
}

function initialText(parameter: Parameter): string {
  const { initial } = parameter;
  if (initial === undefined || Array.isArray(initial)) return "";
  return ` (default: ${initial})`;
}

export function configOption(): Option {
  const text = "parameters, YAML; flags and environment variables come first";
  return new Option("--config <file>", text);
}

/** The options of parameters that have one; their values stay texts until all sources are read. */
export function optionsOf(parameters: readonly Parameter[], heading?: string): Option[] {
  return parameters.flatMap((parameter) => {
    if (parameter.flag === undefined) return [];
    const flags = `--${parameter.flag} <${placeholder(parameter)}>`;
    const option = new Option(flags, `${parameter.text}${initialText(parameter)}`);
    return [heading === undefined ? option : option.helpGroup(heading)];
  });
}

/** The options of `atmicro server` for its parameters. */
export function parameterOptions(): Option[] {
  return parameterGroups.flatMap(({ heading, parameters }) => optionsOf(parameters, heading));
}
