// SPDX-License-Identifier: BSD-3-Clause
// The store's sectors at the end of the flash, written through the boot ROM's functions (RP2040 datasheet, 2.8.3.1.3).
#include <string.h>

#include "board.h"

#define XIP_BASE 0x10000000u
#define SRAM_BASE 0x20000000u
// Places in the boot ROM (2.8.2).
#define ROM_FUNCTION_TABLE 0x14u
#define ROM_TABLE_LOOKUP 0x18u
#define ROM_CODE(a, b) ((uint32_t)(a) | (uint32_t)(b) << 8)
// The second stage, where the ROM left it, as a Thumb address.
#define SECOND_STAGE 0x20041f01u
#define BLOCK_BYTES 0x10000u
#define BLOCK_ERASE 0xd8u

extern uint8_t store_offset[];

typedef void (*RomFunction)(void);
typedef void (*RomErase)(uint32_t offset, uint32_t count, uint32_t block, uint8_t command);
typedef void (*RomProgram)(uint32_t offset, const uint8_t *data, uint32_t count);
typedef void *(*RomLookup)(const uint16_t *table, uint32_t code);

// What is needed while the flash can't be read.
typedef struct {
  RomFunction connect;
  RomFunction exit_xip;
  RomFunction flush_cache;
  RomFunction enter_xip;
  RomErase erase;
  RomProgram program;
} FlashRom;

static void *rom_function(uint32_t code) {
  const RomLookup lookup =
      (RomLookup)(uintptr_t)*(const volatile uint16_t *)(uintptr_t)ROM_TABLE_LOOKUP;
  const uint32_t table = *(const volatile uint16_t *)(uintptr_t)ROM_FUNCTION_TABLE;
  return lookup((const uint16_t *)(uintptr_t)table, code);
}

static FlashRom flash_rom(void) {
  return (FlashRom){
      .connect = (RomFunction)rom_function(ROM_CODE('I', 'F')),
      .exit_xip = (RomFunction)rom_function(ROM_CODE('E', 'X')),
      .flush_cache = (RomFunction)rom_function(ROM_CODE('F', 'C')),
      .enter_xip = (RomFunction)rom_function(ROM_CODE('C', 'X')),
      .erase = (RomErase)rom_function(ROM_CODE('R', 'E')),
      .program = (RomProgram)rom_function(ROM_CODE('R', 'P')),
  };
}

// page NULL: erases the sector at offset; else programs the page there.
IN_RAM static void change_flash(const FlashRom *rom, uint32_t offset, const uint8_t *page) {
  rom->connect();
  rom->exit_xip();
  if (page) rom->program(offset, page, HAL_FLASH_PAGE);
  else rom->erase(offset, HAL_FLASH_SECTOR, BLOCK_BYTES, BLOCK_ERASE);
  rom->flush_cache();
  rom->enter_xip();
  // The ROM leaves the slowest way of reading; the second stage knows the fast one.
  ((RomFunction)(uintptr_t)SECOND_STAGE)();
}

static uint32_t place(uint32_t offset) { return (uint32_t)(uintptr_t)store_offset + offset; }

uint32_t hal_flash_sectors(void) { return STORE_BYTES / HAL_FLASH_SECTOR; }

int hal_flash_read(uint32_t offset, uint8_t *out, size_t len) {
  if (offset > STORE_BYTES || len > STORE_BYTES - offset) return -1;
  memcpy(out, (const uint8_t *)(uintptr_t)(XIP_BASE + place(offset)), len);
  return 0;
}

int hal_flash_erase(uint32_t sector) {
  if (sector >= hal_flash_sectors()) return -1;
  const FlashRom rom = flash_rom();
  change_flash(&rom, place(sector * HAL_FLASH_SECTOR), NULL);
  return 0;
}

int hal_flash_program(uint32_t offset, const uint8_t *page) {
  uint8_t copy[HAL_FLASH_PAGE];
  if (offset % HAL_FLASH_PAGE != 0 || offset >= STORE_BYTES) return -1;
  const FlashRom rom = flash_rom();
  // The ROM reads the page while the flash is away.
  if ((uintptr_t)page < SRAM_BASE) {
    memcpy(copy, page, sizeof copy);
    page = copy;
  }
  change_flash(&rom, place(offset), page);
  return memcmp((const uint8_t *)(uintptr_t)(XIP_BASE + place(offset)), page, HAL_FLASH_PAGE) == 0
             ? 0
             : -1;
}
