// SPDX-License-Identifier: BSD-3-Clause
// Names and constant expressions are read where they stand in the module's bytes; nothing of them is copied.

#ifndef ATMICRO_NAMES_H
#define ATMICRO_NAMES_H

#include "m3_env.h"

// A part of the module's bytes: UTF-8, not terminated.
typedef struct Name {
    const char *text;
    u32 length;
} Name;

bool Name_Is(Name name, const char *text);

// The exported function of that name, or NULL.
IM3Function Module_FindExport(IM3Module module, const char *name);

// Module and field name of import function `index`; false when there is none.
bool Module_GetImport(IM3Module module, u32 index, Name *moduleName, Name *fieldName);

// Reads a constant expression of `type` up to and with its end; stores 4 or 8 bytes at `value` unless that is NULL.
M3Result EvaluateExpression(IM3Module module, void *value, u8 type, bytes_t *io_bytes, cbytes_t end);

M3Result ParseType_Memory(M3MemoryInfo *memory, bytes_t *io_bytes, cbytes_t end);

// Walks the section, checking it: functions and globals are added to the module.
M3Result ParseSection_Import(IM3Module module, bytes_t bytes, cbytes_t end);
M3Result ParseSection_Export(IM3Module module, bytes_t bytes, cbytes_t end);

#endif
