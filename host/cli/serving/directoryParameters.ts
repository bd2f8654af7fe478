// SPDX-License-Identifier: BSD-3-Clause
// The limits of an atDirectory that can be set, by flag or environment variable; called as those of an atServer.
import type { Option } from "commander";
import { type DirectoryLimits, directoryLimits } from "../../directory/limits.ts";
import { MAX_HANDSHAKE_MILLIS, MIN_HANDSHAKE_MILLIS } from "../../net/handshakes.ts";
import { MAX_COUNT, MIN_IDLE_MILLIS } from "../../server/config/config.ts";
import type { NumberParameter } from "./parameter.ts";
import { optionsOf } from "./parameterOptions.ts";
import { readSetting, type SettingSources } from "./serverSettings.ts";

const YEAR_MILLIS = 365 * 86_400_000;

type Settable = "maxConnections" | "maxPerAddress" | "idleMillis" | "handshakeMillis";

function limit(
  name: Settable,
  options: Omit<NumberParameter, "kind" | "initial" | "factor">,
): NumberParameter {
  return { kind: "number", initial: directoryLimits[name], factor: 1, ...options };
}

const parameters: Readonly<Record<Settable, NumberParameter>> = {
  maxConnections: limit("maxConnections", {
    path: "connection.inbound_max_limit",
    env: ["inbound_max_limit"],
    flag: "inbound-max-limit",
    text: "connections; one more takes the place of the longest idle",
    unit: "",
    min: 1,
    max: MAX_COUNT,
  }),
  maxPerAddress: limit("maxPerAddress", {
    path: "connection.unauthenticated_max_per_address",
    env: ["unauthenticated_max_per_address"],
    flag: "unauthenticated-max-per-address",
    text: "connections from one address (IPv6: from one /64)",
    unit: "",
    min: 1,
    max: MAX_COUNT,
  }),
  idleMillis: limit("idleMillis", {
    path: "connection.inbound_idle_time_millis",
    env: ["inbound_idletime_millis"],
    flag: "inbound-idle-time-millis",
    text: "idle time of a connection",
    unit: "ms",
    min: MIN_IDLE_MILLIS,
    max: YEAR_MILLIS,
  }),
  handshakeMillis: limit("handshakeMillis", {
    path: "connection.handshake_time_millis",
    env: ["handshake_time_millis"],
    flag: "handshake-time-millis",
    text: "time for a connection's TLS handshake",
    unit: "ms",
    min: MIN_HANDSHAKE_MILLIS,
    max: MAX_HANDSHAKE_MILLIS,
  }),
};

/** The options of `atmicro directory serve` for its limits. */
export function limitOptions(): Option[] {
  return optionsOf(Object.values(parameters), "Connections:");
}

/** The limits that flags and environment set, or the defaults. Throws CliError for a value of the wrong type or out of range. */
export function readLimits(
  sources: Pick<SettingSources, "flags" | "env">,
): Partial<DirectoryLimits> {
  const entries = Object.entries(parameters).map(([name, parameter]) => [
    name,
    readSetting(parameter, sources).value,
  ]);
  return Object.fromEntries(entries);
}
