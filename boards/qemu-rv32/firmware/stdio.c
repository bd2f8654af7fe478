// SPDX-License-Identifier: BSD-3-Clause
// mbedTLS names stderr where it prints nothing (device/mbedtls/config.h); picolibc wants the program to have one.
#include <stdio.h>

FILE *const stderr = NULL;
