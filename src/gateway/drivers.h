/*
 * gateway/drivers.h
 *		The drivers there are; a new one is one file and one line in drivers.c.
 */
#ifndef DUN_GATEWAY_DRIVERS_H
#define DUN_GATEWAY_DRIVERS_H

#include "gateway/driver.h"

extern const DunDriver dun_gateway_smtp_driver;
extern const DunDriver dun_gateway_http_driver;
extern const DunDriver dun_gateway_spool_driver;
extern const DunDriver dun_gateway_task_driver;
extern const DunDriver dun_gateway_mock_driver;
extern const DunDriver dun_gateway_imap_driver;

/* Errors out (DN006) where the message's address may not be used as this kind; the address is not shown. */
extern void dun_gateway_require_address(const char *kind, const char *address);

#endif
