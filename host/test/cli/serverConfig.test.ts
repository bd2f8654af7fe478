// SPDX-License-Identifier: BSD-3-Clause
// The parameters of an atServer from flags, environment and file, as `atmicro server config print` shows them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { run } from "../../cli/atmicro.ts";
import { expectation, type NumberParameter, type Parameter } from "../../cli/serving/parameter.ts";
import { serverParameters } from "../../cli/serving/serverParameters.ts";
import { ServerSettings } from "../../cli/serving/serverSettings.ts";
import { defaults } from "../../server/config/config.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly out: string[];
  readonly err: string;
}

type Env = Record<string, string>;

async function atmicro(args: readonly string[], env: Env = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, {
    stdout: (line) => out.push(line),
    stderr: (line) => err.push(line),
    stdin: async () => "",
    env,
    signal: new AbortController().signal,
  });
  return { code, out, err: err.join("\n") };
}

const print = (args: readonly string[] = [], env: Env = {}): Promise<Outcome> =>
  atmicro(["server", "config", "print", ...args], env);

interface Printed {
  readonly value: unknown;
  readonly origin: string;
}

async function effective(
  args: readonly string[] = [],
  env: Env = {},
): Promise<Record<string, Printed>> {
  const { code, out, err } = await print([...args, "--json"], env);
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(out).toHaveLength(1);
  return JSON.parse(out[0] ?? "");
}

let files = 0;

/** A file with this text, or this value as YAML. */
function file(content: unknown): string {
  const path = join(folder, `${files++}.yaml`);
  writeFileSync(path, typeof content === "string" ? content : stringify(content));
  return path;
}

/** `{ a: { b: value } }` for `a.b`. */
function nested(path: string, value: unknown): unknown {
  return path.split(".").reduceRight((inner: unknown, name) => ({ [name]: inner }), value);
}

/** Names in the file and the environment with the default, as the protocol's document lists them. */
const documented: readonly [path: string, env: string | undefined, initial: unknown][] = [
  ["root_server.url", "rootServerUrl", "root.atsign.org"],
  ["root_server.port", "rootServerPort", 64],
  ["log.level", "logLevel", "info"],
  ["security.useTLS", "useTLS", true],
  ["security.certificateChainLocation", "securityCertificateChainLocation", null],
  ["security.privateKeyLocation", "securityPrivateKeyLocation", null],
  ["security.trustedCertificateLocation", "securityTrustedCertificateLocation", null],
  ["security.clientCertificateRequired", "clientCertificateRequired", true],
  ["hive.storagePath", "secondaryStoragePath", null],
  ["hive.commitLogPath", "commitLogPath", null],
  ["hive.accessLogPath", "accessLogPath", null],
  ["hive.notificationStoragePath", "notificationStoragePath", null],
  ["hive.expiringRunFrequencyMins", "expiringRunFreqMins", 10],
  ["hive.malformedKeys", "hiveMalformedKeys", []],
  ["hive.shouldRemoveMalformedKeys", "shouldRemoveMalformedKeys", true],
  ["hive.protectedKeys", undefined, []],
  ["connection.inbound_max_limit", "inbound_max_limit", 200],
  ["connection.outbound_max_limit", "outbound_max_limit", 200],
  ["connection.inbound_idle_time_millis", "inbound_idletime_millis", 600_000],
  [
    "connection.authenticated_inbound_idle_time_millis",
    "authenticated_inbound_idletime_millis",
    2_592_000_000,
  ],
  ["connection.outbound_idle_time_millis", "outbound_idletime_millis", 600_000],
  ["commit_log_compaction.compactionFrequencyMins", "commitLogCompactionFrequencyMins", 18],
  ["commit_log_compaction.compactionPercentage", "commitLogCompactionPercentage", 20],
  ["commit_log_compaction.expiryInDays", "commitLogExpiryInDays", 15],
  ["commit_log_compaction.sizeInKB", "commitLogSizeInKB", 2],
  ["access_log_compaction.compactionFrequencyMins", "accessLogCompactionFrequencyMins", 15],
  ["access_log_compaction.compactionPercentage", "accessLogCompactionPercentage", 30],
  ["access_log_compaction.expiryInDays", "accessLogExpiryInDays", 15],
  ["access_log_compaction.sizeInKB", "accessLogSizeInKB", 2],
  [
    "notification_keystore_compaction.compactionFrequencyMins",
    "notificationKeyStoreCompactionFrequencyMins",
    5,
  ],
  [
    "notification_keystore_compaction.compactionPercentage",
    "notificationKeyStoreCompactionPercentage",
    30,
  ],
  ["notification_keystore_compaction.expiryInDays", "notificationKeyStoreExpiryInDays", 1],
  ["notification_keystore_compaction.sizeInKB", "notificationKeyStoreSizeInKB", -1],
  ["lookup.depth_of_resolution", "lookup_depth_of_resolution", 3],
  ["stats.top_visits", "statsTopVisits", 5],
  ["stats.top_keys", "statsTopKeys", 5],
  ["notification.autoNotify", "autoNotify", true],
  ["notification.max_retries", "maxNotificationRetries", 30],
  ["notification.quarantineDuration", "notificationQuarantineDuration", 10],
  ["notification.jobFrequency", "notificationJobFrequency", 5],
  ["notification.statsNotificationJobTimeInterval", "statsNotificationJobTimeInterval", 15],
  ["notification.expiryInMins", "notificationExpiryInMins", 15],
  ["refreshJob.runJobHour", "runRefreshJobHour", 3],
  ["certificate_expiry.force_restart", "forceRestart", false],
  ["sync.bufferSize", "syncBufferSize", 5_242_880],
  ["sync.pageLimit", "syncPageLimit", 25],
  ["testing.testingMode", "testingMode", false],
  ["enrollment.expiryInHours", undefined, 48],
  ["enrollment.maxRequestsPerTimeFrame", "maxEnrollRequestsAllowed", 5],
  ["enrollment.timeFrameInHours", "enrollTimeFrameInHours", 1],
  ["enrollment.delayIntervalThreshold", "enrollmentDelayIntervalThreshold", 55],
];

const named = (path: string): Parameter => {
  const found = serverParameters.find((parameter) => parameter.path === path);
  if (found === undefined) throw new Error(`no parameter ${path}`);
  return found;
};

/** A value that is allowed and not the default. */
function another(parameter: Parameter): unknown {
  switch (parameter.kind) {
    case "number":
      return parameter.initial === parameter.max ? parameter.min : parameter.max;
    case "boolean":
      return parameter.onlyTrue === undefined ? !parameter.initial : true;
    case "text":
      return parameter.path === "log.level" ? "debug" : "other.example";
    case "list":
      return ["one", "two"];
  }
}

describe("the documented parameters", () => {
  it("have their names and defaults", async () => {
    const printed = await effective();
    for (const [path, env, initial] of documented) {
      expect(printed[path], path).toMatchObject({ value: initial, origin: "default" });
      if (env !== undefined) expect(named(path).env, path).toContain(env);
    }
  });

  it("come from the file and the environment alone when all are set there", async () => {
    const all = documented.map(([path]) => named(path));
    const env = Object.fromEntries(
      documented.flatMap(([path, name]) =>
        name === undefined ? [] : [[name, String(another(named(path)))]],
      ),
    );
    const inFile = all.reduce((sections: Record<string, Record<string, unknown>>, parameter) => {
      const [section = "", name = ""] = parameter.path.split(".");
      sections[section] = { ...sections[section], [name]: another(parameter) };
      return sections;
    }, {});
    const fromFile = await effective(["--config", file(inFile)]);
    const fromEnvironment = await effective([], env);
    for (const parameter of all) {
      const value = another(parameter);
      expect(fromFile[parameter.path]).toMatchObject({ value, origin: "file" });
      if (parameter.env[0] === undefined || !(parameter.env[0] in env)) continue;
      expect(fromEnvironment[parameter.path]).toMatchObject({ value, origin: "environment" });
    }
  });
});

describe("each parameter", () => {
  it.each(serverParameters.filter(({ flag }) => flag !== undefined))(
    "$path: flag before environment before file before default",
    async (parameter) => {
      const { path, flag, env, kind } = parameter;
      const [first, second] = [another(parameter), parameter.initial ?? "second"];
      const inFile = ["--config", file(nested(path, second))];
      const origin = async (args: string[], variables: Env): Promise<string | undefined> =>
        (await effective(args, variables))[path]?.origin;
      const variables = { [env[0] ?? ""]: String(first) };
      expect(await origin([], {})).toBe("default");
      expect(await origin(inFile, {})).toBe("file");
      expect(await origin(inFile, variables)).toBe("environment");
      expect(await origin(inFile, { [env[0] ?? ""]: "" })).toBe("file");
      const named = await effective([...inFile, `--${flag}`, String(first)], {
        [env[0] ?? ""]: kind === "list" ? "" : String(second),
      });
      expect(named[path]).toMatchObject({ value: first, origin: "flag" });
    },
  );

  const numbers = serverParameters.filter((found) => found.kind === "number");

  it.each(numbers)(
    "$path: the least and the most are taken, one beyond is refused",
    async (found) => {
      const { path, min, max, off } = found as NumberParameter;
      for (const value of [min, max, off ?? min]) {
        const printed = await effective(["--config", file(nested(path, value))]);
        expect(printed[path]).toMatchObject({ value, origin: "file" });
      }
      for (const value of [off === min - 1 ? min - 2 : min - 1, max + 1]) {
        const { code, err } = await print(["--config", file(nested(path, value))]);
        expect(code).toBe(2);
        expect(err).toContain(`${path} is ${value}: ${expectation(found)} is needed`);
      }
    },
  );
});

describe("a value that can't be used ends the start with exit code 2", () => {
  it.each<[args: string[], env: Env, message: string]>([
    [
      ["--inbound-max-limit", "0"],
      {},
      '--inbound-max-limit is "0": a whole number from 1 to 1000000 is needed',
    ],
    [["--inbound-max-limit", "many"], {}, '--inbound-max-limit is "many": a whole number'],
    [["--sync-page-limit", "2.5"], {}, '--sync-page-limit is "2.5": a whole number'],
    [["--testing-mode", "yes"], {}, '--testing-mode is "yes": true or false is needed'],
    [["--log-level", "loud"], {}, '--log-level is "loud": fatal, error, warn'],
    [["--directory", "a b"], {}, '--directory is "a b": a host or host:port is needed'],
    [["--directory", "d.example:70000"], {}, "a host or host:port is needed"],
    [["--store", ""], {}, '--store is "": a path is needed'],
    [[], { syncPageLimit: "0" }, 'syncPageLimit is "0": a whole number from 1 to 10000'],
    [[], { useTLS: "false" }, 'useTLS is "false": true is needed (an atServer without TLS'],
    [[], { useSSL: "false" }, 'useSSL is "false": true is needed'],
    [["--unheard-of", "1"], {}, "unknown option '--unheard-of'"],
  ])("%j %j", async (args, env, message) => {
    const { code, out, err } = await print(args, env);
    expect(code).toBe(2);
    expect(out).toEqual([]);
    expect(err).toContain(message);
  });

  it.each<[content: unknown, message: string]>([
    [
      { connection: { inbound_max_limit: "200" } },
      'connection.inbound_max_limit is "200": a whole',
    ],
    [{ connection: { inbound_max_limit: 1.5 } }, "connection.inbound_max_limit is 1.5: a whole"],
    [
      "connection:\n  inbound_max_limit:\n",
      "connection.inbound_max_limit is empty: a whole number",
    ],
    [{ testing: { testingMode: "true" } }, 'testing.testingMode is "true": true or false'],
    [{ hive: { storagePath: 5 } }, "hive.storagePath is 5: a path is needed"],
    [{ hive: { protectedKeys: [1] } }, "hive.protectedKeys is a list: a list of names"],
    [{ security: { useTLS: false } }, "security.useTLS is false: true is needed"],
    [
      { connection: { inbound_limit: 5 } },
      "connection.inbound_limit is no parameter; connection has inbound_max_limit, outbound_max_limit",
    ],
    [{ connections: {} }, "connections is no parameter; sections are security, hive, root_server"],
    [{ connection: 5 }, "connection has to hold names and values"],
    [[1], "it has to hold names and values"],
    [
      {
        connection: {
          authenticated_inbound_idle_time_millis: 60_000,
          authenticated_inbound_idletime_millis: 60_000,
        },
      },
      "connection.authenticated_inbound_idle_time_millis and connection.authenticated_inbound_idletime_millis are one parameter",
    ],
    ["sync: [", "Flow sequence"],
    ["sync:\n  pageLimit: 1\n  pageLimit: 2\n", "Map keys must be unique"],
    ["sync:\n  pageLimit: &x [*x]\n", "sync.pageLimit is a list: a whole number"],
    ["sync: &x\n  pageLimit: *x\n", "sync.pageLimit is a section: a whole number"],
    [
      `a: &a [x, x]\nb: &b [${"*a, ".repeat(99)}]\nc: [${"*b, ".repeat(99)}]\n`,
      "Excessive alias count",
    ],
    ["sync: *nobody\n", "Unresolved alias"],
    ['sync: {"__proto__": {"pageLimit": 1}}', "sync.__proto__ is no parameter"],
  ])("%j", async (content, message) => {
    const path = file(content);
    const { code, err } = await print(["--config", path]);
    expect(code).toBe(2);
    expect(err).toContain(`atmicro: ${path}: ${message}`);
  });

  it("whatever else a file holds", async () => {
    const path = file("");
    const name = fc.constantFrom(...serverParameters.map((parameter) => parameter.path), "other");
    const content = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.tuple(name, fc.jsonValue()).map(([at, value]) => stringify(nested(at, value))),
    );
    await fc.assert(
      fc.asyncProperty(content, async (text) => {
        writeFileSync(path, text);
        const { code, out, err } = await print(["--config", path]);
        expect([code, out.length]).toEqual(err === "" ? [0, 1] : [2, 0]);
        if (err !== "") expect(err.startsWith(`atmicro: ${path}: `)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("a file that is not there", async () => {
    const { code, err } = await print(["--config", join(folder, "missing.yaml")]);
    expect(code).toBe(2);
    expect(err).toMatch(/^atmicro: --config .*missing\.yaml can't be read: ENOENT/);
  });

  it.each([
    [[], "--certificate is missing: certificate chain"],
    [["--certificate", "c.pem"], "--private-key is missing: private key"],
    [
      ["--certificate", "c.pem", "--private-key", "k"],
      "--store is missing: where everything is kept",
    ],
  ])("a server without what has no default: %j", async (args, message) => {
    const { code, err } = await atmicro(["server", "@alice", ...args]);
    expect(code).toBe(2);
    expect(err).toContain(`atmicro: ${message}`);
    expect(err).toContain("in the environment as ");
  });
});

describe("what a file may also hold", () => {
  it("a section with nothing in it, and nothing at all", async () => {
    expect(
      (await effective(["--config", file("sync:\n  # pageLimit: 3\n")]))["sync.pageLimit"],
    ).toMatchObject({ value: 25, origin: "default" });
    expect((await effective(["--config", file("")]))["sync.pageLimit"]?.origin).toBe("default");
  });

  it.each([
    ["connection.inbound_idletime_millis", "connection.inbound_idle_time_millis"],
    [
      "connection.authenticated_inbound_idletime_millis",
      "connection.authenticated_inbound_idle_time_millis",
    ],
    ["connection.outbound_idletime_millis", "connection.outbound_idle_time_millis"],
  ])("%s", async (spelled, path) => {
    const printed = await effective(["--config", file(nested(spelled, 70_000))]);
    expect(printed[path]).toMatchObject({ value: 70_000, origin: "file" });
  });

  it("a list as one text", async () => {
    const printed = await effective(["--config", file({ hive: { malformedKeys: "a, b,," } })]);
    expect(printed["hive.malformedKeys"]).toMatchObject({ value: ["a", "b"], origin: "file" });
    expect(printed["hive.malformedKeys"]).toHaveProperty("ineffective");
  });

  it.each([
    ["FINEST", "trace"],
    ["INFO", "info"],
    ["Warning", "warn"],
    ["SEVERE", "error"],
    ["silent", "silent"],
  ])("log level %s", async (level, value) => {
    const printed = await effective(["--config", file({ log: { level } })]);
    expect(printed["log.level"]).toMatchObject({ value });
  });
});

describe("the directory's address", () => {
  const address = async (args: string[], env: Env, inFile: unknown): Promise<unknown> => {
    const printed = await effective([...args, "--config", file(inFile)], env);
    const [url, port] = [printed["root_server.url"], printed["root_server.port"]];
    return [url?.value, port?.value, port?.origin];
  };

  it("has the port it is named with, unless a port is set in a stronger place", async () => {
    const nothing = "";
    expect(await address(["--directory", "d.example"], {}, nothing)).toEqual([
      "d.example",
      64,
      "default",
    ]);
    const port = { root_server: { port: 65 } };
    expect(await address(["--directory", "d.example:66"], {}, port)).toEqual([
      "d.example",
      66,
      "flag",
    ]);
    expect(await address(["--directory", "d.example"], {}, port)).toEqual([
      "d.example",
      65,
      "file",
    ]);
    const both = { root_server: { url: "d.example:66", port: 65 } };
    expect(await address([], { rootServerPort: "67" }, both)).toEqual([
      "d.example",
      67,
      "environment",
    ]);
  });

  it.each([
    ["d.example:66", { host: "d.example", port: 66 }],
    ["[::1]:66", { host: "::1", port: 66 }],
    ["[::1]", { host: "::1", port: 64 }],
    ["proxy:d.example", { host: "proxy:d.example", port: 64 }],
    ["proxy:d.example:66", { host: "proxy:d.example", port: 66 }],
  ])("%s", async (directory, expected) => {
    const settings = await ServerSettings.read({ flags: { directory }, env: {} });
    expect(settings.directory()).toEqual(expected);
  });
});

it("the tuning of a server that is told nothing is the default", async () => {
  const settings = await ServerSettings.read({ flags: {}, env: {} });
  expect({ ...defaults, ...settings.tuning() }).toEqual(defaults);
  const told = await ServerSettings.read({
    flags: { notificationExpiryInMins: "2", statsNotificationJobTimeInterval: "-1" },
    env: { autoNotify: "FALSE" },
  });
  expect(told.tuning()).toMatchObject({
    notificationExpiryMillis: 120_000,
    statsNotificationMillis: -1,
    autoNotify: false,
  });
});

it("the table is aligned and says where a value is from", async () => {
  const path = file({ sync: { pageLimit: 7 } });
  const args = ["--config", path, "--sync-buffer-size", "1024"];
  const { out } = await print(args, { inbound_max_limit: "9" });
  const lines = out.join("\n").split("\n");
  const column = lines[0]?.indexOf("VALUE") ?? -1;
  const row = (name: string): string => lines.find((line) => line.startsWith(name)) ?? "";
  expect(lines).toHaveLength(serverParameters.length + 1);
  expect(row("sync.pageLimit").slice(column)).toMatch(/^7 +file +syncPageLimit /);
  expect(row("sync.bufferSize").slice(column)).toMatch(/^1024 +B +flag --sync-buffer-size /);
  expect(row("connection.inbound_max").slice(column)).toMatch(/^9 +environment inbound_max_limit /);
  expect(row("sync.bufferSize").length).toBeGreaterThan(column);
  expect(row("hive.storagePath").slice(column)).toMatch(/^- +not set /);
  expect(row("refreshJob.runJobHour")).toContain("no effect: ");
});
