/*
 * transport/spool.c
 *		Files, written beside and renamed: a reader of the directory never meets half a letter.
 *
 * The same message written twice is one file, as long as nobody took the first one away: whoever reads the directory
 * may have. So a file that has its name and is not certainly on the disk counts as one that may have been taken.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "transport/spool.h"

#define SPOOL_MODE (S_IRUSR | S_IWUSR | S_IRGRP)

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0)
	{
		ssize_t		n = write(fd, data, len);

		if (n <= 0)
		{
			if (n < 0 && errno == EINTR)
				continue;
			return false;
		}
		data += n;
		len -= n;
	}
	return true;
}

void
dun_transport_write_spool(const DunRequest *request, DunReply *reply)
{
	char		beside[MAXPGPATH];
	int			fd;
	bool		ok;

	memset(reply, 0, sizeof(*reply));
	reply->progress = DUN_NOT_SENT;
	if (snprintf(beside, sizeof(beside), "%s.part", request->path) >= (int) sizeof(beside))
	{
		reply->error = "file name too long";
		return;
	}
	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, SPOOL_MODE);
	if (fd < 0)
	{
		reply->error = "could not create the file";
		return;
	}
	ok = write_all(fd, request->body, request->body_len) && pg_fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (!ok || durable_rename(beside, request->path, LOG) != 0)
	{
		if (unlink(beside) != 0 && ok)
			reply->progress = DUN_MAYBE_SENT;	/* it was renamed, and the directory not written */
		reply->error = "could not write the file";
		return;
	}
	reply->progress = DUN_REPLIED;
}
