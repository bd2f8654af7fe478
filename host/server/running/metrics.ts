// SPDX-License-Identifier: BSD-3-Clause
// What an atServer tells a scraper: figures only, no key, no value, nobody's name.
import { counter, type Family, gauge } from "../../net/exposition.ts";
import type { Session } from "../access/session.ts";
import { standing } from "../access/session.ts";
import type { Counters } from "../config/counters.ts";
import type { Notifier } from "../notifications/notifier.ts";
import type { Peers } from "../peers/peers.ts";
import type { Records } from "../records/records.ts";
import { validity } from "./serverIdentity.ts";

/** What the figures are read from. */
export interface MetricsSources {
  readonly version: string;
  readonly now: () => number;
  readonly counters: Counters;
  readonly records: Records;
  readonly notifier: Notifier;
  readonly peers: Peers;
  identity(): { certificate: string };
  connections(): Iterable<Session>;
  lineBytes(): number;
  outputBytes(): number;
}

function connectionFamilies({
  counters,
  connections,
  lineBytes,
  outputBytes,
}: MetricsSources): Family[] {
  const open = { owner: 0, peer: 0, anonymous: 0 };
  let monitors = 0;
  for (const session of connections()) {
    open[standing(session)] += 1;
    if (session.monitor !== undefined) monitors += 1;
  }
  return [
    gauge(
      "atmicro_connections",
      "Open connections by who they are to the data.",
      ...Object.entries(open).map(([kind, value]) => ({ value, labels: { standing: kind } })),
    ),
    gauge("atmicro_monitors", "Open connections that monitor.", monitors),
    counter("atmicro_connections_opened_total", "Connections accepted.", counters.connections),
    counter(
      "atmicro_connections_refused_total",
      "Connections that found no room.",
      counters.connectionsRefused,
    ),
    counter(
      "atmicro_tls_handshake_failures_total",
      "TLS handshakes of clients that failed.",
      counters.handshakeFailures,
    ),
    gauge(
      "atmicro_unfinished_line_bytes",
      "Lines that haven't come whole or wait for their turn.",
      lineBytes(),
    ),
    gauge(
      "atmicro_waiting_output_bytes",
      "Answers and notifications that the other sides of connections haven't read.",
      outputBytes(),
    ),
  ];
}

function commandFamilies({ counters }: MetricsSources): Family[] {
  const byVerb = [...counters.byVerb];
  return [
    counter(
      "atmicro_commands_total",
      "Commands by verb, those of a batch too.",
      ...byVerb.map(([verb, { commands }]) => ({ value: commands, labels: { verb } })),
    ),
    counter(
      "atmicro_command_errors_total",
      "Commands that failed, by verb and the protocol's error code.",
      ...byVerb.flatMap(([verb, { errors }]) =>
        [...errors].map(([code, value]) => ({ value, labels: { verb, code } })),
      ),
    ),
  ];
}

function notificationFamilies({ counters, notifier, peers }: MetricsSources): Family[] {
  return [
    counter(
      "atmicro_notifications_queued_total",
      "Notifications taken for other atSigns.",
      counters.notificationsQueued,
    ),
    counter(
      "atmicro_notifications_delivered_total",
      "Notifications other atServers took.",
      counters.notificationsDelivered,
    ),
    counter(
      "atmicro_notifications_errored_total",
      "Attempts to deliver that failed.",
      counters.notificationsErrored,
    ),
    counter(
      "atmicro_notifications_received_total",
      "Notifications for the owner.",
      counters.notificationsReceived,
    ),
    gauge(
      "atmicro_notifications_waiting",
      "Notifications that wait for their delivery.",
      notifier.waiting,
    ),
    gauge("atmicro_peer_connections", "Connections to other atServers.", peers.size),
    counter(
      "atmicro_peer_connections_opened_total",
      "Connections to other atServers that were made.",
      counters.peerConnections,
    ),
    counter(
      "atmicro_peer_connections_failed_total",
      "Connections to other atServers that failed.",
      counters.peerConnectionsFailed,
    ),
  ];
}

function storeFamilies({ records: { store } }: MetricsSources): Family[] {
  const entries = Object.entries(store.counts());
  return [
    gauge("atmicro_store_bytes", "Bytes the store takes.", store.bytes()),
    gauge(
      "atmicro_store_entries",
      "Entries of the commit log, the access log and the notifications.",
      ...entries.map(([kind, value]) => ({ value, labels: { kind } })),
    ),
    gauge("atmicro_commit_id", "Latest commit, -1 before the first.", store.lastCommitId()),
  ];
}

export function serverMetrics(services: MetricsSources): Family[] {
  const { version, identity, now } = services;
  const { validTo } = validity(identity().certificate, now());
  return [
    gauge("atmicro_info", "What runs.", { value: 1, labels: { part: "atServer", version } }),
    ...connectionFamilies(services),
    ...commandFamilies(services),
    ...notificationFamilies(services),
    ...storeFamilies(services),
    gauge(
      "atmicro_certificate_expiry_timestamp_seconds",
      "When the certificate in use expires.",
      validTo.getTime() / 1000,
    ),
  ];
}
