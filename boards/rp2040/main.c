// SPDX-License-Identifier: BSD-3-Clause
// The firmware of the W5500-EVB-Pico: Ethernet, then the runtime with its application.
#include <string.h>

#include "board.h"
#include "boards/w5500/link.h"
#include "device/at.h"
#include "device/provisioning.h"
#include "device/store.h"

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

// The addresses the device was provisioned with; DHCP when there are none, or they can't be read.
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

int main(void) {
  static const char *const causes[] = {"power", "watchdog", "reboot", "crash"};
  LinkConfiguration configuration = {0};
  say(2, "atmicro on W5500-EVB-Pico");
  say(2, causes[hal_reset_cause() & 3]);
  if (at_start() != 0) {
    at_restart(0);
    return 1;
  }
  configure_network(&configuration);
  if (link_start(&configuration) != 0) {
    say(0, "the W5500 does not answer");
    at_restart(0);
    return 1;
  }
  at_restart(at_run(at_application()));
  return 1;
}
