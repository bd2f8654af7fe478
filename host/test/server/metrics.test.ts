// SPDX-License-Identifier: BSD-3-Clause
// Health and metrics over real HTTP, from real processes, read as strictly as the format is defined.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChildProgram } from "../../cli/process/childProgram.ts";
import { type MetricsPort, openMetricsPort } from "../../cli/serving/metricsPort.ts";
import { issueCertificate } from "../../crypto/certificates.ts";
import { counter, formatExposition, gauge } from "../../net/exposition.ts";
import { StoreError } from "../../store/store.ts";
import { errorTable } from "../../wire/errors.ts";
import { silentSocket } from "../security/sockets.ts";
import { readExposition } from "./expositionReader.ts";
import { Line } from "./line.ts";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
const START_MILLIS = 20_000;

interface Answer {
  status: number;
  text: string;
  type: string | undefined;
}

function get(port: number, path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text, type: response.headers["content-type"] }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function scrape(port: number): Promise<Map<string, number>> {
  const { status, text, type } = await get(port, "/metrics");
  expect(status).toBe(200);
  expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
  return readExposition(text);
}

/** A plain TCP client that talks no TLS. */
function talkNonsense(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => socket.write("no TLS at all\n\n"));
    socket.on("error", () => undefined).on("close", () => resolve());
    socket.resume();
  });
}

let world: World;
let folder: string;
beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-metrics-"));
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("an atServer with --metrics-port", () => {
  let server: ServerProcess;
  let other: ServerProcess;
  let port: number;
  beforeAll(async () => {
    server = new ServerProcess(world, "@seen", join(folder, "seen"), {}, ["--metrics-port", "0"]);
    other = new ServerProcess(world, "@visitor", join(folder, "visitor"));
    for (const each of [server, other]) {
      await each.start();
      await each.activate();
    }
    port = server.metricsPort ?? 0;
  });
  afterAll(async () => {
    for (const each of [server, other]) {
      each.stop();
      expect(await each.exit()).toBe(0);
    }
  });

  it("lives, is ready, and knows nothing else", async () => {
    expect(await get(port, "/healthz")).toMatchObject({ status: 200, text: "ok\n" });
    expect(await get(port, "/readyz")).toMatchObject({ status: 200, text: "ready\n" });
    expect(await get(port, "/healthz?x=1")).toMatchObject({ status: 200 });
    expect(await get(port, "/healthz", "HEAD")).toMatchObject({ status: 200, text: "" });
    expect((await get(port, "/")).status).toBe(404);
    expect((await get(port, "/metrics", "POST")).status).toBe(405);
  });

  it("counts commands, errors, connections, notifications and commits", async () => {
    const before = await scrape(port);
    const grown = (after: Map<string, number>, name: string): number =>
      (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const owner = await server.owner();
    await owner.ask("update:marked.key@seen marked value");
    await owner.ask("llookup:nothing.key@seen");
    await owner.ask("markedverb:markedtext");
    await owner.ask('batch:[{"id":1,"command":"update:in.batch@seen 1"}]');
    const visitor = await other.owner();
    await visitor.ask("notify:@seen:greeting.x@visitor:marked text");
    await owner.ask("notify:@visitor:answer.x@seen:marked text");
    await owner.ask("notify:@markednobody:answer.x@seen:marked text");
    await talkNonsense(server.port);
    await expect
      .poll(
        async () => {
          const now = await scrape(port);
          return [
            grown(now, "atmicro_notifications_received_total"),
            grown(now, "atmicro_notifications_delivered_total"),
            grown(now, "atmicro_notifications_errored_total") > 0,
            grown(now, "atmicro_tls_handshake_failures_total"),
          ];
        },
        { timeout: 20_000 },
      )
      .toEqual([1, 1, true, 1]);
    const after = await scrape(port);
    expect(grown(after, 'atmicro_commands_total{verb="update"}')).toBe(2);
    expect(grown(after, 'atmicro_commands_total{verb="batch"}')).toBe(1);
    expect(grown(after, 'atmicro_commands_total{verb="unknown"}')).toBe(1);
    expect(grown(after, 'atmicro_command_errors_total{verb="unknown",code="AT0003"}')).toBe(1);
    expect(grown(after, 'atmicro_command_errors_total{verb="llookup",code="AT0015"}')).toBe(1);
    expect(grown(after, "atmicro_notifications_queued_total")).toBe(2);
    expect(grown(after, "atmicro_peer_connections_opened_total")).toBeGreaterThan(0);
    expect(after.get("atmicro_peer_connections")).toBeGreaterThan(0);
    expect(after.get('atmicro_connections{standing="owner"}')).toBe(1);
    expect(after.get('atmicro_connections{standing="peer"}')).toBeGreaterThan(0);
    expect(after.get("atmicro_store_bytes")).toBeGreaterThan(4_096);
    expect(grown(after, "atmicro_commit_id")).toBeGreaterThanOrEqual(2);
    expect(after.get("atmicro_certificate_expiry_timestamp_seconds")).toBeGreaterThan(
      Date.now() / 1000,
    );
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  });

  it("shows no key, no value and nobody's name, only labels from fixed sets", async () => {
    const { text } = await get(port, "/metrics");
    expect(text).not.toMatch(/marked|greeting|answer\.|visitor|seen|@/);
    for (const name of readExposition(text).keys()) {
      for (const [, label, value] of name.matchAll(/(\w+)="([^"]*)"/g)) {
        if (label === "code") expect(Object.keys(errorTable)).toContain(value);
        else
          expect(`${label}=${value}`).toMatch(/^(verb|standing|kind|part)=[a-zA-Z:]+$|^version=/);
      }
    }
  });

  it("is not ready while it answers what still runs", async () => {
    const place = new ServerProcess(world, "@drain", join(folder, "drain"), {}, [
      "--metrics-port",
      "0",
    ]);
    await place.start();
    await place.activate();
    const owner = await place.owner();
    owner.send("noop:0\nnoop:4000\n");
    expect(await owner.reply()).toBe("data:ok\n@drain@");
    place.stop();
    const metrics = place.metricsPort ?? 0;
    await expect
      .poll(() => get(metrics, "/readyz"), { interval: 20 })
      .toMatchObject({ status: 503, text: "draining\n" });
    expect(await get(metrics, "/healthz")).toMatchObject({ status: 200 });
    expect(await owner.reply()).toBe("data:ok\n@drain@");
    expect(await place.exit()).toBe(0);
  });

  it("ends with a sentence when the port is taken", async () => {
    const late = new ServerProcess(world, "@late", join(folder, "late"), {}, [
      ...["--metrics-port", String(port)],
    ]);
    await expect(late.start()).rejects.toThrow(
      /the metrics can't be served: .*EADDRINUSE.*name another --metrics-port/,
    );
  });

  it("has no such port unless it is asked for one", async () => {
    expect(other.metricsPort).toBeUndefined();
  });
});

it("an atServer whose store takes no writes is not ready, and is again when it does", async () => {
  let fails = true;
  let shift = 0;
  const { store } = await world.start("@probe");
  const broken = Object.create(store, {
    write: {
      value: (action: Parameters<typeof store.write>[0]) =>
        fails && started ? Promise.reject(new StoreError("the disk is full")) : store.write(action),
    },
  });
  let started = false;
  const { server } = await world.start("@full", { store: broken, now: () => Date.now() + shift });
  started = true;
  expect(await server.notReady()).toBe("the disk is full");
  fails = false;
  shift = 10_000;
  expect(await server.notReady()).toBeUndefined();
  expect(store.record("privatekey:readiness")).toBeUndefined();
});

it("an atDirectory with --metrics-port counts its lookups", async () => {
  const place = join(folder, "directory");
  mkdirSync(place);
  const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
  writeFileSync(join(place, "certificate.pem"), tls.certificate);
  writeFileSync(join(place, "private.key"), tls.privateKey, { mode: 0o600 });
  const program = new ChildProgram({
    name: "the atDirectory",
    args: [
      ...[ATMICRO, "directory", "serve", "--host", "127.0.0.1", "--port", "0"],
      ...["--certificate", join(place, "certificate.pem"), "--metrics-port", "0"],
      ...["--private-key", join(place, "private.key")],
      ...["--store", join(place, "store"), "--exit-with-parent"],
    ],
  });
  const event = await program.event("listening", START_MILLIS);
  const [port, metricsPort] = [Number(event.port), Number(event.metricsPort)];
  expect(await get(metricsPort, "/readyz")).toMatchObject({ status: 200, text: "ready\n" });
  const line = await Line.open(port, world.authority.certificate);
  expect(await line.ask("markedname")).toBe("null\r\n@");
  await talkNonsense(port);
  await expect
    .poll(async () => (await scrape(metricsPort)).get("atmicro_tls_handshake_failures_total"))
    .toBe(1);
  const { text } = await get(metricsPort, "/metrics");
  expect(text).not.toMatch(/marked|@/);
  const found = readExposition(text);
  expect(found.get('atmicro_directory_lookups_total{outcome="missing"}')).toBe(1);
  expect(found.get('atmicro_directory_lookups_total{outcome="found"}')).toBe(0);
  expect(found.get("atmicro_connections")).toBe(1);
  line.close();
  await program.stop();
});

it("answers a probe while others hold every connection and say nothing", async () => {
  const observed = { metrics: async () => [], notReady: async () => undefined };
  const log = { warn: () => {} };
  const open = await openMetricsPort({ host: "127.0.0.1", port: 0 }, observed, log as never);
  const sockets = await Promise.all(
    Array.from({ length: 40 }, () => silentSocket(open.port, "127.0.0.1")),
  );
  expect(await get(open.port, "/readyz")).toMatchObject({ status: 200, text: "ready\n" });
  for (const socket of sockets) socket.destroy();
  await open.close();
});

describe("the text format", () => {
  let open: MetricsPort | undefined;
  afterAll(() => open?.close());

  it("escapes what labels and help texts may hold", () => {
    const text = formatExposition([
      gauge("odd", 'a\nb\\c"d', { value: 1.5, labels: { text: 'a\nb\\c"d' } }),
      counter("none_total", "No samples."),
    ]);
    expect(text).toBe(
      '# HELP odd a\\nb\\\\c"d\n# TYPE odd gauge\nodd{text="a\\nb\\\\c\\"d"} 1.5\n# HELP none_total No samples.\n# TYPE none_total counter\n',
    );
    expect([...readExposition(text).values()]).toEqual([1.5]);
  });

  it("is 503 without a reason when the figures can't be had", async () => {
    let logged = "";
    const log = { warn: (entry: object) => (logged += JSON.stringify(entry)) };
    const failing = async (): Promise<never> => {
      throw new RangeError("a secret");
    };
    const observed = { metrics: failing, notReady: failing };
    open = await openMetricsPort({ host: "127.0.0.1", port: 0 }, observed, log as never);
    for (const path of ["/metrics", "/readyz"]) {
      expect(await get(open.port, path)).toMatchObject({ status: 503, text: "not available\n" });
    }
    expect(logged).not.toContain("secret");
  });
});
