// SPDX-License-Identifier: BSD-3-Clause
// Edits of wasm3: limits of what a module may use, each with an error of its own. settings.h names them. Without them a
// valid module could write beyond the value stack, beyond the heap or over the native stack.

import { Source } from "./source.mjs";

const ERRORS = `
// limits
d_m3ErrorConst  (callDepth,                     "[trap] call depth exceeded")
d_m3ErrorConst  (blockNesting,                  "block nesting exceeded")
d_m3ErrorConst  (branchTable,                   "br_table too large")
d_m3ErrorConst  (severalValues,                 "block with parameters, or several results")
d_m3ErrorConst  (noMemory,                      "linear memory without a page")
`;

function errors(folder) {
  new Source(folder, "wasm3.h")
    .replace('"[trap] stack overflow")\n', `"[trap] value stack overflow")\n${ERRORS}`)
    .save();
}

// A call's arguments and results lie beyond the caller's own slots, and are written before the callee checks the stack:
// they count as the caller's. Not in maxStackSlots, from which slots are taken, too.
const CALL_SLOTS = `    u16 argTop = topSlot + (numArgs + numRets) * c_ioSlotCount;

    _throwif (m3Err_severalValues, numRets > 1);
    _throwif (m3Err_functionStackOverflow, topSlot + numRets * c_ioSlotCount > d_m3MaxFunctionSlots);
    o->maxCallSlots = M3_MAX (o->maxCallSlots, argTop);
`;

function valueStack(folder) {
  new Source(folder, "m3_compile.h")
    .replace(
      "    u16                 maxStackSlots;\n",
      "    u16                 maxStackSlots;\n    u16                 maxCallSlots;\n",
    )
    .save();
  new Source(folder, "m3_compile.c")
    .replace("    u16 argTop = topSlot + (numArgs + numRets) * c_ioSlotCount;\n", CALL_SLOTS)
    .replace(
      "    const u32 heights = o->maxStackSlots | ",
      "    const u32 heights = M3_MAX (o->maxStackSlots, o->maxCallSlots) | ",
    )
    .replace(
      "    u16 numRetSlots = GetFunctionNumReturns (o->function) * c_ioSlotCount;\n",
      "    _throwif (m3Err_severalValues, GetFunctionNumReturns (o->function) > 1);\n\n    u16 numRetSlots = GetFunctionNumReturns (o->function) * c_ioSlotCount;\n",
    )
    .save();
  // The outermost function's arguments, too, are written before it checks. No slots are kept for what isn't counted.
  new Source(folder, "m3_env.c")
    .replace(
      "i_stackSizeInBytes + 4*sizeof (m3slot_t)); // TODO: more precise stack checks",
      "i_stackSizeInBytes);",
    )
    .replace(
      "    u8 * s = GetStackPointerForArgs (i_function);\n",
      "    if ((ftype->numRets + ftype->numArgs) * (sizeof (u64) / sizeof (m3slot_t)) > runtime->numStackSlots) {\n        return m3Err_trapStackOverflow;\n    }\n\n    u8 * s = GetStackPointerForArgs (i_function);\n",
    )
    .save();
}

function compiler(folder) {
  new Source(folder, "m3_compile.c")
    .replace(
      "    M3CompilationScope outerScope = o->block;\n",
      "    if (o->block.depth >= LIMIT_BLOCK_NESTING) return m3Err_blockNesting;\n\n    M3CompilationScope outerScope = o->block;\n",
    )
    .replace(
      "_   (ReadLEB_u32 (& targetCount, & o->wasm, o->wasmEnd));\n\n_   (PreserveRegisterIfOccupied",
      "_   (ReadLEB_u32 (& targetCount, & o->wasm, o->wasmEnd));\n\n    _throwif (m3Err_branchTable, targetCount > LIMIT_BR_TABLE);\n\n_   (PreserveRegisterIfOccupied",
    )
    // Several values on the way into a block or out of it are computed wrongly, and by recursion.
    .replace(
      "        *o_blockType = o->module->funcTypes[type];",
      "        *o_blockType = o->module->funcTypes[type];\n        _throwif (m3Err_severalValues, GetFuncTypeNumParams (*o_blockType) > 0 or GetFuncTypeNumResults (*o_blockType) > 1);",
    )
    // When these have no room, what follows would be written beyond it.
    .replace(
      "                EmitOp          (o, op);\n                EmitSlotOffset  (o, preservedSlotNumber);",
      "_               (EmitOp (o, op));\n                EmitSlotOffset  (o, preservedSlotNumber);",
    )
    .replace(
      "    PushBlockResults (o);\n\n    stackIndex",
      "_   (PushBlockResults (o));\n\n    stackIndex",
    )
    // Thumb-1 takes the bytes of an access off the memory's length.
    .replace(
      "    if (IsFpType (opInfo->type))\n_       (PreserveRegisterIfOccupied (o, c_m3Type_f64));\n\n_   (Compile_Operator",
      "    _throwif (m3Err_noMemory, o->module->memoryInfo.initPages == 0);\n\n_   (Compile_Operator",
    )
    .save();
}

// A loop goes back by a jump instead of returning to an operation that waits on the native stack.
function loops(source) {
  source
    .cut("d_m3Op  (Loop)\n", "d_m3Op  (Branch)\n", "d_m3Op  (Loop)\n{\n    nextOp ();\n}\n\n\n")
    .replace("    void * loopId = immediate (void *);\n    return loopId;", "    jumpOp (* _pc);")
    .replace("        return loopId;", "        jumpOp (loopId);");
}

const CALL_MACROS = `# define noCallLeft()               (_mem->callsLeft == 0)
# define enterCall()                (_mem->callsLeft--)
# define leaveCall()                (_mem->callsLeft++)

# define slot_at`;

function calls(folder) {
  new Source(folder, "m3_core.h")
    .replace(
      "    size_t          length;\n",
      "    size_t          length;\n    u32             callsLeft;\n",
    )
    .save();
  new Source(folder, "m3_env.c")
    .replace(
      "    M3Result result = (M3Result) RunCode",
      "    i_runtime->memory.mallocated->callsLeft = LIMIT_CALL_DEPTH - 1;\n    M3Result result = (M3Result) RunCode",
    )
    .save();
  const source = new Source(folder, "m3_exec.h")
    .replace("# define slot_at", CALL_MACROS)
    .replace(
      "    if (M3_UNLIKELY (not (FUNCTION)->compiled)) ",
      "    if (M3_UNLIKELY (noCallLeft ()))                                                               \\\n        r = m3Err_callDepth;                                                                       \\\n    else if (M3_UNLIKELY (not (FUNCTION)->compiled)) ",
    )
    .replace(
      "        r = Call (code, SP,",
      "        enterCall ();                                                                              \\\n        r = Call (code, SP,",
    )
    .replace(
      "        _mem = memory->mallocated;                                                                 \\\n    }",
      "        _mem = memory->mallocated;                                                                 \\\n        leaveCall ();                                                                              \\\n    }",
    );
  loops(source);
  source.save();
}

/** Applies the edits to the copy of wasm3 in `folder`, whose code is a cache already. */
export function limit(folder) {
  errors(folder);
  valueStack(folder);
  compiler(folder);
  calls(folder);
}
