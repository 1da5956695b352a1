/*
 * deliver/smtp.h
 *		Mails over kept connections: libcurl connects and logs in, dialog.c speaks.
 *
 * libcurl by itself waits inside the multi handle for the answer to the final dot and to QUIT, and with it the whole
 * process. Here all waiting is done in the transport's epoll descriptor.
 */
#ifndef DUN_DELIVER_SMTP_H
#define DUN_DELIVER_SMTP_H

#include "postgres.h"

#include <curl/curl.h>
#include <sys/epoll.h>

#include "datatype/timestamp.h"

#include "deliver/dialog.h"
#include "deliver/transport.h"

typedef struct DunMailer DunMailer;

/* At most `slots` connections, each over `multi`; their sockets stand in `epoll_fd`. */
extern DunMailer *dun_deliver_open_mailer(CURLM *multi, int epoll_fd, int slots, struct DunSockets *sockets);
extern void dun_deliver_close_mailer(DunMailer *mailer);

/* As dun_deliver_start_transfer. */
extern bool dun_deliver_start_mail(DunMailer *mailer, const DunServer *server, const DunRequest *request, void *owner);

/* True where the event was a mail's; else it is libcurl's. */
extern bool dun_deliver_take_mail_event(DunMailer *mailer, const struct epoll_event *event);

/* libcurl is done with connecting. */
extern void dun_deliver_take_mail_login(DunMailer *mailer, DunMail *m, CURLcode result);

/* End what has waited too long, close what has idled too long. */
extern void dun_deliver_expire_mails(DunMailer *mailer);

/* When it wants to be called for that or to report, 0: never. */
extern TimestampTz dun_deliver_mail_timer(DunMailer *mailer);

/* Call `done` for what ended; says how many. */
extern int	dun_deliver_report_mails(DunMailer *mailer, DunTransferDone done);

/* End all that is under way by how far it got; to be reported. */
extern void dun_deliver_abort_mails(DunMailer *mailer);

#endif
