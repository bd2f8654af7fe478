// SPDX-License-Identifier: BSD-3-Clause
// What a board tries again by time; core/retries.ts has the core's. Nothing else here is. None of these pauses grows: each
// is as long as the longest would be, or has a bound.
#ifndef DEVICE_RETRIES_H
#define DEVICE_RETRIES_H

// A session that ended for good, or a start that failed: pause before the board restarts, without end.
#define RETRY_RESTART_MS 60000u
// A core that crashed: the same, sooner.
#define RETRY_CRASH_MS 5000u

// A question to a name server: how often at most, then the link has failed and the core's pauses count.
#define RETRY_DNS_MS 2000u
#define RETRY_DNS_TRIES 3u
// A message to the DHCP server: likewise.
#define RETRY_DHCP_MS 4000u
#define RETRY_DHCP_TRIES 4u
// The extension of a lease that was refused or not answered: for as long as the link is open.
#define RETRY_LEASE_MS 60000u

#endif
