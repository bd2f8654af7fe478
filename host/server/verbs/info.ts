// SPDX-License-Identifier: BSD-3-Clause
import { data, type Verb } from "./verb.ts";

/** `1 hours 35 minutes 29 seconds`, without leading zero units. */
export function uptimeAsWords(millis: number): string {
  const total = Math.floor(millis / 1000);
  const units: [number, string][] = [
    [Math.floor(total / 86_400), "days"],
    [Math.floor(total / 3_600) % 24, "hours"],
    [Math.floor(total / 60) % 60, "minutes"],
    [total % 60, "seconds"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  return units
    .slice(first < 0 ? -1 : first)
    .map(([count, name]) => `${count} ${name}`)
    .join(" ");
}

/** Version, running time, and the certificates shown to other atServers (atProtocol, the info verb). */
export const info: Verb = {
  name: "info",
  accepts: (command) => /^info(?:$|:)/.test(command),
  auth: "none",
  grammar: /^info(?::(?<kind>brief|mtls|mtlsbrief))?$/i,
  usage: "info[:brief|:mtls|:mtlsbrief]",
  run(args, session, services) {
    const { version } = services;
    const uptime = services.now() - services.startedAt;
    switch (args.kind?.toLowerCase()) {
      case "brief":
        return data(JSON.stringify({ version, uptimeAsMillis: uptime }));
      case "mtls":
        return data(JSON.stringify({ mtls_fullchain: services.identity().certificate }));
      case "mtlsbrief": {
        const since = new Date(services.identity().since).toISOString();
        return data(
          JSON.stringify({
            mtls_fullchain_last_modified: since,
            mtls_privkey_last_modified: since,
          }),
        );
      }
    }
    const enrolled =
      session.enrollmentId === undefined
        ? undefined
        : services.enrollments.get(session.enrollmentId)?.enrollment;
    return data(
      JSON.stringify({
        version,
        uptimeAsWords: uptimeAsWords(uptime),
        // For another atServer: several commands may be on their way at once.
        ...(session.peer !== undefined && { pipelining: true }),
        ...(enrolled !== undefined && { apkam_metadata: enrolled }),
      }),
    );
  },
};
