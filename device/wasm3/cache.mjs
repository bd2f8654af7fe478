// SPDX-License-Identifier: BSD-3-Clause
// Edits of wasm3: compiled code as a cache (code.h). A call names the function, not its code, so that code can go while
// its caller runs; what entering a function needs stands in its code, not in the function table.

import { Source } from "./source.mjs";

const RUNTIME = `    M3CodePage *            pages;          // of the function being compiled

    u32                     codeBytes;
    u32                     codeMost;       // the greatest codeBytes so far
    u32                     codeLimit;      // 0: as many as there is memory for
    pc_t                    evictNext;      // the code after the last that was taken
    u32                     compiled;       // how often a function was compiled
    u32                     evicted;        // how often a function lost its code
    IM3Function             trapped;        // where the last trap came from
`;

function environment(folder) {
  new Source(folder, "m3_core.h")
    .cut("struct M3CodeMappingPage;\n", "#define d_m3CodePageFreeLinesThreshold")
    .cut("# if d_m3RecordBacktraces\nvoid        PushBacktraceFrame", "d_m3EndExternC")
    .save();
  new Source(folder, "m3_core.c").cutRest("#if d_m3RecordBacktraces", "").save();
  new Source(folder, "m3_env.h")
    .replace("    M3CodePage *            pagesReleased;\n\n", "")
    .cut(
      "    M3CodePage *            pagesOpen;",
      "    IM3Module               modules;",
      `${RUNTIME}\n`,
    )
    .replace("\tu32\t\t\t\t\t\tnewCodePageSequence;\n", "")
    .cut("IM3CodePage                 AcquireCodePage ", "d_m3EndExternC")
    .save();
  new Source(folder, "m3_env.c")
    .cut("IM3CodePage RemoveCodePageOfCapacity ", "IM3Runtime  m3_NewRuntime ")
    .cut(
      '    m3log (runtime, "freeing %d pages from environment"',
      "}\n\n\nvoid  m3_FreeEnvironment ",
    )
    .cut(
      "    Environment_ReleaseCodePages (i_runtime->environment",
      "    m3_Free (i_runtime->stack);",
    )
    .replace(
      "M3Result  m3_RunStart  (IM3Module io_module)\n",
      `${RUN}M3Result  m3_RunStart  (IM3Module io_module)\n`,
    )
    .replace(
      "        result = (M3Result) RunCode (function->compiled, (m3stack_t) runtime->stack, runtime->memory.mallocated, d_m3OpDefaultArgs);\n\n        if (result)",
      "        result = runFunction (runtime, function);\n\n        if (result)",
    )
    .cut("M3Result  m3_CallV ", "//u8 * AlignStackPointerTo64Bits", CALL)
    .cut("M3Result  m3_GetResultsV ", "#if d_m3VerboseErrorMessages\nM3Result  m3Error ")
    .cut("M3BacktraceInfo *  m3_GetBacktrace ", "    return NULL;\n# endif\n}\n")
    .replace("    return NULL;\n# endif\n}\n", "")
    .save();
}

const RUN = `static
M3Result  runFunction  (IM3Runtime i_runtime, IM3Function i_function)
{
    const pc_t code = i_function->compiled;
    CodeOf (code)->running++;
    M3Result result = (M3Result) RunCode (code, (m3stack_t) i_runtime->stack, i_runtime->memory.mallocated, d_m3OpDefaultArgs);
    CodeOf (code)->running--;
    return result;
}

`;

const CALL = `M3Result  m3_Call  (IM3Function i_function, uint32_t i_argc, const void * i_argptrs[])
{
    IM3Module module = FunctionModule (i_function);
    IM3Runtime runtime = module->runtime;
    M3Result result = m3Err_none;

    runtime->lastCalled = NULL;
    runtime->trapped = NULL;

_   (checkStartFunction (module))

    if (not i_function->compiled) {
_       (CompileFunction (i_function));
    }

    IM3FuncType ftype = FunctionType (i_function);

    if (i_argc != ftype->numArgs) {
        return m3Err_argumentCountMismatch;
    }

    u8 * s = GetStackPointerForArgs (i_function);

    for (u32 i = 0; i < ftype->numArgs; ++i)
    {
        switch (d_FuncArgType (ftype, i)) {
        case c_m3Type_i32:  *(i32*)(s) = *(i32*)i_argptrs[i];  s += 8; break;
        case c_m3Type_i64:  *(i64*)(s) = *(i64*)i_argptrs[i];  s += 8; break;
        default: return "unknown argument type";
        }
    }

    result = runFunction (runtime, i_function);

    if (result and not runtime->trapped)
        runtime->trapped = i_function;

    runtime->lastCalled = result ? NULL : i_function;

    _catch: return result;
}


`;

function compiler(folder) {
  new Source(folder, "m3_compile.c")
    .replaceAll("function->funcType->numArgs", "0")
    .replace("& slotTop, function->funcType, false", "& slotTop, FunctionType (function), false")
    .replaceAll(
      "GetFunctionNumArgsAndLocals (o->function)",
      "(u32) (GetFunctionNumArgs (o->function) + o->numLocals)",
    )
    .replace(
      "    if (o->function)\n        o->function->numLocals = numLocals;",
      "    o->numLocals = numLocals;",
    )
    .replace(
      "        if (function->module)\n",
      "        if (function->wasm or function->compiled)\n",
    )
    .cut(
      "            IM3Operation op;\n            const void * operand;\n",
      "        }\n        else\n        {\n            _throw (ErrorCompile (m3Err_functionImportMissing",
      `_           (EmitOp     (o, op_Call));
            EmitPointer (o, function);
            EmitSlotOffset  (o, slotTop);
`,
    )
    .cut(
      "    IM3CodePage page = AcquireCodePageWithCapacity (io_module->runtime, 4);",
      "// d_logOp, d_logOp2",
      RAW_FUNCTION,
    )
    .cutRest("M3Result  CompileFunction  (IM3Function io_function)", COMPILE_FUNCTION)
    .save();
}

const RAW_FUNCTION = `    IM3CodePage page = AcquireCodePageWithCapacity (io_module->runtime, 4);

    if (not page)
        return m3Err_mallocFailedCodePage;

    io_function->compiled = GetPagePC (page);

    EmitWord (page, op_CallRawFunction);
    EmitWord (page, i_function);
    EmitWord (page, io_function);
    EmitWord (page, i_userdata);

    ReleaseCodePage (io_module->runtime, page);
    KeepCode (io_module->runtime, page);
    return m3Err_none;
}


`;

const COMPILE_FUNCTION = `// The slots of arguments and returns, which come before the locals.
static
M3Result  CompileSignature  (IM3Compilation o)
{
    M3Result result = m3Err_none;

    u16 numRetSlots = GetFunctionNumReturns (o->function) * c_ioSlotCount;

    for (u16 i = 0; i < numRetSlots; ++i)
        MarkSlotAllocated (o, i);

    o->slotFirstDynamicIndex = numRetSlots;

    u16 numArgs = GetFunctionNumArgs (o->function);

    for (u16 i = 0; i < numArgs; ++i)
    {
_       (PushAllocatedSlot (o, GetFunctionArgType (o->function, i)));

        // prevent allocator fill-in
        o->slotFirstDynamicIndex += c_ioSlotCount;
    }

    o->slotMaxAllocatedIndexPlusOne = o->slotFirstLocalIndex = o->slotFirstDynamicIndex;

    _catch: return result;
}

// The constants behind the code, and what op_Entry reads at i_entry.
static
M3Result  EmitFrame  (IM3Compilation o, pc_t i_entry, u16 i_numLocalSlots)
{
    M3Result result = m3Err_none;

    u16 numConstantSlots = o->slotMaxConstIndex - o->slotFirstConstIndex;
    pc_t constants = NULL;

    if (numConstantSlots)
    {
        size_t bytes = numConstantSlots * sizeof (m3slot_t);
        u32 lines = (bytes + sizeof (code_t) - 1) / sizeof (code_t);
_       (EnsureCodePageNumLines (o, lines));
        constants = GetPC (o);
        memcpy ((void *) constants, o->constants, bytes);
        o->page->lineIndex += lines;
    }

    const u32 heights = o->maxStackSlots | (u32) o->slotFirstLocalIndex << 16;
    const u32 sizes = i_numLocalSlots | (u32) numConstantSlots << 16;
    memcpy ((void *) i_entry, & heights, sizeof heights);
    memcpy ((void *) (i_entry + 1), & sizes, sizeof sizes);
    memcpy ((void *) (i_entry + 2), & constants, sizeof constants);

    _catch: return result;
}

M3Result  CompileFunction  (IM3Function io_function)
{
    if (!io_function->wasm) return "function body is missing";

    IM3Module module = FunctionModule (io_function);
    IM3Runtime runtime = module->runtime;

    IM3Compilation o = & runtime->compilation;
    memset (o, 0x0, sizeof (M3Compilation));

    o->runtime  = runtime;
    o->module   = module;
    o->function = io_function;
    o->wasm     = module->codeSection + io_function->wasm;
    o->wasmEnd  = module->wasmEnd;
    o->block.type = FunctionType (io_function);

    IM3CodePage first = NULL;
_try {
    u32 size;
_   (ReadLEB_u32 (& size, & o->wasm, o->wasmEnd));
    o->wasmEnd = o->wasm + size;

_   (AcquireCompilationCodePage (o, & first));
    o->page = first;

    pc_t pc = GetPC (o);

_   (CompileSignature (o));
_   (CompileLocals (o));

    u16 maxSlot = GetMaxUsedSlotPlusOne (o);
    u16 numLocalSlots = maxSlot - o->slotFirstLocalIndex;

    o->slotFirstConstIndex = o->slotMaxConstIndex = maxSlot;

    // ReserveConstants initializes o->firstDynamicSlotNumber
_   (ReserveConstants (o));

    // start tracking the max stack used (Push() also updates this value) so that op_Entry can precisely detect stack overflow
    o->maxStackSlots = o->slotMaxAllocatedIndexPlusOne = o->slotFirstDynamicIndex;

    o->block.blockStackIndex = o->stackFirstDynamicIndex = o->stackIndex;

_   (EmitOp (o, op_Entry));
    pc_t entry = GetPC (o);
    EmitPointer (o, NULL);
    EmitPointer (o, NULL);
    EmitPointer (o, NULL);

_   (CompileBlockStatements (o));

    // TODO: validate opcode sequences
    _throwif(m3Err_wasmMalformed, o->previousOpcode != c_waOp_end);

_   (EmitFrame (o, entry, numLocalSlots));

    KeepCode (runtime, first);
    io_function->compiled = pc;
} _catch:
    if (result)
        KeepCode (runtime, NULL);

    return result;
}
`;

// Calls it, compiling it if need be, and goes on, or traps. The innermost function is the one that trapped.
const CALLS = `# define callFunction(FUNCTION, SP)                                                              \\
    m3ret_t r = m3Err_none;                                                                        \\
                                                                                                   \\
    if (M3_UNLIKELY (not (FUNCTION)->compiled))                                                    \\
        r = CompileFunction (FUNCTION);                                                            \\
                                                                                                   \\
    if (M3_LIKELY (not r))                                                                         \\
    {                                                                                              \\
        const pc_t code = (FUNCTION)->compiled;                                                    \\
        CodeOf (code)->running++;                                                                  \\
        r = Call (code, SP, _mem, d_m3OpDefaultArgs);                                              \\
        CodeOf (code)->running--;                                                                  \\
        _mem = memory->mallocated;                                                                 \\
    }                                                                                              \\
                                                                                                   \\
    if (M3_LIKELY (not r))                                                                         \\
        nextOp ();                                                                                 \\
    else                                                                                           \\
    {                                                                                              \\
        IM3Runtime runtime = m3MemRuntime (_mem);                                                  \\
        if (not runtime->trapped) runtime->trapped = (FUNCTION);                                   \\
        forwardTrap (r);                                                                           \\
    }

d_m3Op  (Call)
{
    IM3Function function        = immediate (IM3Function);
    i32 stackOffset             = immediate (i32);
    IM3Memory memory            = m3MemInfo (_mem);

    callFunction (function, slot_at (stackOffset));
}


d_m3Op  (CallIndirect)
{
    u32 tableIndex              = slot (u32);
    IM3Module module            = immediate (IM3Module);
    IM3FuncType type            = immediate (IM3FuncType);
    i32 stackOffset             = immediate (i32);
    IM3Memory memory            = m3MemInfo (_mem);

    if (M3_UNLIKELY (tableIndex >= module->table0Size))
        newTrap (m3Err_trapTableIndexOutOfRange);

    IM3Function function = module->table0 [tableIndex];

    if (M3_UNLIKELY (not function))
        newTrap (m3Err_trapTableElementIsNull);

    if (M3_UNLIKELY (type != FunctionType (function)))
        newTrap (m3Err_trapIndirectCallTypeMismatch);

    callFunction (function, slot_at (stackOffset));
}


`;

const ENTRY = `d_m3Op  (Entry)
{
    u32 heights                 = immediate (u32);
    u32 sizes                   = immediate (u32);
    const m3slot_t * constants  = immediate (const m3slot_t *);

    if (M3_LIKELY ((void *) (_sp + (heights & 0xffff)) < _mem->maxStack))
    {
        m3slot_t * slots = _sp + (heights >> 16);

        for (u32 i = sizes & 0xffff; i; --i)
            * slots++ = 0;

        for (u32 i = sizes >> 16; i; --i)
            * slots++ = * constants++;

        nextOp ();
    }
    else newTrap (m3Err_trapStackOverflow);
}


`;

function operations(folder) {
  new Source(folder, "m3_exec.h")
    .replace(
      "d_m3RetSig  Call  (d_m3OpSig)",
      "# define slot_at(OFFSET)            (_sp + (OFFSET))\n\nd_m3RetSig  Call  (d_m3OpSig)",
    )
    .cut("d_m3Op  (Call)\n", "d_m3Op  (CallRawFunction)", CALLS)
    .cut("// it's a debate: should the compilation", "d_m3Op  (Loop)", ENTRY)
    .save();
}

/** Applies the edits to the copy of wasm3 in `folder`, whose tables are shrunk already. */
export function makeCodeACache(folder) {
  environment(folder);
  compiler(folder);
  operations(folder);
}
