// SPDX-License-Identifier: BSD-3-Clause
// Carries out one instruction after the other, each with registers of its own, and writes a digest of what it left behind
// to the UART of QEMU's `virt` machine: all registers, where it went, and why. rv32.test.ts fills in the cases.

    .equ UART, 0x10000000
    .equ FINISHER, 0x100000
    .equ CASES, 0x81000000
    .equ SETS, 0x80800000
    // Two megabytes of ebreaks with the instruction in their middle, so that whatever jumps lands on one.
    .equ FIELD, 0x82000000
    .equ FIELD_END, 0x82200000
    .equ PLACE, 0x82100000

    .section .init, "ax"
    .global _start
_start:
    la t0, trapped
    csrw mtvec, t0
    li t0, FIELD
    li t1, FIELD_END
    li t2, 0x90029002
1:  sw t2, 0(t0)
    addi t0, t0, 4
    bltu t0, t1, 1b
    la s0, state
    // s0: state; kept there: the next case, cases left.
    li t0, CASES
    lw t1, 0(t0)
    addi t0, t0, 4
    sw t0, 128(s0)
    sw t1, 132(s0)

// A case: the instruction, the number of its registers' set.
next:
    la s0, state
    lw t1, 132(s0)
    beqz t1, finished
    addi t1, t1, -1
    sw t1, 132(s0)
    lw t0, 128(s0)
    lw t2, 0(t0)
    lw t3, 4(t0)
    addi t0, t0, 8
    sw t0, 128(s0)
    li t0, PLACE
    // Half by half, with what was there behind a short one.
    sh t2, 0(t0)
    andi t4, t2, 3
    addi t4, t4, -3
    srli t2, t2, 16
    bnez t4, 1f
    sh t2, 2(t0)
    j 2f
1:  li t2, 0x9002
    sh t2, 2(t0)
2:  li t2, 0x9002
    sh t2, 4(t0)
    fence.i
    csrw mscratch, s0
    csrw mepc, t0
    // Stays in machine mode.
    li t0, 0x1800
    csrw mstatus, t0
    slli t3, t3, 7
    li x1, SETS
    add x1, x1, t3
    lw x2, 8(x1)
    lw x3, 12(x1)
    lw x4, 16(x1)
    lw x5, 20(x1)
    lw x6, 24(x1)
    lw x7, 28(x1)
    lw x8, 32(x1)
    lw x9, 36(x1)
    lw x10, 40(x1)
    lw x11, 44(x1)
    lw x12, 48(x1)
    lw x13, 52(x1)
    lw x14, 56(x1)
    lw x15, 60(x1)
    lw x16, 64(x1)
    lw x17, 68(x1)
    lw x18, 72(x1)
    lw x19, 76(x1)
    lw x20, 80(x1)
    lw x21, 84(x1)
    lw x22, 88(x1)
    lw x23, 92(x1)
    lw x24, 96(x1)
    lw x25, 100(x1)
    lw x26, 104(x1)
    lw x27, 108(x1)
    lw x28, 112(x1)
    lw x29, 116(x1)
    lw x30, 120(x1)
    lw x31, 124(x1)
    lw x1, 4(x1)
    mret

    .balign 4
trapped:
    csrrw x31, mscratch, x31
    sw x1, 4(x31)
    sw x2, 8(x31)
    sw x3, 12(x31)
    sw x4, 16(x31)
    sw x5, 20(x31)
    sw x6, 24(x31)
    sw x7, 28(x31)
    sw x8, 32(x31)
    sw x9, 36(x31)
    sw x10, 40(x31)
    sw x11, 44(x31)
    sw x12, 48(x31)
    sw x13, 52(x31)
    sw x14, 56(x31)
    sw x15, 60(x31)
    sw x16, 64(x31)
    sw x17, 68(x31)
    sw x18, 72(x31)
    sw x19, 76(x31)
    sw x20, 80(x31)
    sw x21, 84(x31)
    sw x22, 88(x31)
    sw x23, 92(x31)
    sw x24, 96(x31)
    sw x25, 100(x31)
    sw x26, 104(x31)
    sw x27, 108(x31)
    sw x28, 112(x31)
    sw x29, 116(x31)
    sw x30, 120(x31)
    csrr t0, mscratch
    sw t0, 124(x31)
    csrr t0, mepc
    sw t0, 0(x31)
    csrr t1, mcause
    // The value register of a breakpoint differs between machines.
    li t2, 3
    li t3, 0
    beq t1, t2, 1f
    csrr t3, mtval
1:  sw t1, 136(x31)
    sw t3, 140(x31)
    // FNV-1a by words, of the registers, the cause and what a store could have changed beside the place.
    li a0, 0x811c9dc5
    li a1, 0x01000193
    mv a2, x31
    addi a3, x31, 144
1:  lw a4, 0(a2)
    addi a2, a2, 4
    addi a5, x31, 128
    sub a5, a2, a5
    // Not the place of the next case, nor their number.
    li a6, 8
    addi a5, a5, -4
    bltu a5, a6, 2f
    xor a0, a0, a4
    mul a0, a0, a1
2:  bltu a2, a3, 1b
    li a2, PLACE + 0x8000 - 64
    li a3, PLACE + 0x8000 + 64
3:  lw a4, 0(a2)
    addi a2, a2, 4
    xor a0, a0, a4
    mul a0, a0, a1
    bltu a2, a3, 3b
    // A byte a store of the UART, most significant first.
    li a1, UART
    li a2, 24
4:  srl a3, a0, a2
    sb a3, 0(a1)
    addi a2, a2, -8
    bgez a2, 4b
    j next

finished:
    li t0, FINISHER
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b

    .balign 64
state:
    .zero 192
