// SPDX-License-Identifier: BSD-3-Clause
// Second stage of the boot: the ROM copies these 256 bytes to the end of SRAM, checks the CRC the build put into the
// last four, and calls it (RP2040 datasheet, 2.8.1.3.1). It sets the flash interface up for Dual Output Fast Read
// (3Bh): at clk_sys / 2, with neither a mode nor a status bit left behind in the flash chip, so that any reset finds
// it as it is after power. Called again with a return address after the flash was written, it only does the set-up.
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot2, "ax"

    .equ PADS_QSPI, 0x40020000
    .equ SSI, 0x18000000
    .equ SSI_CTRLR0, 0x00
    .equ SSI_CTRLR1, 0x04
    .equ SSI_SSIENR, 0x08
    .equ SSI_BAUDR, 0x14
    .equ SSI_RX_SAMPLE_DLY, 0xf0
    .equ SSI_SPI_CTRLR0, 0xf4
    .equ VECTORS, 0x10000100
    .equ VTOR, 0xe000ed08

    .thumb_func
    .global boot2
boot2:
    // SCLK: 8 mA, fast slew; SD0 to SD3: no Schmitt trigger, for the sampling point.
    ldr r3, =PADS_QSPI
    movs r0, #0x21
    str r0, [r3, #4]
    ldr r0, [r3, #8]
    movs r1, #2
    bics r0, r1
    str r0, [r3, #8]
    str r0, [r3, #12]
    str r0, [r3, #16]
    str r0, [r3, #20]

    ldr r3, =SSI
    movs r0, #0
    str r0, [r3, #SSI_SSIENR]
    movs r0, #2
    str r0, [r3, #SSI_BAUDR]
    // Half a bit of the fastest clock later: the flash answers on the falling edge.
    movs r0, #1
    movs r1, #SSI_RX_SAMPLE_DLY
    str r0, [r3, r1]
    // SPI_FRF dual (21), 32 bits a frame (16), TMOD EEPROM read (8).
    ldr r0, =(1 << 21) | (31 << 16) | (3 << 8)
    str r0, [r3, #SSI_CTRLR0]
    movs r0, #0
    str r0, [r3, #SSI_CTRLR1]
    // Command 3Bh (24), 8 wait cycles (11), 8-bit instruction (8), 24-bit address (2), both on one line (0).
    ldr r0, =(0x3b << 24) | (8 << 11) | (2 << 8) | (6 << 2)
    ldr r1, =SSI + SSI_SPI_CTRLR0
    str r0, [r1]
    movs r0, #1
    str r0, [r3, #SSI_SSIENR]

    mov r0, lr
    cmp r0, #0
    beq start
    bx lr

start:
    ldr r0, =VECTORS
    ldr r1, =VTOR
    str r0, [r1]
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1

    .ltorg
