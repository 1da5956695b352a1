#!/usr/bin/env bash
# What kannel.pl needs of Debian: kannel.sh start DIR | stop DIR. The test starts and ends the processes itself, in a network of
# its own, since Kannel's simulated centre listens on every interface.
#
# start prints DUNNING_SKIP and why where it cannot be had.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
[ "$1" = start ] || exit 0

if ! why=$("$root/test/lib/packages.sh" kannel:"a real SMS gateway for test/gateways" kannel-extras:"its simulated centre" iproute2:"a network of its own" 2>&1 >&2); then
    echo "DUNNING_SKIP=Kannel is not here and could not be installed: $(tail -n 1 <<<"$why")"
fi
