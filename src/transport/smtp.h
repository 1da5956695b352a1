/*
 * transport/smtp.h
 *		Mails over kept connections: libcurl connects and logs in, dialog.c speaks.
 *
 * libcurl by itself waits inside the multi handle for the answer to the final dot and to QUIT, and with it the whole
 * process. Here all waiting is done in the transport's epoll descriptor.
 */
#ifndef DUN_TRANSPORT_SMTP_H
#define DUN_TRANSPORT_SMTP_H

#include "postgres.h"

#include <curl/curl.h>
#include <sys/epoll.h>

#include "datatype/timestamp.h"

#include "transport/dialog.h"
#include "transport/transport.h"

typedef struct DunMailer DunMailer;

/* At most `slots` connections, each over `multi`; their sockets stand in `epoll_fd`. */
extern DunMailer *dun_transport_open_mailer(CURLM *multi, int epoll_fd, int slots, struct DunSockets *sockets);
extern void dun_transport_close_mailer(DunMailer *mailer);

/* As dun_transport_start_transfer. */
extern bool dun_transport_start_mail(DunMailer *mailer, const DunServer *server, const DunRequest *request, void *owner);

/* True where the event was a mail's; else it is libcurl's. */
extern bool dun_transport_take_mail_event(DunMailer *mailer, const struct epoll_event *event);

/* libcurl is done with connecting. */
extern void dun_transport_take_mail_login(DunMailer *mailer, DunMail *m, CURLcode result);

/* End what has waited too long, close what has idled too long. */
extern void dun_transport_expire_mails(DunMailer *mailer);

/* When it wants to be called for that or to report, 0: never. */
extern TimestampTz dun_transport_mail_timer(DunMailer *mailer);

/* Call `done` for what ended; says how many. */
extern int	dun_transport_report_mails(DunMailer *mailer, DunTransferDone done);

/* End all that is under way by how far it got; to be reported. */
extern void dun_transport_abort_mails(DunMailer *mailer);

#endif
