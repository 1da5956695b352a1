/*
 * gateway/secret.c
 *		Secrets are files, since options of a mapping stand in every dump.
 *
 * A file is opened first and judged by its descriptor, so that what was checked is what is read.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "base/errcodes.h"
#include "gateway/check.h"
#include "gateway/init.h"
#include "gateway/secret.h"

#define MAX_SECRET_BYTES 4096

static char *
path_of(const char *file_name)
{
	if (dun_gateway_secret_directory == NULL || *dun_gateway_secret_directory == '\0')
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("dunning.secret_directory is not set"),
				 errhint("As superuser: ALTER SYSTEM SET dunning.secret_directory = '/etc/postgresql/dunning'; SELECT pg_reload_conf();")));
	if (!dun_gateway_is_file_name(file_name))
		elog(ERROR, "not a file name");
	return psprintf("%s/%s", dun_gateway_secret_directory, file_name);
}

/* Opens and checks; the caller closes. */
static int
open_checked(const char *path, bool private_file, struct stat *st)
{
	int			fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);

	if (fd < 0)
	{
		int			saved = errno;

		errno = saved;
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 saved == ELOOP ? errmsg("secret file \"%s\" is a symbolic link", path)
				 : errmsg("could not open secret file \"%s\": %m", path),
				 errhint("As the server's user: install -m 600 /dev/stdin '%s'", path)));
	}
	if (fstat(fd, st) != 0)
		elog(ERROR, "could not stat secret file \"%s\": %m", path);
	if (!S_ISREG(st->st_mode))
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("secret file \"%s\" is not a regular file", path),
				 errhint("As the server's user, in its place: install -m 600 /dev/stdin '%s'", path)));
	if (!private_file)
		return fd;
	if (st->st_uid != geteuid())
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("secret file \"%s\" does not belong to the server's user", path),
				 errhint("As root: chown postgres '%s'", path)));
	if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("secret file \"%s\" can be read by others", path),
				 errdetail("Its mode is %04o.", (unsigned) (st->st_mode & 07777)),
				 errhint("chmod 600 '%s'", path)));
	return fd;
}

char *
dun_gateway_secret_path(const char *file_name, bool private_file)
{
	char	   *path = path_of(file_name);
	struct stat st;

	CloseTransientFile(open_checked(path, private_file, &st));
	return path;
}

static void
wipe(void *secret)
{
	explicit_bzero(secret, MAX_SECRET_BYTES + 1);
}

char *
dun_gateway_read_secret(const char *file_name)
{
	char	   *path = path_of(file_name);
	struct stat st;
	int			fd = open_checked(path, true, &st);
	MemoryContextCallback *callback = palloc0(sizeof(*callback));
	char	   *secret = palloc0(MAX_SECRET_BYTES + 1);
	ssize_t		len = 0;
	ssize_t		n;

	callback->func = wipe;
	callback->arg = secret;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);

	while (len < MAX_SECRET_BYTES && (n = read(fd, secret + len, MAX_SECRET_BYTES - len)) > 0)
		len += n;
	CloseTransientFile(fd);
	if (len >= MAX_SECRET_BYTES)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("secret file \"%s\" is longer than %d bytes", path, MAX_SECRET_BYTES - 1),
				 errhint("It must hold the secret alone, in one line.")));
	if (len > 0 && secret[len - 1] == '\n')
		secret[--len] = '\0';
	if (len > 0 && secret[len - 1] == '\r')
		secret[--len] = '\0';
	if (len == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("secret file \"%s\" is empty", path),
				 errhint("It must hold the secret alone, in one line.")));
	for (ssize_t i = 0; i < len; i++)
		if ((unsigned char) secret[i] < 0x20 || secret[i] == 0x7f)
			ereport(ERROR,
					(errcode(DUN_ERR_GATEWAY),
					 errmsg("secret file \"%s\" holds a control character", path),
					 errhint("It must hold the secret alone, in one line.")));
	return secret;
}
