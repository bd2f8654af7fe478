// SPDX-License-Identifier: BSD-3-Clause

#include "../../../device/probe/probeBoard.h"

#include "../virt.h"

void probe_board_start(void) {}

uint8_t probe_board_read(void) { return virt_uart_read(); }

void probe_board_write(uint8_t byte) { virt_uart_write(byte); }

uint64_t probe_board_count(void) { return virt_instructions(); }

extern uint32_t __stack_bottom[], __stack_top[];

/** The stack is filled with a pattern below the caller and searched for the lowest word that changed. */
uint32_t probe_board_stack(void) {
    enum { PATTERN = 0x5aa5c33c };
    static uint32_t *from;
    uint32_t *here = __builtin_frame_address(0);
    uint32_t *low = __stack_bottom;
    while (low < here && *low == PATTERN) low++;
    uint32_t used = from == 0 || low >= from ? 0 : (uint32_t)((uint8_t *)from - (uint8_t *)low);
    // 64 bytes below this frame stay, for the loop's own spills.
    for (uint32_t *at = __stack_bottom; at < here - 16; at++) *at = PATTERN;
    from = here;
    return used;
}
