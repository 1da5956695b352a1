#!/bin/sh
# Install the Debian packages that the build and the tests need and that are missing, saying what and why.
# Extra packages of one test are named as arguments: packages.sh postfix:"a real mail server for test/gateways".
set -eu

major=${PGMAJOR:-15}
need="
gcc:compile the extension
make:run the build
postgresql-$major:the server the extension lives in
postgresql-server-dev-$major:its headers and build rules
libcurl4-openssl-dev:HTTP and SMTP delivery
libssl-dev:receipts signed with a key that the provider publishes
pkg-config:find the libraries of dunning_letter, and that one
libpango1.0-dev:dunning_letter lays out letters
libcairo2-dev:dunning_letter draws them as PDF
libqrencode-dev:dunning_letter draws payment codes
poppler-utils:the test of letters reads a PDF back
zbar-tools:the test of letters reads a QR code back
libicu-dev:the test that holds numbers and dates against ICU
libipc-run-perl:TAP tests
postgresql-$major-cron:the pg_cron recipe is tested with the real one
"
[ $# -eq 0 ] || need=$(printf '%s\n' "$@")

missing=
while IFS=: read -r package why; do
    [ -n "$package" ] || continue
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
        printf 'package %-32s %s\n' "$package" "$why"
        missing="$missing $package"
    fi
done <<LIST
$need
LIST
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These packages are missing and this user may not install them. As root: apt-get install$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
# Tests that run at the same time would find apt's own lock taken.
if command -v flock >/dev/null; then
    exec 9>"${TMPDIR:-/tmp}/dunning-packages.$(id -u).lock"
    flock 9
fi
# A package's own cluster or daemon is not wanted: tests start what they need.
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    $sudo mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
log=$(mktemp)
# shellcheck disable=SC2086
if ! { $sudo apt-get update -qq && $sudo env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "The packages could not be installed; this would: apt-get update && apt-get install$missing" >&2
    exit 1
fi
rm -f "$log"
