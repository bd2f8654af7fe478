// SPDX-License-Identifier: BSD-3-Clause
// Start-up of a bare RV32 program on QEMU's `virt` machine, which loads it to RAM and enters here in machine mode.

    .section .init, "ax"
    .global _start
_start:
    // Relaxation would turn this into an addition to gp, which is what is being set.
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la t0, trapped
    csrw mtvec, t0
    la a0, __bss_start
    la a1, __bss_end
1:  bgeu a0, a1, 2f
    sw zero, 0(a0)
    addi a0, a0, 4
    j 1b
2:  call main
    li a0, 0
    j virt_exit

    .balign 4
trapped:
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    la sp, __stack_top
    j virt_trapped
