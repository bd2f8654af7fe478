// SPDX-License-Identifier: BSD-3-Clause
// Edits of wasm3 for device/figures alone: the compiler tells what it meets, by compile_figure().

import { Source } from "./source.mjs";

const DECLARATION = `// \`value\` and \`more\` of what was met in the function.
void        compile_figure              (IM3Function i_function, const char * i_what, u32 i_value, u32 i_more);

d_m3EndExternC

#endif // m3_compile_h`;

const tell = (what, value, more = "0") =>
  `    compile_figure (o->function, "${what}", ${value}, ${more});\n`;

/** Applies the edits to the copy of wasm3 in `folder`, which has all the others. */
export function tellFigures(folder) {
  new Source(folder, "m3_compile.h")
    .replace("d_m3EndExternC\n\n#endif // m3_compile_h", DECLARATION)
    .save();
  new Source(folder, "m3_compile.c")
    // The situation that corrections.mjs mends: an i64 local that is set lies on the operand stack more than once.
    .replace(
      "_                   (IncrementSlotUsageCount (o, * o_preservedSlotNumber + 1));\n",
      `_                   (IncrementSlotUsageCount (o, * o_preservedSlotNumber + 1));\n${tell("preservedTwice", "i_localSlot")}`,
    )
    .replace(
      "    M3CompilationScope outerScope = o->block;\n",
      `    M3CompilationScope outerScope = o->block;\n${tell("block", "o->block.depth + 1")}`,
    )
    .replace(
      "    u32 numCodeLines = targetCount + 4;",
      `${tell("brTable", "targetCount")}    u32 numCodeLines = targetCount + 4;`,
    )
    .replace(
      "_           (EmitOp     (o, op_Call));\n",
      `${tell("call", "functionIndex", "slotTop")}_           (EmitOp     (o, op_Call));\n`,
    )
    .replace(
      "    const u32 heights = ",
      `${tell("frame", "M3_MAX (o->maxStackSlots, o->maxCallSlots)", "o->maxStackSlots")}    const u32 heights = `,
    )
    .save();
}
