/*
 * gateway/secret.h
 *		Secret files.
 */
#ifndef DUN_GATEWAY_SECRET_H
#define DUN_GATEWAY_SECRET_H

#include "postgres.h"

/*
 * The content of a file of dunning.secret_directory without its last line end. Errors out (DN006) unless it is a regular
 * file of the server's user that nobody else can read. Wiped when the current memory context is reset.
 */
extern char *dun_gateway_read_secret(const char *file_name);

/* The path of a file there, existing and not a link; `private` asks for mode 0600 as above. */
extern char *dun_gateway_secret_path(const char *file_name, bool private_file);

#endif
