@ SPDX-License-Identifier: BSD-3-Clause
@ The imports stop the emulator, which answers in r0 and r1; so does a called function when it returns.

    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .macro stop name, code
    .section .text.\name, "ax"
    .global \name
    .type \name, %function
    .thumb_func
\name:
    bkpt #\code
    bx lr
    .endm

    .section .returned, "ax"
    .global returned
    .thumb_func
returned:
    bkpt #0
    b returned

    stop import_now_ms, 1
    stop import_entropy, 2
    stop import_store_read, 3
    stop import_store_write, 4
    stop import_log, 5
    stop import_accelerators, 6
    stop import_accel_mod_exp, 7
    stop import_accel_aes256, 8
    stop import_accel_sha256, 9
    stop _exit, 10
    stop _sbrk, 11
    stop _kill, 12
    stop _getpid, 13
