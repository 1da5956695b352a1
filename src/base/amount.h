/*
 * base/amount.h
 *		Money as a count of millionths in 64 bits, for the sums that are made of every row of the ledger.
 *
 * What does not fit exactly (NaN, infinity, more decimals, more than twelve digits) is told, and left to numeric.
 */
#ifndef DUN_BASE_AMOUNT_H
#define DUN_BASE_AMOUNT_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/numeric.h"

#define DUN_DECIMALS 6
#define DUN_ONE INT64CONST(1000000)

/* False where the numeric does not fit; `scale` (may be NULL) is how many decimals it shows. */
extern bool dun_base_read_amount(Datum numeric, int64 *millionths, int *scale);

/* As trim_scale() prints it. */
extern void dun_base_append_amount(StringInfo s, int64 millionths);

/* With at least `scale` decimals, at most six. */
extern Numeric dun_base_make_amount(int64 millionths, int scale);

#endif
