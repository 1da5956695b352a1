/*
 * message/key.c
 *		Keys of links: reading them, finding an older one, rotating.
 *
 * A rotation touches the directory in an order that a crash can stop anywhere: the new key is written beside, the old
 * one gets its second name, the new one takes the first. So link.key is there at every instant, and no token that was
 * signed loses its key. A lock on the directory lets one rotation run at a time, over all databases of the server.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "message/key.h"

#define KEY_MIN 32
#define CURRENT "link.key"
#define OLDER "link.key."
#define RETIRED "link.key.until-"
#define BESIDE "link.new"

static const char *
secret_directory(void)
{
	const char *dir = GetConfigOption("dunning.secret_directory", true, false);

	return dir != NULL && dir[0] != '\0' ? dir : NULL;
}

/* Names the file, not its path: whoever opens a link need not know where secrets lie. */
static void
refuse_key(const char *why)
{
	if (secret_directory() == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dunning.secret_directory is not set"),
				 errdetail("The key that signs links is a file in it."),
				 errhint("ALTER SYSTEM SET dunning.secret_directory = '/etc/dunning'; SELECT pg_reload_conf();")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("key file \"%s\" of dunning.secret_directory cannot be used", CURRENT),
			 errdetail("%s", why),
			 errhint("SELECT dunning.rotate_link_key(); or, as the server's user, in that directory: (umask 077; head -c 32 /dev/urandom > link.key)")));
}

void
dun_message_compute_mac(const DunLinkKey *key, const uint8 *data, size_t len, const char *more, uint8 *mac)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);

	if (ctx == NULL || pg_hmac_init(ctx, key->bytes, key->len) < 0 ||
		pg_hmac_update(ctx, data, len) < 0 ||
		pg_hmac_update(ctx, (const uint8 *) more, strlen(more)) < 0 ||
		pg_hmac_final(ctx, mac, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		if (ctx)
			pg_hmac_free(ctx);
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute an HMAC")));
	}
	pg_hmac_free(ctx);
}

static void
derive_id(DunLinkKey *key)
{
	uint8		mac[PG_SHA256_DIGEST_LENGTH];

	dun_message_compute_mac(key, (const uint8 *) "", 0, "dunning link key id", mac);
	memcpy(key->id, mac, sizeof(key->id));
}

/* NULL, or why the file is no key. */
static const char *
read_file(const char *name, DunLinkKey *key)
{
	struct stat st;
	const char *dir = secret_directory();
	const char *problem = NULL;
	char	   *path;
	int			fd;

	if (dir == NULL)
		return "dunning.secret_directory is not set.";
	path = psprintf("%s/%s", dir, name);
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	pfree(path);
	if (fd < 0)
		return errno == ENOENT ? "There is no such file." : "The server's user may not read it.";
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		problem = "It is no regular file.";
	else if (st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		problem = "It must belong to the server's user and be closed to all others (mode 0600).";
	else if ((key->len = read(fd, key->bytes, DUN_KEY_MAX)) < KEY_MIN)
		problem = "It has fewer than 32 bytes.";
	CloseTransientFile(fd);
	if (problem == NULL)
		derive_id(key);
	return problem;
}

bool
dun_message_try_key(DunLinkKey *key, const char **problem)
{
	*problem = read_file(CURRENT, key);
	return *problem == NULL;
}

void
dun_message_read_key(DunLinkKey *key)
{
	const char *problem;

	if (!dun_message_try_key(key, &problem))
		refuse_key(problem);
}

/* yyyymmdd of the real clock: a key is not kept alive by a virtual one. */
static void
write_day(TimestampTz at, char *day)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "no such day");
	snprintf(day, 9, "%04d%02d%02d", tm.tm_year % 10000, tm.tm_mon, tm.tm_mday);
}

static bool
is_over(const char *name, const char *today)
{
	size_t		at = strlen(RETIRED);

	return strncmp(name, RETIRED, at) == 0 && strlen(name) > at + 8 && strncmp(name + at, today, 8) < 0;
}

bool
dun_message_find_key(const uint8 *id, DunLinkKey *key)
{
	const char *dir = secret_directory();
	char		today[9];
	DIR		   *d;
	struct dirent *entry;
	bool		found = false;

	dun_message_read_key(key);
	if (memcmp(key->id, id, sizeof(key->id)) == 0)
		return true;
	write_day(GetCurrentTimestamp(), today);
	d = AllocateDir(dir);
	while (!found && (entry = ReadDir(d, dir)) != NULL)
	{
		if (strncmp(entry->d_name, OLDER, strlen(OLDER)) != 0 || is_over(entry->d_name, today))
			continue;
		/* One that cannot be read is none: it must not stop the links of the others. */
		found = read_file(entry->d_name, key) == NULL && memcmp(key->id, id, sizeof(key->id)) == 0;
	}
	FreeDir(d);
	return found;
}

/* ---- rotating ---- */

static void
fail(const char *what)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s in dunning.secret_directory: %m", what),
			 errhint("The server's user must be able to write there. By hand, as root: mv link.key link.key.old; (umask 077; head -c 32 /dev/urandom > link.key); chown postgres link.key")));
}

/* The directory, locked until its descriptor closes, at the latest with the transaction. */
static int
lock_directory(const char *dir)
{
	int			fd = OpenTransientFile(dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		fail("open the directory");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("another session rotates the key of links"),
				 errhint("Look first whether its key is new enough: SELECT dunning.rotate_link_key();")));
	return fd;
}

static void
write_new_key(const char *path, DunLinkKey *key)
{
	int			fd;
	bool		ok;

	key->len = KEY_MIN;
	if (!pg_strong_random(key->bytes, KEY_MIN))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not make random bytes for a key")));
	derive_id(key);
	if (unlink(path) != 0 && errno != ENOENT)
		fail("clear the way for a key");
	fd = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | PG_BINARY, S_IRUSR | S_IWUSR);
	if (fd < 0)
		fail("create a key");
	errno = ENOSPC;
	ok = write(fd, key->bytes, KEY_MIN) == KEY_MIN && pg_fsync(fd) == 0;
	if (!ok)
		fail("write a key");
	CloseTransientFile(fd);
}

/* The key that signs gets a second name, by which it is found until `until`. */
static void
retire_key(const char *dir, const char *path, const char *until)
{
	DunLinkKey	old;
	char	   *second;

	if (read_file(CURRENT, &old) != NULL)
		return;
	second = psprintf("%s/%s%s-%02x%02x%02x", dir, RETIRED, until, old.id[0], old.id[1], old.id[2]);
	explicit_bzero(&old, sizeof(old));
	if (link(path, second) != 0 && errno != EEXIST)
		fail("keep the old key");
}

/* Removes keys whose day is over; with `all`, every older one. */
static void
remove_old(const char *dir, bool all, const char *today)
{
	DIR		   *d = AllocateDir(dir);
	struct dirent *entry;

	while ((entry = ReadDir(d, dir)) != NULL)
	{
		if (!is_over(entry->d_name, today) && !(all && strncmp(entry->d_name, OLDER, strlen(OLDER)) == 0))
			continue;
		if (unlink(psprintf("%s/%s", dir, entry->d_name)) != 0 && errno != ENOENT)
			fail("remove an old key");
	}
	FreeDir(d);
}

PG_FUNCTION_INFO_V1(dun_message_sql_rotate_key);

/* _rotate_link_key(keep_days int) -> the new key's id, six hexadecimal digits */
Datum
dun_message_sql_rotate_key(PG_FUNCTION_ARGS)
{
	int32		keep = PG_GETARG_INT32(0);
	const char *dir = secret_directory();
	TimestampTz now = GetCurrentTimestamp();
	DunLinkKey	key;
	char		today[9];
	char		until[9];
	char	   *path;
	char	   *beside;
	int			lock;

	if (dir == NULL)
		refuse_key("");
	path = psprintf("%s/%s", dir, CURRENT);
	beside = psprintf("%s/%s", dir, BESIDE);
	lock = lock_directory(dir);
	write_day(now, today);
	write_day(now + keep * USECS_PER_DAY, until);
	write_new_key(beside, &key);
	explicit_bzero(key.bytes, sizeof(key.bytes));
	if (keep > 0)
		retire_key(dir, path, until);
	durable_rename(beside, path, ERROR);
	remove_old(dir, keep == 0, today);
	CloseTransientFile(lock);
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%02x%02x%02x", key.id[0], key.id[1], key.id[2])));
}

PG_FUNCTION_INFO_V1(dun_message_sql_key_problem);

/* _link_key_problem() -> NULL, or why links cannot be signed */
Datum
dun_message_sql_key_problem(PG_FUNCTION_ARGS)
{
	DunLinkKey	key;
	const char *problem;

	if (!dun_message_try_key(&key, &problem))
		PG_RETURN_TEXT_P(cstring_to_text(problem));
	explicit_bzero(&key, sizeof(key));
	PG_RETURN_NULL();
}
