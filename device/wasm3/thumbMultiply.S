@ SPDX-License-Identifier: BSD-3-Clause
@ i64.mul for Thumb-1, whose only product is of 32 bits: the operation that long numbers are made of. Registers and the
@ jump to the next operation as in thumbRun.S; r0 to r3 are free.

    .syntax unified
    .cpu cortex-m0plus
    .thumb

@ r7:r6 = r7:r6 * r3:r2, the low 64 bits, and on to the next operation
    .macro multiplyAndGoOn
    muls r3, r6, r3             @ the two products that only reach the high word
    muls r7, r2, r7
    adds r7, r7, r3
    uxth r0, r6                 @ the low words in halves: r6:r0 and r2:r1
    lsrs r6, r6, #16
    uxth r1, r2
    lsrs r2, r2, #16
    movs r3, r0
    muls r3, r1, r3             @ low * low
    muls r0, r2, r0             @ low * high
    muls r1, r6, r1             @ high * low
    muls r6, r2, r6             @ high * high
    adds r7, r7, r6
    adds r0, r0, r1             @ the middle, 33 bits
    movs r1, #0
    adcs r1, r1
    lsls r1, r1, #16
    adds r7, r7, r1
    lsrs r1, r0, #16
    lsls r0, r0, #16
    adds r6, r3, r0
    adcs r7, r1
    ldmia r4!, {r3}
    bx r3
    .endm

    .macro operation name
    .section .text.\name, "ax"
    .balign 4
    .global \name
    .type \name, %function
    .thumb_func
\name:
    .endm

@ slot * register
    operation op_i64_Multiply_rs
    ldmia r4!, {r3}
    adds r3, r3, r5
    ldmia r3, {r2, r3}
    multiplyAndGoOn

@ slot * slot
    operation op_i64_Multiply_ss
    ldmia r4!, {r2, r3}
    adds r2, r2, r5
    adds r3, r3, r5
    ldmia r3!, {r6, r7}
    ldmia r2, {r2, r3}
    multiplyAndGoOn
