// SPDX-License-Identifier: BSD-3-Clause
// Reads addresses, each after its length in one byte-pair (big-endian), and writes what address_read makes of each.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

int main(void) {
  int high;
  while ((high = getchar()) != EOF) {
    const uint32_t len = (uint32_t)high << 8 | (uint32_t)getchar();
    // Exactly as long as the text: a sanitizer sees a byte read beyond it.
    char *text = malloc(len > 0 ? len : 1);
    char host[ADDRESS_HOST_MAX + 1];
    uint16_t port;
    if (!text || fread(text, 1, len, stdin) != len) return 1;
    if (address_read(text, len, host, &port) == 0) printf("%s %u\n", host, (unsigned)port);
    else puts("refused");
    free(text);
  }
  return 0;
}
