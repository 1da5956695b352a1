/*
 * gateway/smtp.h
 *		Where reports about a mail go.
 */
#ifndef DUN_GATEWAY_SMTP_H
#define DUN_GATEWAY_SMTP_H

/* The option return_path with {message_id} replaced; palloc'ed. */
extern char *dun_gateway_return_path(const char *option, const char *message_id);

#endif
