#!/usr/bin/env bash
# Build, and install into a private copy of the server's own tree (tmp/stage), so that tests and the demo leave
# the system's PostgreSQL alone. A PostgreSQL tree finds its files relative to its binaries, so a copy works.
set -euo pipefail
. "$(dirname "$0")/common.sh"

system=/usr/lib/postgresql/$major/bin/pg_config
if [ ! -x "$system" ]; then
    echo "PostgreSQL $major is not here; this would install it: apt-get install postgresql-$major postgresql-server-dev-$major" >&2
    exit 1
fi
if [ ! -x "$bindir/postgres" ] || [ "/usr/lib/postgresql/$major/bin/postgres" -nt "$bindir/postgres" ] ||
    [ /usr/share/postgresql/"$major"/extension -nt "$bindir/../.copied" ]; then
    rm -rf "$stage"
    mkdir -p "$stage/usr/lib/postgresql" "$stage/usr/share/postgresql"
    cp -a "/usr/lib/postgresql/$major" "$stage/usr/lib/postgresql/"
    cp -a "/usr/share/postgresql/$major" "$stage/usr/share/postgresql/"
    ln -s /usr/include "$stage/usr/include"
    touch "$bindir/../.copied"
fi
cd "$root"
make -s -j"$(nproc)" PG_CONFIG="$bindir/pg_config" ${WERROR:+WERROR=1} ${FAULTS:+FAULTS=1} all
make -s PG_CONFIG="$bindir/pg_config" install >/dev/null
# The module for letters, where its libraries are; its test says so where they are not.
if missing=$(make -s -C letter have 2>&1); then
    make -s -j"$(nproc)" -C letter PG_CONFIG="$bindir/pg_config" ${WERROR:+WERROR=1} all
    make -s -C letter PG_CONFIG="$bindir/pg_config" install >/dev/null
else
    echo "dunning_letter is not built: $missing" | head -n 1
fi
