// SPDX-License-Identifier: BSD-3-Clause
// The firmware of the W5500-EVB-Pico: Ethernet, then the runtime with its application.
#include <string.h>

#include "board.h"
#include "device/at.h"
#include "device/provisioning.h"
#include "device/store.h"
#include "link.h"

// After a session that ended for good, before it is tried again.
#define AGAIN_MS 60000u

static void say(int level, const char *text) { hal_log(level, text, strlen(text)); }

// A locally administered address, always the same one for the same device.
static void hardware_address(uint8_t mac[6]) {
  const AtText self = at_configuration(PROVISIONED_ATSIGN);
  const AtText device = at_configuration(PROVISIONED_DEVICE);
  const uint32_t crc = crc32(crc32(0, (const uint8_t *)self.bytes, self.len),
                             (const uint8_t *)device.bytes, device.len);
  mac[0] = 0x02;
  mac[1] = 0x08;
  for (unsigned i = 0; i < 4; i++) mac[2 + i] = (uint8_t)(crc >> 8 * i);
}

// Reads the next dotted address of "address mask gateway nameserver". 1, or 0 when there is none.
static int take_address(AtText *text, uint8_t ip[4]) {
  for (unsigned part = 0; part < 4; part++) {
    unsigned value = 0;
    unsigned digits = 0;
    for (; text->len > 0 && text->bytes[0] >= '0' && text->bytes[0] <= '9'; digits++) {
      value = value * 10 + (unsigned)(text->bytes[0] - '0');
      if (value > 255) return 0;
      text->bytes++;
      text->len--;
    }
    if (digits == 0) return 0;
    ip[part] = (uint8_t)value;
    if (text->len == 0) return part == 3;
    if (text->bytes[0] != (part < 3 ? '.' : ' ')) return 0;
    text->bytes++;
    text->len--;
  }
  return 1;
}

// What the device was told of its network; without it, or when that can't be read, DHCP.
static void configure_network(LinkConfiguration *configuration) {
  AtText text = at_configuration(PROVISIONED_NETWORK);
  hardware_address(configuration->mac);
  if (text.len == 0) return;
  configuration->is_static = take_address(&text, configuration->addresses.ip) &&
                             take_address(&text, configuration->addresses.subnet) &&
                             take_address(&text, configuration->addresses.gateway) &&
                             take_address(&text, configuration->dns) && text.len == 0;
  if (!configuration->is_static) say(1, "the network's addresses can't be read; asking DHCP");
}

static void wait_and_restart(void) {
  for (uint64_t end = hal_now_ms() + AGAIN_MS; hal_now_ms() < end;) {
    hal_watchdog_feed();
    hal_wait(1000);
  }
  hal_reboot();
}

int main(void) {
  static const char *const causes[] = {"power", "watchdog", "reboot", "crash"};
  LinkConfiguration configuration = {0};
  say(2, "atmicro on W5500-EVB-Pico");
  say(2, causes[hal_reset_cause() & 3]);
  if (at_start() != 0) {
    wait_and_restart();
    return 1;
  }
  configure_network(&configuration);
  if (link_start(&configuration) != 0) {
    say(0, "the W5500 does not answer");
    wait_and_restart();
    return 1;
  }
  if (at_run(at_application()) == 0) wait_and_restart();
  hal_reboot();
  return 1;
}
