// SPDX-License-Identifier: BSD-3-Clause
// What an atDirectory tells a scraper: figures only, nobody's name.
import { X509Certificate } from "node:crypto";
import { counter, type Family, gauge } from "../net/exposition.ts";
import type { DirectoryCounters } from "./counters.ts";

export function directoryMetrics(
  counters: DirectoryCounters,
  connections: number,
  certificate: string,
): Family[] {
  const { found, missing, failed } = counters;
  const expiry = new Date(new X509Certificate(certificate).validTo).getTime() / 1000;
  return [
    gauge("atmicro_info", "What runs.", { value: 1, labels: { part: "atDirectory" } }),
    gauge("atmicro_connections", "Open connections, also those in their handshake.", connections),
    counter("atmicro_connections_opened_total", "Connections accepted.", counters.connections),
    counter(
      "atmicro_tls_handshake_failures_total",
      "TLS handshakes of clients that failed.",
      counters.handshakeFailures,
    ),
    counter(
      "atmicro_directory_lookups_total",
      "Lookups by what came of them.",
      ...Object.entries({ found, missing, failed }).map(([outcome, value]) => ({
        value,
        labels: { outcome },
      })),
    ),
    gauge(
      "atmicro_certificate_expiry_timestamp_seconds",
      "When the certificate in use expires.",
      expiry,
    ),
  ];
}
