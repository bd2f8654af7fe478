// SPDX-License-Identifier: BSD-3-Clause
import type { AccessEntry, CommitEntry } from "../../store/store.ts";
import { formatTime } from "../../wire/metadata.ts";
import type { TextPattern } from "../../wire/notification.ts";
import type { Authorization } from "../access/authorization.ts";
import { type Session, standing } from "../access/session.ts";
import type { Tuning } from "../config/config.ts";
import type { Notifier } from "../notifications/notifier.ts";
import type { Peers } from "../peers/peers.ts";
import { commitFilter, lastCommitOf } from "../records/commitLog.ts";
import { fromPortions, portions } from "../records/portions.ts";
import type { Records } from "../records/records.ts";
import { compactionStatistics } from "../upkeep/compaction.ts";
import { validity } from "./serverIdentity.ts";

/** What the figures are read from. */
export interface StatisticsSources {
  readonly atSign: string;
  readonly version: string;
  readonly tuning: Tuning;
  readonly now: () => number;
  readonly authorization: Authorization;
  readonly records: Records;
  readonly notifier: Notifier;
  readonly peers: Peers;
  identity(): { certificate: string };
  connections(): Iterable<Session>;
}

/** What a statistic is computed from. */
export interface StatisticsContext {
  services: StatisticsSources;
  session: Session;
  /** Keys of the commit log that count. */
  regex: TextPattern;
}

export interface Statistic {
  readonly id: number;
  readonly name: string;
  value(context: StatisticsContext): unknown;
}

/** One whose value is a text as long as the commit log, made in parts. */
export interface LongStatistic {
  readonly id: number;
  readonly name: string;
  parts(context: StatisticsContext): AsyncIterable<string>;
}

const NOT_AVAILABLE = "Not Available";
const KILO = 1024;

function wantedKeys({ services, session, regex }: StatisticsContext): (key: string) => boolean {
  return commitFilter(regex, services.authorization.reader(session));
}

async function lastCommitId(context: StatisticsContext): Promise<string> {
  const { store } = context.services.records;
  return String((await lastCommitOf(store, wantedKeys(context))) ?? null);
}

/** JSON of an object; a key that changes meanwhile may come again, the later the newer. */
async function* latestCommits(context: StatisticsContext): AsyncGenerator<string, void, undefined> {
  const wanted = wantedKeys(context);
  const { store } = context.services.records;
  let before = "{";
  function* members(portion: Iterable<CommitEntry>): Iterable<string> {
    for (const { key, commitId, operation } of portion) {
      if (!wanted(key)) continue;
      yield `${before}${JSON.stringify(key)}:${JSON.stringify([commitId, operation])}`;
      before = ",";
    }
  }
  const commits = portions(
    (id: number) => store.commitsAfter(id),
    ({ commitId }) => commitId,
    -1,
  );
  for await (const portion of fromPortions(context.session, commits, members)) {
    yield [...portion].join("");
  }
  yield before === "{" ? "{}" : "}";
}

/** The most frequent names, the most frequent first, as JSON. */
function top(names: Iterable<string>, count: number): string {
  const visits = new Map<string, number>();
  for (const name of names) visits.set(name, (visits.get(name) ?? 0) + 1);
  const most = [...visits].sort(([, a], [, b]) => b - a).slice(0, count);
  return JSON.stringify(Object.fromEntries(most));
}

async function accesses({ services }: StatisticsContext, verb: string): Promise<AccessEntry[]> {
  return (await services.records.accesses()).filter((entry) => entry.verb === verb);
}

async function topAtSigns(context: StatisticsContext): Promise<string> {
  const visitors = (await accesses(context, "pol")).map(({ atSign }) => atSign);
  return top(visitors, context.services.tuning.statsTopVisits);
}

/** With an enrollment only keys it is also told of otherwise. */
async function topKeys(context: StatisticsContext): Promise<string> {
  const wanted = wantedKeys(context);
  const keys = (await accesses(context, "lookup")).flatMap(({ key }) =>
    key !== undefined && wanted(key) ? [key] : [],
  );
  return top(keys, context.services.tuning.statsTopKeys);
}

async function lastAccess({ services }: StatisticsContext, verb?: string): Promise<string> {
  const entries = await services.records.accesses();
  const last = entries.filter((entry) => verb === undefined || entry.verb === verb).at(-1);
  return last === undefined ? NOT_AVAILABLE : formatTime(last.time);
}

/** `{"size":"1.20","units":"KB"}` in the largest unit that gives at least 1. */
export function sizeInWords(bytes: number): string {
  if (bytes <= 0) return JSON.stringify({ size: "0", unit: "B" });
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(KILO)), units.length - 1);
  return JSON.stringify({ size: (bytes / KILO ** power).toFixed(2), units: units[power] });
}

async function notificationCount({ services }: StatisticsContext): Promise<string> {
  const counted = {
    total: 0,
    type: { sent: 0, received: 0 },
    status: { delivered: 0, failed: 0, queued: 0 },
    operations: { update: 0, delete: 0 },
    messageType: { key: 0, text: 0 },
  };
  for await (const portion of services.notifier.all()) {
    for (const { type, status, operation, messageType } of portion) {
      if (type === "self") continue;
      counted.total += 1;
      counted.type[type] += 1;
      if (status !== "expired") counted.status[status === "errored" ? "failed" : status] += 1;
      counted.operations[operation] += 1;
      counted.messageType[messageType] += 1;
    }
  }
  return JSON.stringify({ ...counted, createdOn: services.now() });
}

const kinds = { owner: "self", peer: "other", anonymous: "anon" } as const;

function connections(
  { services }: StatisticsContext,
  show: (sessions: Session[]) => unknown,
): Record<string, unknown> {
  const open = [...services.connections()];
  const of = (kind: keyof typeof kinds): unknown =>
    show(open.filter((session) => standing(session) === kind));
  return {
    total: open.length,
    [kinds.owner]: of("owner"),
    [kinds.peer]: of("peer"),
    [kinds.anonymous]: of("anonymous"),
  };
}

function describe(session: Session, atSign: string): Record<string, string | null> {
  return {
    from: session.owner ? atSign : (session.fromAtSign ?? null),
    created: new Date(session.openedAt).toISOString(),
    lastAccessed: new Date(session.lastWrite).toISOString(),
  };
}

/** Every statistic by its id (atProtocol, the stats verb). */
export const statistics: readonly (Statistic | LongStatistic)[] = [
  {
    id: 1,
    name: "activeInboundConnections",
    value: ({ services }) => String([...services.connections()].length),
  },
  {
    id: 2,
    name: "activeOutboundConnections",
    value: ({ services }) => String(services.peers.size),
  },
  { id: 3, name: "lastCommitID", value: lastCommitId },
  {
    id: 4,
    name: "secondaryStorageSize",
    value: ({ services }) => services.records.store.bytes(),
  },
  { id: 5, name: "topAtSigns", value: topAtSigns },
  { id: 6, name: "topKeys", value: topKeys },
  { id: 7, name: "secondaryServerVersion", value: ({ services }) => services.version },
  { id: 8, name: "LastLoggedInDatetime", value: (context) => lastAccess(context) },
  {
    id: 9,
    name: "diskSize",
    value: ({ services }) => sizeInWords(services.records.store.bytes()),
  },
  { id: 10, name: "LastPkam", value: (context) => lastAccess(context, "pkam") },
  { id: 11, name: "NotificationCount", value: notificationCount },
  {
    id: 12,
    name: "CommitLogCompactionStats",
    value: ({ services }) => compactionStatistics("commitLog", services.records),
  },
  {
    id: 13,
    name: "AccessLogCompactionStats",
    value: ({ services }) => compactionStatistics("accessLog", services.records),
  },
  {
    id: 14,
    name: "NotificationCompactionStats",
    value: ({ services }) => compactionStatistics("notification", services.records),
  },
  { id: 15, name: "LatestCommitEntryOfEachKey", parts: latestCommits },
  {
    id: 16,
    name: "activeInboundConnectionsSummary",
    value: (context) => connections(context, (sessions) => sessions.length),
  },
  {
    id: 17,
    name: "activeInboundConnectionsDetailed",
    value: (context) =>
      connections(context, (sessions) => ({
        count: sessions.length,
        list: sessions.map((session) => describe(session, context.services.atSign)),
      })),
  },
  {
    id: 18,
    name: "certificateExpiry",
    value: ({ services }) => {
      const { validTo, daysLeft } = validity(services.identity().certificate, services.now());
      return { validTo: validTo.toISOString(), daysLeft };
    },
  },
];

/** What `stats` without ids shows: the connections and the certificate only when asked for. */
export const LAST_DEFAULT_ID = 15;
