@ SPDX-License-Identifier: BSD-3-Clause
@ m3ret_t RunCode(pc_t pc, m3stack_t sp, M3MemoryHeader *mem, u32 callsLeft)
@ Runs code until an operation leaves by m3_exit_ok or m3_exit_trap. Registers while it runs: r4 pc, r5 sp, r6 and r7
@ the value register, r8 mem, r9 callsLeft; operations may change r10 and r11. An operation that calls nothing goes to the next one by
@ itself; one that does comes back here, and is sent on.

    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .section .text.RunCode, "ax"
    .balign 4
    .global RunCode
    .type RunCode, %function
    .thumb_func
RunCode:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    sub sp, #4                  @ a multiple of 8, as the procedure call standard wants it
    movs r4, r0
    movs r5, r1
    mov r8, r2
    mov r9, r3
    movs r6, #0
    movs r7, #0
1:  ldmia r4!, {r3}
    blx r3
    b 1b

    .thumb_func
leaveByTrap:
    ldr r0, =m3_trap
    ldr r0, [r0]
    b 2f
    .thumb_func
leave:
    movs r0, #0
2:  add sp, #4
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}
    .ltorg
    .size RunCode, . - RunCode

@ Code of one word each, to be jumped to.
    .section .rodata.m3_exit, "a"
    .balign 4
    .global m3_exit_ok
m3_exit_ok:
    .word leave
    .global m3_exit_trap
m3_exit_trap:
    .word leaveByTrap

    .section .bss.m3_trap, "aw", %nobits
    .balign 4
    .global m3_trap
m3_trap:
    .space 4
