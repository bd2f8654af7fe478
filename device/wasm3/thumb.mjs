// SPDX-License-Identifier: BSD-3-Clause
// Edits of wasm3 for Thumb-1 (Cortex-M0, M0+), where GCC makes no tail calls and stock wasm3 would nest a native frame
// for every operation. Here operations have no arguments: the interpreter's state is in registers (thumbRun.S), and an
// operation ends by loading the address of the next and jumping there, which finishOperations() writes into the
// compiler's output. Slots are byte offsets, bounds are checked in 32 bits, aligned words are accessed as words.

import { Source } from "./source.mjs";

const OPERATION = `typedef void (* IM3Operation) (void);

m3ret_t  RunCode  (pc_t i_pc, m3stack_t i_sp, M3MemoryHeader * i_mem, u32 i_callsLeft);

# define d_m3OpDefaultArgs          (LIMIT_CALL_DEPTH - 1)
# define d_m3ClearRegisters

# define d_m3Op(NAME)               void op_##NAME (void)

# define nextOpDirect()             return
# define jumpOpDirect(PC)           do { _pc = (pc_t) (PC); return; } while (0)

`;

const REGISTERS = `#include <limits.h>

register pc_t               _pc     __asm ("r4");
register m3stack_t          _sp     __asm ("r5");
register m3reg_t            _r0     __asm ("r6");
register M3MemoryHeader *   _mem    __asm ("r8");
register u32                _calls  __asm ("r9");

extern m3ret_t              m3_trap;
extern const code_t         m3_exit_ok [], m3_exit_trap [];

# define exitOk()           do { _pc = (pc_t) m3_exit_ok; return; } while (0)
# define exitTrap(ERROR)    do { m3_trap = (ERROR); _pc = (pc_t) m3_exit_trap; return; } while (0)
# define Call(PC, SP, MEM, UNUSED)  RunCode (PC, SP, MEM, _calls - 1)

// The next two, or three, words of the code by one instruction, which wants its registers in their order.
# define immediates2(A, B)                                                  \\
    register u32 A __asm ("r2");                                            \\
    register u32 B __asm ("r3");                                            \\
    __asm ("ldmia %0!, {%1, %2}" : "+l" (_pc), "=l" (A), "=l" (B))
# define immediates3(A, B, C)                                               \\
    register u32 A __asm ("r1");                                            \\
    register u32 B __asm ("r2");                                            \\
    register u32 C __asm ("r3");                                            \\
    __asm ("ldmia %0!, {%1, %2, %3}" : "+l" (_pc), "=l" (A), "=l" (B), "=l" (C))

# define slotAt(TYPE, PLACE)        (* (TYPE *) ((u8 *) _sp + (PLACE)))
`;

// Thumb-1 faults on a word that is not aligned.
const ACCESS = `# define m3Inside(OPERAND, OFFSET, TYPE)                                \\
    ((OPERAND) >= (OFFSET) && (OPERAND) <= (u32) _mem->length - sizeof (TYPE))

static inline u32 fetch_u32 (const u8 * p)
{
    if (M3_LIKELY (((u32) p & 3) == 0)) return * (const u32 *) p;
    return p [0] | p [1] << 8 | p [2] << 16 | (u32) p [3] << 24;
}

static inline u16 fetch_u16 (const u8 * p)
{
    if (M3_LIKELY (((u32) p & 1) == 0)) return * (const u16 *) p;
    return p [0] | p [1] << 8;
}

# define fetch_u8(P)        (* (const u8 *) (P))
# define fetch_i8(P)        ((i8) fetch_u8 (P))
# define fetch_i16(P)       ((i16) fetch_u16 (P))
# define fetch_i32(P)       ((i32) fetch_u32 (P))
# define fetch_i64(P)       ((i64) (fetch_u32 (P) | (u64) fetch_u32 ((P) + 4) << 32))

static inline void put_u32 (u8 * p, u32 v)
{
    if (M3_LIKELY (((u32) p & 3) == 0)) * (u32 *) p = v;
    else { p [0] = v; p [1] = v >> 8; p [2] = v >> 16; p [3] = v >> 24; }
}

static inline void put_i16 (u8 * p, u32 v)
{
    if (M3_LIKELY (((u32) p & 1) == 0)) * (u16 *) p = v;
    else { p [0] = v; p [1] = v >> 8; }
}

# define put_u8(P, V)       (* (P) = (u8) (V))
# define put_i32(P, V)      put_u32 (P, (u32) (V))
# define put_i64(P, V)      do { const u64 whole = (u64) (V); put_u32 (P, (u32) whole);  \\
                                 put_u32 ((P) + 4, (u32) (whole >> 32)); } while (0)

#define d_m3Load(REG,DEST_TYPE,SRC_TYPE)                                \\
d_m3Op(DEST_TYPE##_Load_##SRC_TYPE##_r)                                 \\
{                                                                       \\
    u32 offset = immediate (u32);                                       \\
    u32 operand = (u32) _r0 + offset;                                   \\
    if (M3_LIKELY (m3Inside (operand, offset, SRC_TYPE))) {             \\
        REG = (DEST_TYPE) fetch_##SRC_TYPE (m3MemData (_mem) + operand); \\
        nextOp ();                                                      \\
    } else d_outOfBounds;                                               \\
}                                                                       \\
d_m3Op(DEST_TYPE##_Load_##SRC_TYPE##_s)                                 \\
{                                                                       \\
    immediates2 (place, offset);                                        \\
    u32 operand = slotAt (u32, place) + offset;                         \\
    if (M3_LIKELY (m3Inside (operand, offset, SRC_TYPE))) {             \\
        REG = (DEST_TYPE) fetch_##SRC_TYPE (m3MemData (_mem) + operand); \\
        nextOp ();                                                      \\
    } else d_outOfBounds;                                               \\
}

`;

const STORE = `#define d_m3Store(REG, SRC_TYPE, DEST_TYPE)                             \\
d_m3Op  (SRC_TYPE##_Store_##DEST_TYPE##_rs)                             \\
{                                                                       \\
    immediates2 (place, offset);                                        \\
    u32 operand = slotAt (u32, place) + offset;                         \\
    if (M3_LIKELY (m3Inside (operand, offset, DEST_TYPE))) {            \\
        put_##DEST_TYPE (m3MemData (_mem) + operand, REG);              \\
        nextOp ();                                                      \\
    } else d_outOfBounds;                                               \\
}                                                                       \\
d_m3Op  (SRC_TYPE##_Store_##DEST_TYPE##_sr)                             \\
{                                                                       \\
    immediates2 (place, offset);                                        \\
    const SRC_TYPE value = slotAt (SRC_TYPE, place);                    \\
    u32 operand = (u32) _r0 + offset;                                   \\
    if (M3_LIKELY (m3Inside (operand, offset, DEST_TYPE))) {            \\
        put_##DEST_TYPE (m3MemData (_mem) + operand, value);            \\
        nextOp ();                                                      \\
    } else d_outOfBounds;                                               \\
}                                                                       \\
d_m3Op  (SRC_TYPE##_Store_##DEST_TYPE##_ss)                             \\
{                                                                       \\
    immediates3 (source, place, offset);                                \\
    const SRC_TYPE value = slotAt (SRC_TYPE, source);                   \\
    u32 operand = slotAt (u32, place) + offset;                         \\
    if (M3_LIKELY (m3Inside (operand, offset, DEST_TYPE))) {            \\
        put_##DEST_TYPE (m3MemData (_mem) + operand, value);            \\
        nextOp ();                                                      \\
    } else d_outOfBounds;                                               \\
}

`;

/** Applies the edits to the copy of wasm3 in `folder`, which has all the others. */
export function dispatchByRegisters(folder) {
  new Source(folder, "m3_core.h").replace("    u32             callsLeft;\n", "").save();
  new Source(folder, "m3_env.c")
    .replace("    i_runtime->memory.mallocated->callsLeft = LIMIT_CALL_DEPTH - 1;\n", "")
    .save();
  new Source(folder, "m3_exec_defs.h")
    .cut("# define d_m3BaseOpSig", "d_m3EndExternC", OPERATION)
    .save();
  new Source(folder, "m3_exec.h")
    .replace("#include <limits.h>\n", REGISTERS)
    .replace("* (TYPE *) (_sp + immediate (i32))", "* (TYPE *) ((u8 *) _sp + immediate (i32))")
    .replace("(TYPE *) (_sp + immediate (i32))", "(TYPE *) ((u8 *) _sp + immediate (i32))")
    .cut("# define noCallLeft()", "# define slot_at", CALLS_LEFT)
    .replace("(_sp + (OFFSET))", "((m3stack_t) ((u8 *) _sp + (OFFSET)))")
    .replace(
      "    TYPE operand2 = slot (TYPE);                        \\\n    TYPE operand1 = slot (TYPE);                        \\\n    OP((RES), operand1, operand2, ##__VA_ARGS__);",
      "    immediates2 (second, first);                        \\\n    TYPE operand2 = slotAt (TYPE, second);              \\\n    TYPE operand1 = slotAt (TYPE, first);               \\\n    OP((RES), operand1, operand2, ##__VA_ARGS__);",
    )
    .cut("d_m3Op (CopySlot_32)", "d_m3Op (PreserveCopySlot_32)", copySlot("u32", 32))
    .cut("d_m3Op (CopySlot_64)", "d_m3Op (PreserveCopySlot_64)", copySlot("u64", 64))
    .cut("    #define newTrap(err)                    return err\n", "#endif", TRAPS)
    .replace(
      "d_m3CommutativeOp_i (i64, Multiply,         *)",
      "void op_i64_Multiply_rs (void);\nvoid op_i64_Multiply_ss (void);",
    )
    .cut("d_m3RetSig  Call  (d_m3OpSig)", "// TODO: OK, this needs")
    .replace("    forwardTrap (possible_trap);\n", RAW_END)
    .replaceAll("    return m3Err_none;", "    exitOk ();")
    .cut("#define d_m3Load(REG,DEST_TYPE,SRC_TYPE)", "#define d_m3Load_i(", ACCESS)
    .cut("#define d_m3Store(REG, SRC_TYPE, DEST_TYPE)", "// both operands can be in regs", STORE)
    .save();
  new Source(folder, "m3_compile.c")
    .replace('#include "m3_exec.h"', '#include "m3_exec_defs.h"\n#include "m3_operations.h"')
    .replace(
      "EmitWord32 (o->page, i_offset);",
      "EmitWord32 (o->page, i_offset * (i32) sizeof (m3slot_t));",
    )
    .save();
}

// A register of each RunCode's own.
const CALLS_LEFT = `# define noCallLeft()               (_calls == 0)
# define enterCall()                ((void) 0)
# define leaveCall()                ((void) 0)

`;

const copySlot = (type, width) => `d_m3Op (CopySlot_${width})
{
    immediates2 (to, from);
    slotAt (${type}, to) = slotAt (${type}, from);
    nextOp ();
}


`;

const TRAPS = `    #define newTrap(err)                    exitTrap (err)
    #define forwardTrap(err)                exitTrap (err)
`;

const RAW_END = `    if (M3_UNLIKELY (possible_trap != NULL)) exitTrap (possible_trap);
    exitOk ();
`;

/** The unit of the operations. */
export const OPERATIONS_UNIT = `#define M3_COMPILE_OPCODES
#include "m3_exec.h"
`;

/**
 * Flags of that unit. Identical operations must not be merged (GCC would have one call the other), nothing may be moved
 * into functions of its own, and r10 and r11 need not be kept. -O2: with -Os GCC 12 does not come to an end.
 */
export const OPERATIONS_FLAGS = [
  "-O2",
  "-fomit-frame-pointer",
  "-fno-jump-tables",
  "-fno-ipa-icf",
  "-fno-partial-inlining",
  "-fno-ipa-sra",
  "-fno-stack-protector",
  "-fno-tree-loop-distribute-patterns",
  "-ffunction-sections",
  "-fcall-used-r10",
  "-fcall-used-r11",
];

/** The operations are not what the dispatch needs. */
export class BadOperations extends Error {}

/** Declarations of all operations, from the preprocessed unit. @param {string} preprocessed */
export function declareOperations(preprocessed) {
  const names = [...preprocessed.matchAll(/\bvoid (op_\w+) \(void\)/g)].map(([, name]) => name);
  return `${[...new Set(names)].map((name) => `void ${name} (void);`).join("\n")}\n`;
}

/** Lines of each function of the assembly, by its name. */
function functionsOf(assembly) {
  const functions = new Map();
  let lines = null;
  for (const line of assembly.split("\n")) {
    const label = /^([A-Za-z_][\w.]*):/.exec(line)?.[1];
    if (label) {
      lines = [];
      functions.set(label, lines);
    }
    lines?.push(line.trim().replaceAll("\t", " "));
  }
  return functions;
}

/**
 * The compiler's assembly with every return made the jump to the next operation. Throws BadOperations when an operation
 * would nest a frame or return otherwise, or when there is a function that is not an operation.
 * @param {string} assembly
 */
export function finishOperations(assembly) {
  const functions = functionsOf(assembly);
  for (const [name, lines] of functions) {
    if (!name.startsWith("op_")) throw new BadOperations(`${name} is not an operation`);
    for (const line of lines) {
      if (/^bl? op_|^b[a-z]* op_/.test(line)) {
        throw new BadOperations(`${name} calls an operation: ${line}`);
      }
      if (/^bx (?!lr$)|^mov pc/.test(line)) throw new BadOperations(`${name} leaves by ${line}`);
    }
    if (!lines.some((line) => /^bx lr$|^pop \{.*pc\}$/.test(line))) {
      throw new BadOperations(`${name} does not end`);
    }
  }
  if (functions.size === 0) throw new BadOperations("there are no operations");
  return assembly.replaceAll(/^\tbx\tlr$/gm, "\tldmia\tr4!, {r3}\n\tbx\tr3");
}
