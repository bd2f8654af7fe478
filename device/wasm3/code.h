// SPDX-License-Identifier: BSD-3-Clause
// Takes the place of wasm3's m3_code.h. A function's code is a list of pages of its own; when there is no room for
// another, functions that are not running lose theirs and are compiled again when they are next called.

#ifndef m3_code_h
#define m3_code_h

#include <stddef.h>

#include "m3_core.h"

d_m3BeginExternC

typedef struct M3CodePage {
    struct M3CodePage *next;  // of the same function
    u16 lineIndex;            // lines written
    u16 numLines : 15;
    u16 busy : 1;             // being written, while its function is compiled
    u32 running;              // of a function's first page: calls of it that have not returned
    code_t code[];
} M3CodePage;

typedef M3CodePage *IM3CodePage;

static inline pc_t GetPagePC(IM3CodePage page) { return page ? &page->code[page->lineIndex] : NULL; }
static inline u32 NumFreeLines(IM3CodePage page) { return (u32)page->numLines - page->lineIndex; }

// The first page of a compiled function.
static inline IM3CodePage CodeOf(pc_t compiled) { return (IM3CodePage)((u8 *)compiled - offsetof(M3CodePage, code)); }

void EmitWord_impl(IM3CodePage page, void *word);
void EmitWord32(IM3CodePage page, u32 word);
void EmitWord64(IM3CodePage page, u64 word);
#define EmitWord(page, val) EmitWord_impl(page, (void *)(val))

// A page with that many free lines, of the function being compiled; NULL when there is no memory, also after evicting.
IM3CodePage AcquireCodePageWithCapacity(IM3Runtime runtime, u32 lines);
IM3CodePage AcquireCodePage(IM3Runtime runtime);
void ReleaseCodePage(IM3Runtime runtime, IM3CodePage page);

// Ends a compilation: the pages acquired since the last one are the function's, cut to what they hold, beginning with
// `first`; or, with NULL, they are freed.
void KeepCode(IM3Runtime runtime, IM3CodePage first);

// Frees the function's code; it must not be running.
void FreeCode(IM3Function function);

// Frees the code of every function of the module, imports included when `all`; none may be running.
void DropCode(IM3Module module, bool all);

d_m3EndExternC

#endif
