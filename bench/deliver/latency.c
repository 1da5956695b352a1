/*
 * bench/deliver/latency.c
 *		Single messages at a steady rate, and what a commit costs on the same disk.
 *
 *	latency CONNINFO commits COUNT			milliseconds of each COMMIT of a transaction that wrote one row
 *	latency CONNINFO send RATE COUNT		message_id, tab, when its transaction was seen committed (seconds since the epoch)
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static PGconn *conn;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static PGresult *
checked(PGresult *result)
{
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		fprintf(stderr, "latency: %s", PQerrorMessage(conn));
		exit(1);
	}
	return result;
}

static void
run(const char *sql)
{
	PQclear(checked(PQexec(conn, sql)));
}

static void
wait_until(double at)
{
	double		left = at - now();
	struct timespec t = {(time_t) left, (long) ((left - (time_t) left) * 1e9)};

	if (left > 0)
		nanosleep(&t, NULL);
}

static void
commits(long count)
{
	for (long i = 0; i < count; i++)
	{
		double		began;

		run("BEGIN");
		run("INSERT INTO public.bench_commit VALUES (1)");
		began = now();
		run("COMMIT");
		printf("%.4f\n", (now() - began) * 1000);
	}
}

static void
send(double rate, long count)
{
	double		began = now();

	PQclear(checked(PQprepare(conn, "send", "SELECT s.message_id FROM dunning.send($1, 'reminder-1', 'sms') s", 1, NULL)));
	for (long i = 0; i < count; i++)
	{
		char		debtor[32];
		const char *values[] = {debtor};
		PGresult   *result;

		snprintf(debtor, sizeof(debtor), "%ld", i + 1);
		wait_until(began + i / rate);
		result = checked(PQexecPrepared(conn, "send", 1, values, NULL, NULL, 0));
		printf("%s\t%.6f\n", PQgetvalue(result, 0, 0), now());
		PQclear(result);
	}
	fprintf(stderr, "  sent %ld at %.0f/s\n", count, count / (now() - began));
}

int
main(int argc, char **argv)
{
	if (argc < 4 || (strcmp(argv[2], "commits") != 0 && (strcmp(argv[2], "send") != 0 || argc != 5)))
	{
		fputs("usage: latency CONNINFO commits COUNT | send RATE COUNT\n", stderr);
		return 2;
	}
	conn = PQconnectdb(argv[1]);
	if (PQstatus(conn) != CONNECTION_OK)
	{
		fprintf(stderr, "latency: %s", PQerrorMessage(conn));
		return 1;
	}
	if (argc == 4)
		commits(atol(argv[3]));
	else
		send(atof(argv[3]), atol(argv[4]));
	PQfinish(conn);
	return 0;
}
