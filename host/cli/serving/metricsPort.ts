// SPDX-License-Identifier: BSD-3-Clause
// Health and metrics of a server over HTTP, loaded only when they are asked for.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "pino";
import {
  counter,
  EXPOSITION_TYPE,
  type Family,
  formatExposition,
  gauge,
} from "../../net/exposition.ts";
import { type Listening, listen } from "../../net/listen.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** A server that can be looked at. */
export interface Observed {
  metrics(): Promise<readonly Family[]>;
  /** Why it doesn't serve at the moment; undefined when it does. */
  notReady(): Promise<string | undefined>;
}

export interface MetricsPort {
  readonly port: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

/** Scrapers are few; with one connection more the oldest is hung up on, so that a probe always gets its answer. */
const MAX_CONNECTIONS = 16;
const REQUEST_MILLIS = 5_000;
/** How often it is looked whether a request is late. */
const LOOK_MILLIS = 1_000;
const MAX_HEADER_BYTES = 8_192;

function openFiles(): Family[] {
  if (process.platform !== "linux") return [];
  const count = readdirSync("/proc/self/fd").length;
  return [gauge("process_open_fds", "Open files and sockets.", count)];
}

function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const startedAt = Date.now() / 1000 - process.uptime();
  return [
    counter("process_cpu_seconds_total", "Processor time.", (user + system) / 1e6),
    gauge("process_resident_memory_bytes", "Memory in RAM.", rss),
    gauge("process_start_time_seconds", "Start since the epoch.", startedAt),
    gauge("nodejs_heap_used_bytes", "JavaScript's heap in use.", heapUsed),
    ...openFiles(),
  ];
}

async function readiness(observed: Observed): Promise<Answer> {
  const reason = await observed.notReady();
  return reason === undefined
    ? { status: 200, text: "ready\n" }
    : { status: 503, text: `${reason}\n` };
}

async function answer({ method, url }: IncomingMessage, observed: Observed): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return { status: 405, text: "use GET\n" };
  switch (url?.split("?")[0]) {
    case "/healthz":
      return { status: 200, text: "ok\n" };
    case "/readyz":
      return readiness(observed);
    case "/metrics": {
      const text = formatExposition([...processFamilies(), ...(await observed.metrics())]);
      return { status: 200, text, type: EXPOSITION_TYPE };
    }
    default:
      return { status: 404, text: "there are /healthz, /readyz and /metrics\n" };
  }
}

function respond(response: ServerResponse, { status, text, type }: Answer): void {
  response.writeHead(status, {
    "content-type": type ?? "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...(status === 405 && { allow: "GET, HEAD" }),
  });
  response.end(text);
}

async function listenOn(
  create: () => Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening<Server>> {
  try {
    return await listen(create, host, port);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `the metrics can't be served: ${reason}; name another --metrics-port or --metrics-host`;
    throw new CliError(text, EXIT.permission, { cause });
  }
}

/** Serves `/healthz`, `/readyz` and `/metrics`; port 0 is any free one. Throws CliError when it can't listen there. */
export async function openMetricsPort(
  address: { readonly host: string; readonly port: number },
  observed: Observed,
  log: Logger,
): Promise<MetricsPort> {
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    answer(request, observed).then(
      (found) => respond(response, found),
      (error: unknown) => {
        log.warn({ reason: error instanceof Error ? error.name : typeof error }, "no metrics");
        respond(response, { status: 503, text: "not available\n" });
      },
    );
  };
  const open = new Set<Socket>();
  const create = (): Server => {
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: LOOK_MILLIS };
    const server = createServer(limits, serve);
    server.on("connection", (socket) => {
      const [oldest] = open;
      if (open.size >= MAX_CONNECTIONS) oldest?.destroy();
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    });
    server.requestTimeout = REQUEST_MILLIS;
    server.headersTimeout = REQUEST_MILLIS;
    return server;
  };
  const { port, servers } = await listenOn(create, address);
  return {
    port,
    async close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      await Promise.all(servers.map((server) => once(server, "close")));
    },
  };
}
