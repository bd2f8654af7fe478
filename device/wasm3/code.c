// SPDX-License-Identifier: BSD-3-Clause
// Takes the place of wasm3's m3_code.c: code as a cache, see code.h.

#include "m3_code.h"

#include "m3_env.h"

// Gives back the end of a block, in place (the allocator's, beside calloc and free).
void heap_shrink(void *block, size_t size);

static u32 pageBytes(u32 lines) { return (u32)(offsetof(M3CodePage, code) + lines * sizeof(code_t)); }

void EmitWord_impl(IM3CodePage page, void *word) { page->code[page->lineIndex++] = word; }

void EmitWord32(IM3CodePage page, u32 word) { memcpy(&page->code[page->lineIndex++], &word, sizeof word); }

void EmitWord64(IM3CodePage page, u64 word) {
    memcpy(&page->code[page->lineIndex], &word, sizeof word);
    page->lineIndex = (u16)(page->lineIndex + sizeof word / sizeof(code_t));
}

// The function that has code and is not running whose code begins first, from `from` on; NULL: none.
static IM3Function firstIdle(IM3Module module, pc_t from) {
    IM3Function first = NULL;
    for (u32 i = 0; i < module->numFunctions; i++) {
        IM3Function function = &module->functions[i];
        if (function->wasm == 0 || function->compiled == NULL || function->compiled < from) continue;
        if (first != NULL && function->compiled > first->compiled) continue;
        if (CodeOf(function->compiled)->running == 0) first = function;
    }
    return first;
}

// Takes the code of a function that is not running. Round the heap, so that what becomes free lies together. False:
// there is none.
static bool evict(IM3Runtime runtime) {
    IM3Module module = runtime->modules;
    if (module == NULL) return false;
    IM3Function function = firstIdle(module, runtime->evictNext);
    if (function == NULL) function = firstIdle(module, NULL);
    if (function == NULL) return false;
    runtime->evictNext = function->compiled;
    FreeCode(function);
    runtime->evicted++;
    return true;
}

// Memory for a page, evicting as long as there is none; NULL when that does not help either.
static IM3CodePage allocate(IM3Runtime runtime, u32 lines) {
    const u32 bytes = pageBytes(lines);
    while (runtime->codeLimit != 0 && runtime->codeBytes + bytes > runtime->codeLimit) {
        if (!evict(runtime)) return NULL;
    }
    IM3CodePage page = m3_Malloc("M3CodePage", bytes);
    while (page == NULL && evict(runtime)) page = m3_Malloc("M3CodePage", bytes);
    return page;
}

static IM3CodePage newCodePage(IM3Runtime runtime, u32 minLines) {
    if (minLines > 0x7fff) return NULL;
    u32 lines = (u32)((d_m3CodePageAlignSize - offsetof(M3CodePage, code)) / sizeof(code_t));
    if (lines < minLines) lines = minLines;
    IM3CodePage page = allocate(runtime, lines);
    // What runs may have left only small holes.
    while (page == NULL && lines > minLines) {
        lines = lines / 2 > minLines ? lines / 2 : minLines;
        page = allocate(runtime, lines);
    }
    if (page == NULL) return NULL;
    page->numLines = (u16)(lines & 0x7fff);
    page->next = runtime->pages;
    runtime->pages = page;
    runtime->codeBytes += pageBytes(lines);
    if (runtime->codeBytes > runtime->codeMost) runtime->codeMost = runtime->codeBytes;
    return page;
}

IM3CodePage AcquireCodePageWithCapacity(IM3Runtime runtime, u32 lines) {
    IM3CodePage page = runtime->pages;
    while (page != NULL && (page->busy || NumFreeLines(page) < lines)) page = page->next;
    if (page == NULL) page = newCodePage(runtime, lines);
    if (page != NULL) page->busy = 1;
    return page;
}

IM3CodePage AcquireCodePage(IM3Runtime runtime) {
    return AcquireCodePageWithCapacity(runtime, d_m3CodePageFreeLinesThreshold);
}

void ReleaseCodePage(IM3Runtime runtime, IM3CodePage page) {
    (void)runtime;
    if (page != NULL) page->busy = 0;
}

static void freePages(IM3Runtime runtime, IM3CodePage page) {
    while (page != NULL) {
        IM3CodePage next = page->next;
        runtime->codeBytes -= pageBytes(page->numLines);
        m3_Free(page);
        page = next;
    }
}

static void cut(IM3Runtime runtime, IM3CodePage page) {
    runtime->codeBytes -= pageBytes(page->numLines) - pageBytes(page->lineIndex);
    page->numLines = page->lineIndex & 0x7fff;
    heap_shrink(page, pageBytes(page->numLines));
}

void KeepCode(IM3Runtime runtime, IM3CodePage first) {
    IM3CodePage page = runtime->pages;
    runtime->pages = NULL;
    if (first == NULL) {
        freePages(runtime, page);
        return;
    }
    IM3CodePage rest = NULL;
    while (page != NULL) {
        IM3CodePage next = page->next;
        if (page->lineIndex == 0) {
            page->next = NULL;
            freePages(runtime, page);
        } else {
            cut(runtime, page);
            if (page != first) {
                page->next = rest;
                rest = page;
            }
        }
        page = next;
    }
    first->next = rest;
    runtime->compiled++;
}

void FreeCode(IM3Function function) {
    if (function->compiled == NULL) return;
    IM3CodePage page = CodeOf(function->compiled);
    function->compiled = NULL;
    freePages(FunctionModule(function)->runtime, page);
}

void DropCode(IM3Module module, bool all) {
    for (u32 i = 0; i < module->numFunctions; i++) {
        IM3Function function = &module->functions[i];
        if (all || function->wasm != 0) FreeCode(function);
    }
}
