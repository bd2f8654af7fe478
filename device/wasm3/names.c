// SPDX-License-Identifier: BSD-3-Clause

#include "names.h"

#include "m3_exception.h"

// One entry of the import section; of a function, `index` is its type.
typedef struct ImportEntry {
    Name moduleName;
    Name fieldName;
    u8 kind;
    u32 index;
    u8 type;
    u8 isMutable;
} ImportEntry;

bool Name_Is(Name name, const char *text) {
    return strlen(text) == name.length && memcmp(name.text, text, name.length) == 0;
}

static M3Result readName(Name *name, bytes_t *io_bytes, cbytes_t end) {
    M3Result result = ReadLEB_u32(&name->length, io_bytes, end);
    if (result != m3Err_none) return result;
    if (name->length > (u32)(end - *io_bytes)) return m3Err_wasmUnderrun;
    name->text = (const char *)*io_bytes;
    *io_bytes += name->length;
    return m3Err_none;
}

static M3Result readImport(IM3Module module, ImportEntry *entry, bytes_t *io_bytes, cbytes_t end) {
    _try {
        _(readName(&entry->moduleName, io_bytes, end));
        _(readName(&entry->fieldName, io_bytes, end));
        _(Read_u8(&entry->kind, io_bytes, end));
        if (entry->kind == d_externalKind_function) {
            _(ReadLEB_u32(&entry->index, io_bytes, end));
        } else if (entry->kind == d_externalKind_memory) {
            _(ParseType_Memory(&module->memoryInfo, io_bytes, end));
        } else if (entry->kind == d_externalKind_global) {
            i8 type = 0;
            _(ReadLEB_i7(&type, io_bytes, end));
            _(NormalizeType(&entry->type, type));
            _(ReadLEB_u7(&entry->isMutable, io_bytes, end));
        } else {
            _throw(m3Err_wasmMalformed);
        }
    }
_catch:
    return result;
}

M3Result ParseSection_Import(IM3Module module, bytes_t bytes, cbytes_t end) {
    _try {
        u32 count = 0;
        _(ReadLEB_u32(&count, &bytes, end));
        module->importSection = bytes;
        module->importSectionEnd = end;
        module->numImports = count;
        for (u32 i = 0; i < count; i++) {
            ImportEntry entry;
            _(readImport(module, &entry, &bytes, end));
            if (entry.kind == d_externalKind_function) {
                _(Module_AddFunction(module, entry.index));
                module->numFuncImports++;
            } else if (entry.kind == d_externalKind_memory) {
                module->memoryImported = true;
            } else {
                _(Module_AddGlobal(module, NULL, entry.type, entry.isMutable, true));
            }
        }
    }
_catch:
    return result;
}

M3Result ParseSection_Export(IM3Module module, bytes_t bytes, cbytes_t end) {
    _try {
        u32 count = 0;
        _(ReadLEB_u32(&count, &bytes, end));
        module->exportSection = bytes;
        module->exportSectionEnd = end;
        module->numExports = count;
        for (u32 i = 0; i < count; i++) {
            Name name;
            u8 kind = 0;
            u32 index = 0;
            _(readName(&name, &bytes, end));
            _(Read_u8(&kind, &bytes, end));
            _(ReadLEB_u32(&index, &bytes, end));
            _throwif(m3Err_wasmMalformed, kind == d_externalKind_function && index >= module->numFunctions);
        }
    }
_catch:
    return result;
}

IM3Function Module_FindExport(IM3Module module, const char *text) {
    bytes_t bytes = module->exportSection;
    for (u32 i = 0; i < module->numExports; i++) {
        Name name;
        u8 kind = 0;
        u32 index = 0;
        // The section was checked when it was parsed.
        if (readName(&name, &bytes, module->exportSectionEnd) != m3Err_none) return NULL;
        if (Read_u8(&kind, &bytes, module->exportSectionEnd) != m3Err_none) return NULL;
        if (ReadLEB_u32(&index, &bytes, module->exportSectionEnd) != m3Err_none) return NULL;
        if (kind == d_externalKind_function && Name_Is(name, text)) return &module->functions[index];
    }
    return NULL;
}

IM3Module FunctionModule(IM3Function function) {
    IM3Module module = NULL;
    memcpy(&module, function - function->index - 1, sizeof module);
    return module;
}

// The entry of import function `index`; false when there is none.
static bool findImport(IM3Module module, u32 index, ImportEntry *entry) {
    bytes_t bytes = module->importSection;
    u32 function = 0;
    for (u32 i = 0; i < module->numImports; i++) {
        if (readImport(module, entry, &bytes, module->importSectionEnd) != m3Err_none) return false;
        if (entry->kind == d_externalKind_function && function++ == index) return true;
    }
    return false;
}

IM3FuncType FunctionType(IM3Function function) {
    IM3Module module = FunctionModule(function);
    ImportEntry entry;
    if (function->index < module->numFuncImports) {
        return findImport(module, function->index, &entry) ? module->funcTypes[entry.index] : NULL;
    }
    u32 place = function->index - module->numFuncImports;
    bytes_t bytes = module->functionSection;
    // Indexes below 128 take one byte each.
    if (module->numFuncTypes <= 128) return module->funcTypes[bytes[place]];
    u32 type = 0;
    do {
        if (ReadLEB_u32(&type, &bytes, module->wasmEnd) != m3Err_none) return NULL;
    } while (place-- != 0);
    return module->funcTypes[type];
}

bool Module_GetImport(IM3Module module, u32 index, Name *moduleName, Name *fieldName) {
    ImportEntry entry;
    if (!findImport(module, index, &entry)) return false;
    *moduleName = entry.moduleName;
    *fieldName = entry.fieldName;
    return true;
}

M3Result EvaluateExpression(IM3Module module, void *value, u8 type, bytes_t *io_bytes, cbytes_t end) {
    _try {
        i64 number = 0;
        i32 narrow = 0;
        u32 index = 0;
        u8 produced = c_m3Type_i32;
        m3opcode_t opcode = 0;
        _(Read_opcode(&opcode, io_bytes, end));
        if (opcode == c_waOp_i32_const) {
            _(ReadLEB_i32(&narrow, io_bytes, end));
            number = narrow;
        } else if (opcode == c_waOp_i64_const) {
            _(ReadLEB_i64(&number, io_bytes, end));
            produced = c_m3Type_i64;
        } else if (opcode == c_waOp_getGlobal) {
            _(ReadLEB_u32(&index, io_bytes, end));
            _throwif(m3Err_globaIndexOutOfBounds, index >= module->numGlobals);
            number = module->globals[index].i64Value;
            produced = module->globals[index].type;
        } else {
            _throw(m3Err_restrictedOpcode);
        }
        _throwif(m3Err_typeMismatch, produced != type);
        _(Read_opcode(&opcode, io_bytes, end));
        _throwif(m3Err_restrictedOpcode, opcode != c_waOp_end);
        if (value != NULL) memcpy(value, &number, SizeOfType(type));
    }
_catch:
    return result;
}
