/*
 * What the scoring core asks of the server, for a program that times it alone.
 */
#ifndef POSTGRES_H
#define POSTGRES_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t uint8;
typedef int16_t int16;
typedef uint16_t uint16;
typedef int32_t int32;
typedef uint32_t uint32;
typedef int64_t int64;
typedef uint64_t uint64;
typedef size_t Size;

#define PG_INT64_MIN INT64_MIN
#define UINT64CONST(x) UINT64_C(x)
#define Min(a, b) ((a) < (b) ? (a) : (b))
#define Max(a, b) ((a) > (b) ? (a) : (b))
#define lengthof(a) (sizeof(a) / sizeof((a)[0]))
#define pg_attribute_always_inline __attribute__((always_inline)) inline
#define MCXT_ALLOC_HUGE 1
#define MCXT_ALLOC_ZERO 4
#define CHECK_FOR_INTERRUPTS() ((void) 0)
#define palloc(n) malloc(n)
#define palloc0(n) calloc(1, n)
#define palloc_extended(n, flags) calloc(1, n)
#define repalloc(p, n) realloc(p, n)
#define pfree(p) free(p)

#pragma GCC diagnostic ignored "-Walloc-size-larger-than="

#endif
