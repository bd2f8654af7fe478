// SPDX-License-Identifier: BSD-3-Clause
// Edits of wasm3: smaller tables. A function takes 8 bytes on a 32-bit chip instead of 68, a global 16 instead of 40;
// names, types of functions, data segments and constant expressions stay in the module's bytes (names.c).

import { Source } from "./source.mjs";

const FUNCTION = `typedef struct M3Function
{
    pc_t                    compiled;       // NULL: not now
    u16                     index;          // in the module
    u16                     wasm;           // where the body begins, with its size, in the code section; 0: an import
}
M3Function;

// The module stands before its first function.
struct M3Module *           FunctionModule              (IM3Function i_function);
IM3FuncType                 FunctionType                (IM3Function i_function);

`;

const GLOBAL = `typedef struct M3Global
{
    union
    {
        i32 i32Value;
        i64 i64Value;
    };

    bytes_t                 initExpr;       // NULL: imported
    u8                      type;
    bool                    imported;
    bool                    isMutable;
}
M3Global;


//---------------------------------------------------------------------------------------------------------------------------------
`;

function headers(folder) {
  new Source(folder, "m3_function.h")
    .cut("typedef struct M3Function\n", "void        Function_Release", FUNCTION)
    .cut("void        Function_Release", "u16         GetFunctionNumArgs ")
    .replace("u32         GetFunctionNumArgsAndLocals (IM3Function i_function);\n", "")
    .save();
  new Source(folder, "m3_compile.h")
    .replace(
      "    u16                 maxStackSlots;\n",
      "    u16                 maxStackSlots;\n    u16                 numLocals;                  // not including args\n",
    )
    .save();
  new Source(folder, "m3_env.h")
    .cut("typedef struct M3DataSegment", "typedef struct M3Global")
    .cut("typedef struct M3Global", "typedef struct M3Module\n", GLOBAL)
    .replace(
      "    M3DataSegment *         dataSegments;\n",
      "    bytes_t                 dataSection;\n    bytes_t                 dataSectionEnd;\n",
    )
    .replace(
      "    i32                     startFunction;\n",
      `    i32                     startFunction;

    u32                     numImports;
    bytes_t                 importSection;          // its entries
    bytes_t                 importSectionEnd;
    u32                     numExports;
    bytes_t                 exportSection;
    bytes_t                 exportSectionEnd;
    bytes_t                 functionSection;        // types of the functions that are no imports
    bytes_t                 codeSection;
`,
    )
    .replace("u32 i_typeIndex, IM3ImportInfo i_importInfo /* can be null */)", "u32 i_typeIndex)")
    .replace(
      "void                        FreeImportInfo              (M3ImportInfo * i_info);\n",
      "",
    )
    .save();
}

function parse(folder) {
  new Source(folder, "m3_parse.c")
    .replace('#include "m3_info.h"', '#include "names.h"')
    .replace("funcTypeIndex, NULL /* import info */)", "funcTypeIndex)")
    .cut("M3Result  ParseSection_Import ", "M3Result  ParseSection_Start ")
    .cut("M3Result  Parse_InitExpr ", "M3Result  ParseSection_Element ")
    .replace(
      "_   (Module_PreallocFunctions(io_module, io_module->numFunctions + numFunctions));\n",
      "_   (Module_PreallocFunctions(io_module, io_module->numFunctions + numFunctions));\n    io_module->functionSection = i_bytes;\n",
    )
    .replace(
      "    if (numFunctions != io_module->numFunctions - io_module->numFuncImports)",
      "    io_module->codeSection = section;\n\n    if (numFunctions != io_module->numFunctions - io_module->numFuncImports)",
    )
    .replace(
      "M3Result  ParseSection_Code  (M3Module * io_module, bytes_t i_bytes, cbytes_t i_end)\n{\n",
      "M3Result  ParseSection_Code  (M3Module * io_module, bytes_t i_bytes, cbytes_t i_end)\n{\n    const bytes_t section = i_bytes;\n",
    )
    .replace(
      "                func->module = io_module;\n                func->wasm = start;\n                func->wasmEnd = i_bytes;\n",
      CODE_PLACE,
    )
    .cut(
      "    io_module->dataSegments = m3_AllocArray",
      "    _catch:\n\n    return result;\n}\n\n\nM3Result  ParseSection_Memory",
      `    io_module->dataSection = i_bytes;
    io_module->dataSectionEnd = i_end;
    io_module->numDataSegments = numDataSegments;

    for (u32 i = 0; i < numDataSegments; ++i)
    {
        u32 memoryRegion, size;
_       (ReadLEB_u32 (& memoryRegion, & i_bytes, i_end));
_       (EvaluateExpression (io_module, NULL, c_m3Type_i32, & i_bytes, i_end));
_       (ReadLEB_u32 (& size, & i_bytes, i_end));
        _throwif("data segment underflow", size > (u32) (i_end - i_bytes));
        i_bytes += size;
    }

`,
    )
    .replace(
      "_       (Parse_InitExpr (io_module, & i_bytes, i_end));\n        global->initExprSize = (u32) (i_bytes - global->initExpr);\n\n        _throwif (m3Err_wasmMissingInitExpr, global->initExprSize <= 1);\n",
      "_       (EvaluateExpression (io_module, NULL, type, & i_bytes, i_end));\n",
    )
    .cut(
      "M3Result  ParseSection_Name ",
      "M3Result  ParseModuleSection ",
      `M3Result  ParseSection_Custom  (M3Module * io_module, bytes_t i_bytes, cbytes_t i_end)
{
    return m3Err_none;
}


`,
    )
    .replace("    static M3Parser s_parsers [] =", "    static const M3Parser s_parsers [] =")
    .save();
}

const CODE_PLACE = `                _throwif ("code section too long", start - section > 0xffff);
                func->wasm = start - section;
`;

function modules(folder) {
  new Source(folder, "m3_module.c")
    .cut("void Module_FreeFunctions", "        //m3_Free (i_module->imports);", MODULE_FREE)
    .cut("M3Result  Module_PreallocFunctions ", "M3Result  Module_AddFunction ", PREALLOC)
    .replace("        m3_Free (i_module->dataSegments);\n", "")
    .cut(
      "        for (u32 i = 0; i < i_module->numGlobals; ++i)",
      "        m3_Free (i_module->globals);",
    )
    .cut("M3Result  Module_AddFunction ", "IM3Function  Module_GetFunction ", MODULE_ADD_FUNCTION)
    .save();
  new Source(folder, "m3_function.c")
    .cut("void FreeImportInfo ", "u16  GetFunctionNumArgs ")
    .replaceAll("i_function->funcType", "FunctionType (i_function)")
    .cutRest("u32  GetFunctionNumArgsAndLocals", "")
    .save();
}

const MODULE_FREE = `void  m3_FreeModule  (IM3Module i_module)
{
    if (i_module)
    {
        DropCode (i_module, true);

        if (i_module->functions)
            m3_Free_Impl (i_module->functions - 1);
`;

const PREALLOC = `M3Result  Module_PreallocFunctions  (IM3Module io_module, u32 i_totalFunctions)
{
    if (i_totalFunctions <= io_module->allFunctions)
        return m3Err_none;

    M3Function * all = io_module->functions ? io_module->functions - 1 : NULL;
    const u32 before = all ? io_module->allFunctions + 1 : 0;
    all = m3_ReallocArray (M3Function, all, i_totalFunctions + 1, before);
    if (not all)
        return m3Err_mallocFailed;

    memcpy (all, & io_module, sizeof io_module);
    io_module->functions = all + 1;
    io_module->allFunctions = i_totalFunctions;
    return m3Err_none;
}

`;

const MODULE_ADD_FUNCTION = `M3Result  Module_AddFunction  (IM3Module io_module, u32 i_typeIndex)
{
_try {
    u32 index = io_module->numFunctions++;
_   (Module_PreallocFunctions (io_module, io_module->numFunctions));

    _throwif ("type sig index out of bounds", i_typeIndex >= io_module->numFuncTypes or index > 0xffff);

    IM3Function func = Module_GetFunction (io_module, index);
    func->index = index;
} _catch:
    return result;
}

`;

const LINK = `M3Result  FindAndLinkFunction      (IM3Module       io_module,
                                    ccstr_t         i_moduleName,
                                    ccstr_t         i_functionName,
                                    ccstr_t         i_signature,
                                    voidptr_t       i_function,
                                    voidptr_t       i_userdata)
{
_try {
    _throwif(m3Err_moduleNotLinked, !io_module->runtime);

    result = m3Err_functionLookupFailed;

    for (u32 i = 0; i < io_module->numFuncImports; ++i)
    {
        const IM3Function f = & io_module->functions [i];
        Name moduleName, fieldName;

        if (not Module_GetImport (io_module, i, & moduleName, & fieldName))
            continue;
        if (not Name_Is (fieldName, i_functionName) or not Name_Is (moduleName, i_moduleName))
            continue;
        if (i_signature) {
_           (ValidateSignature (f, i_signature));
        }
_       (CompileRawFunction (io_module, f, i_function, i_userdata));
    }
} _catch:
    return result;
}

`;

const DATA_SEGMENTS = `M3Result  InitDataSegments  (M3Memory * io_memory, IM3Module io_module)
{
    M3Result result = m3Err_none;

    _throwif ("unallocated linear memory", !(io_memory->mallocated));

    bytes_t bytes = io_module->dataSection;
    cbytes_t end = io_module->dataSectionEnd;

    for (u32 i = 0; i < io_module->numDataSegments; ++i)
    {
        u32 memoryRegion, offset, size;
_       (ReadLEB_u32 (& memoryRegion, & bytes, end));
_       (EvaluateExpression (io_module, & offset, c_m3Type_i32, & bytes, end));
_       (ReadLEB_u32 (& size, & bytes, end));

        size_t length = io_memory->mallocated->length;
        _throwif ("data segment out of bounds", size > length or offset > length - size);

        memcpy (m3MemData (io_memory->mallocated) + offset, bytes, size);
        bytes += size;
    }

    _catch: return result;
}


`;

const FIND_FUNCTION = `M3Result  m3_FindFunction  (IM3Function * o_function, IM3Runtime i_runtime, const char * const i_functionName)
{
    M3Result result = m3Err_none;

    IM3Function function = i_runtime->modules ? Module_FindExport (i_runtime->modules, i_functionName) : NULL;

    if (not function)
        result = m3Err_functionLookupFailed;
    else if (not function->compiled)
        result = CompileFunction (function);

    * o_function = result ? NULL : function;

    return result;
}

`;

function environment(folder) {
  new Source(folder, "m3_bind.c")
    .replace('#include "m3_info.h"', '#include "names.h"')
    .replaceAll("i_function->funcType", "FunctionType (i_function)")
    .cut("M3Result  FindAndLinkFunction ", "M3Result  m3_LinkRawFunctionEx ", LINK)
    .save();
  new Source(folder, "m3_env.c")
    .replace('#include "m3_info.h"', '#include "names.h"')
    .replaceAll("i_function->funcType", "FunctionType (i_function)")
    .replaceAll("i_function->module->runtime", "FunctionModule (i_function)->runtime")
    .replace(
      "        IM3Module module = function->module;\n",
      "        IM3Module module = io_module;\n",
    )
    .replace(
      "IM3FuncType ftype = function->funcType",
      "IM3FuncType ftype = FunctionType (function)",
    )
    .replace("        m3_PrintProfilerInfo ();\n\n", "")
    .cut("M3Result  EvaluateExpression ", "M3Result  InitMemory ")
    .replace("& start, g->initExpr + g->initExprSize)", "& start, io_module->wasmEnd)")
    .cut("M3Result  InitDataSegments ", "M3Result  InitElements ", DATA_SEGMENTS)
    .cut("IM3Global  m3_FindGlobal ", "M3Result  m3_GetGlobal ")
    .cut("void *  v_FindFunction ", "static\nM3Result checkStartFunction", FIND_FUNCTION)
    .save();
}

/** Applies the edits to the copy of wasm3 in `folder`. */
export function shrinkTables(folder) {
  headers(folder);
  parse(folder);
  modules(folder);
  environment(folder);
}
