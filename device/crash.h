// SPDX-License-Identifier: BSD-3-Clause
// The report of a crash for the owner: kept in the store, sent at the next login as a record of the device's own, so
// that it waits encrypted on the atServer until somebody looks, and logged.
#ifndef DEVICE_CRASH_H
#define DEVICE_CRASH_H

#include <stdint.h>

#define CRASH_TEXT_MAX 192u

// Keeps why the core stopped and in which wasm function (negative: unknown). reason is cut after 59 bytes.
void crash_remember(const char *reason, int32_t function);

// The report for the owner, as a JSON object {"cause":"reboot","reason":"[trap] …","function":12}; reason and function only
// after a crash of the core. Its length, at most CRASH_TEXT_MAX; 0 when there is nothing to report.
uint32_t crash_text(char *out);

// The owner has it: forgets what crash_remember kept.
void crash_forget(void);

#endif
