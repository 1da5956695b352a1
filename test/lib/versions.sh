#!/usr/bin/env bash
# Build on other PostgreSQL versions, each from Debian's own packages in a folder of ours (root, debootstrap).
# VERSIONS="17 18": 17 comes with Debian 13 (trixie), 18 with unstable. The folders are kept in /var/tmp/dunning-versions.
set -euo pipefail
. "$(dirname "$0")/common.sh"
base=/var/tmp/dunning-versions
failed=0 passed=0 skipped=0

suite_of() { case $1 in 17) echo trixie ;; 18) echo sid ;; *) echo "" ;; esac; }

for version in ${VERSIONS:-17}; do
    suite=$(suite_of "$version")
    dir=$base/$suite
    if [ -z "$suite" ]; then echo "skip build-$version: no Debian suite is known for it"; skipped=$((skipped + 1)); continue; fi
    if [ "$(id -u)" -ne 0 ]; then echo "skip build-$version: debootstrap needs root"; skipped=$((skipped + 1)); continue; fi
    "$root/test/lib/packages.sh" "debootstrap:build on PostgreSQL $version from Debian $suite"
    if [ ! -e "$dir/.ready" ]; then
        rm -rf "$dir"; mkdir -p "$base"
        if ! debootstrap --variant=minbase --include="make,gcc,libcurl4-openssl-dev,postgresql-$version,postgresql-server-dev-$version" \
            "$suite" "$dir" >"$base/$suite.log" 2>&1; then
            echo "skip build-$version: debootstrap of $suite did not work, see $base/$suite.log"; skipped=$((skipped + 1)); continue
        fi
        touch "$dir/.ready"
    fi
    rm -rf "$dir/src"; mkdir "$dir/src"
    (cd "$root" && tar --exclude=./tmp --exclude='*.o' --exclude='*.d' --exclude=./.git -cf - .) | tar -xf - -C "$dir/src"
    if chroot "$dir" make -s -C /src -j"$(nproc)" PG_CONFIG="/usr/lib/postgresql/$version/bin/pg_config" WERROR=1 all >"$base/$version.log" 2>&1; then
        chroot "$dir" make -s -C /src PG_CONFIG="/usr/lib/postgresql/$version/bin/pg_config" install >>"$base/$version.log" 2>&1
        # A cluster inside the folder: CREATE EXTENSION and one call a room.
        chroot "$dir" su postgres -c "rm -rf /tmp/d && /usr/lib/postgresql/$version/bin/initdb -D /tmp/d -A trust --locale=C.UTF-8 -E UTF8 >/dev/null 2>&1 &&
            printf \"%s\n\" \"shared_preload_libraries='dunning'\" \"listen_addresses=''\" \"unix_socket_directories='/tmp'\" 'dynamic_shared_memory_type=sysv' \"dunning.databases='postgres'\" >>/tmp/d/postgresql.conf &&
            /usr/lib/postgresql/$version/bin/pg_ctl -D /tmp/d -w -s -l /tmp/d.log start </dev/null >/dev/null 2>&1
            psql -X -h /tmp -v ON_ERROR_STOP=1 -At postgres -c 'CREATE EXTENSION dunning' -c 'SELECT count(*) FROM dunning.health()' -c 'SELECT count(*) FROM dunning.plan(dry_run => true)'; rc=\$?
            /usr/lib/postgresql/$version/bin/pg_ctl -D /tmp/d -m immediate -w -s stop; exit \$rc" >>"$base/$version.log" 2>&1 &&
            { echo "ok build-$version"; passed=$((passed + 1)); } || { echo "not ok build-$version"; tail -n 15 "$base/$version.log"; failed=$((failed + 1)); }
    else
        echo "not ok build-$version"
        grep -E 'error|warning' "$base/$version.log" | head -n 20
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
