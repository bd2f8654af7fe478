// SPDX-License-Identifier: BSD-3-Clause
// Edits of wasm3: where it computes otherwise than WebAssembly's specification says, or refuses what is valid.
// device/test/randomModules.test.ts compares it with V8.

import { Source } from "./source.mjs";

/**
 * PRESERVED. A local that lies on the operand stack when it is set is kept in another slot, and every place on the stack
 * then counts as a user of that slot. An i64 takes two slots, of which wasm3 counted only the first when the local lay
 * there more than once: the second was given away while it was still in use.
 */
const PRESERVED = `            else
            {
_               (IncrementSlotUsageCount (o, * o_preservedSlotNumber));
                if (GetTypeNumSlots (GetStackTypeFromBottom (o, i)) == 2)
                {
_                   (IncrementSlotUsageCount (o, * o_preservedSlotNumber + 1));
                }
            }
`;

/** SELECTED. In code that never runs the operands may be missing; those that are there are taken, of whatever type. */
const SELECTED = `    else
    {
        _throwif (m3Err_functionStackUnderrun, not IsStackPolymorphic (o));

        for (u32 i = 0; i < 3; ++i)
_           (Pop (o));
    }

_   (EmitOp (o, op));
`;

function compiler(folder) {
  new Source(folder, "m3_compile.c")
    .replace(
      "            else\n_               (IncrementSlotUsageCount (o, * o_preservedSlotNumber));\n",
      PRESERVED,
    )
    .replace(
      "    else if (not IsStackPolymorphic (o))\n        _throw (m3Err_functionStackUnderrun);\n\n    EmitOp (o, op);\n",
      SELECTED,
    )
    .replace(
      "    u8 type = GetStackTypeFromTop (o, 1); // get type of selection\n",
      "    u8 type = GetNumBlockValuesOnStack (o) < 2 ? c_m3Type_none : GetStackTypeFromTop (o, 1);\n",
    )
    // After a return or a branch the block's values are gone, also where it never runs itself.
    .replace(
      "_       (EmitOp (o, op_Return));\n\n_       (SetStackPolymorphic (o));\n    }\n",
      "_       (EmitOp (o, op_Return));\n    }\n\n_   (SetStackPolymorphic (o));\n",
    )
    .replace(
      "            o->block.isPolymorphic = true;\n",
      "_           (SetStackPolymorphic (o));\n",
    )
    // Tail calls would be compiled as calls that do not return.
    .cut(
      '    M3OP( "return_call", ',
      "    M3OP_RESERVED,  M3OP_RESERVED,",
      "    M3OP_RESERVED, M3OP_RESERVED,\n\n",
    )
    .save();
}

function memory(folder) {
  // The number of pages wrapped: growing by 2^32 - 1 made the memory a page shorter.
  new Source(folder, "m3_exec.h")
    .replace(
      "        M3Result r = ResizeMemory (runtime, requiredPages);\n",
      "        M3Result r = requiredPages < numPagesToGrow ? m3Err_wasmMemoryOverflow : ResizeMemory (runtime, requiredPages);\n",
    )
    .save();
}

/** Applies the edits to the copy of wasm3 in `folder`. */
export function correct(folder) {
  compiler(folder);
  memory(folder);
}
