# Sourced by the scripts that build and run things: paths, the user that runs a server, free ports, one cluster.
# A server may not run as root, so as root everything but the build runs as `postgres`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
major=${PGMAJOR:-15}
bindir_of() { echo "$1/usr/lib/postgresql/$major/bin"; }

# Run a command as the user that may run a server.
as_pg() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$@"
    else
        "$@"
    fi
}

# Where builds of the server's tree and the demo's cluster stand: tmp/, or beside the tree where the server's user
# cannot look into it (a clone under /root).
state=$root/tmp
if [ "$(id -u)" -eq 0 ] && id postgres >/dev/null 2>&1 && ! as_pg test -r "$root/Makefile"; then
    state=/var/tmp/dunning-$(printf '%s' "$root" | md5sum | cut -c1-12)
fi
stage=${DUNNING_STAGE:-$state/stage/$major}
bindir=$(bindir_of "$stage")

# Make a directory that this user may write: own_dir PATH
own_dir() {
    mkdir -p "$1"
    [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$1"
}

# A short private directory for sockets and data; removed by the caller.
scratch_dir() {
    local dir
    dir=$(mktemp -d "${TMPDIR:-/tmp}/dunning.XXXXXX")
    chmod 755 "$dir"
    [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$dir"
    echo "$dir"
}

# A loopback TCP port that nobody listens on.
free_port() {
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 0) or die $!;
        print $s->sockport, "\n"'
}

# start_cluster DIR [SETTING...]: initdb and start on a unix socket in DIR; settings are postgresql.conf lines.
# Afterwards PGHOST, PGPORT and PGUSER point to it.
start_cluster() {
    local dir=$1
    shift
    as_pg "$bindir/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >"$dir/initdb.log" 2>&1 ||
        { tail "$dir/initdb.log" >&2; return 1; }
    PGPORT=$(free_port)
    PGHOST=$dir
    PGUSER=postgres
    export PGPORT PGHOST PGUSER
    as_pg bash -c 'cat >>"$0"' "$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
port = $PGPORT
max_connections = 50
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
$(printf '%s\n' "$@")
CONF
    as_pg "$bindir/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -s start </dev/null >/dev/null 2>&1 ||
        { tail "$dir/server.log" >&2; return 1; }
}

# stop_cluster DIR: stop what start_cluster started, however it stands.
stop_cluster() {
    [ -e "$1/data/postmaster.pid" ] || return 0
    as_pg "$bindir/pg_ctl" -D "$1/data" -m immediate -w -s stop </dev/null >/dev/null 2>&1 || true
}

psql_() {
    "$bindir/psql" -X -q -v ON_ERROR_STOP=1 "$@"
}
