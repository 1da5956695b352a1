#!/usr/bin/env bash
# The tests on other PostgreSQL versions, each with a distribution's own packages in a folder of ours (root, debootstrap): build
# with WERROR=1, every room's regression test on a preloaded server with the same golden files, concurrent sessions, and
# the TAP tests that start a worker, let a message leave, crash nothing, dump, restore and update.
# VERSIONS="16 17 18": 16 comes with Ubuntu 24.04 (noble), 17 with Debian 13 (trixie), 18 with Debian unstable.
# PARTS="regress" runs less. The folders are kept in /var/tmp/dunning-versions, where <version>.log holds all that was said.
set -euo pipefail
. "$(dirname "$0")/common.sh"
base=/var/tmp/dunning-versions
failed=0 passed=0 skipped=0

suite_of() { case $1 in 16) echo noble ;; 17) echo trixie ;; 18) echo sid ;; esac; }

skip() {
    echo "skip $1"
    skipped=$((skipped + 1))
}

# A folder with a system of that suite, server, compiler and what the tests need. What it was made of stands in .ready.
make_folder() { # make_folder VERSION SUITE DIR
    local packages="make,gcc,libcurl4-openssl-dev,libipc-run-perl,perl,postgresql-$1,postgresql-server-dev-$1" from=("$2" "$3")
    # Debian signs the keys of Ubuntu's archive as a package.
    [ "$2" != trixie ] || packages=$packages,ubuntu-keyring
    [ "$(cat "$3/.ready" 2>/dev/null)" != "$packages" ] || return 0
    if [ "$2" = noble ]; then
        make_folder 17 trixie "$base/trixie" || return 1
        from=("--components=main,universe" --keyring="$base/trixie/usr/share/keyrings/ubuntu-archive-keyring.gpg"
            "$2" "$3" http://archive.ubuntu.com/ubuntu gutsy)
    fi
    rm -rf "$3"
    debootstrap --variant=minbase --include="$packages" "${from[@]}" >"$base/$2.log" 2>&1 || return 1
    chmod 1777 "$3/dev/shm"     # a server's shared memory; nothing is mounted in the folder
    echo "$packages" >"$3/.ready"
}

# Run one part of the tests in the folder and add its count to ours.
run_part() { # run_part VERSION PART DIR LOG
    local count
    chroot "$3" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PGMAJOR="$1" QUICK=1 WERROR=1 \
        T="${T:-activation\|deliver_worker\|dump_restore\|upgrade}" /src/test/run.sh "$2" >"$4.part" 2>&1 </dev/null || true
    cat "$4.part" >>"$4"
    count=$(tail -n 1 "$4.part" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p')
    if [ -z "$count" ]; then
        echo "not ok $1 $2: it ended early"
        failed=$((failed + 1))
    else
        # shellcheck disable=SC2086
        set -- "$1" "$2" "$3" "$4" $count
        [ "$6" -ne 0 ] || echo "ok $1 $2: $5 passed, $7 skipped"
        [ "$6" -eq 0 ] || echo "not ok $1 $2: $6 failed"
        passed=$((passed + $5)) failed=$((failed + $6)) skipped=$((skipped + $7))
        [ "$6" -ne 0 ] || { rm -f "$4.part"; return 0; }
    fi
    grep -v '^ok ' "$4.part" | head -n 60
    rm -f "$4.part"
}

mkdir -p "$base"
for version in ${VERSIONS:-16 17 18}; do
    suite=$(suite_of "$version")
    dir=$base/$suite
    log=$base/$version.log
    if [ -z "$suite" ]; then skip "$version: no suite is known to have it"; continue; fi
    if [ "$(id -u)" -ne 0 ]; then skip "$version: debootstrap needs root"; continue; fi
    "$root/test/lib/packages.sh" "debootstrap:test on PostgreSQL $version from $suite"
    exec 9>"$base/$suite.lock"
    flock 9
    if ! make_folder "$version" "$suite" "$dir"; then skip "$version: debootstrap of $suite did not work, see $base/$suite.log"; continue; fi
    # Only sources go in: an object made for another version would be taken for this one's.
    rm -rf "$dir/src"
    mkdir "$dir/src"
    (cd "$root" && tar --exclude=./tmp --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude=./.git -cf - .) | tar -xf - -C "$dir/src"
    : >"$log"
    for part in ${PARTS:-regress isolation tasks tap}; do
        run_part "$version" "$part" "$dir" "$log"
    done
    exec 9>&-
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
