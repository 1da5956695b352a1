#!/usr/bin/env bash
# The peers of network.pl: network.sh start DIR | stop DIR. It starts none of them (the test does, as the server's user), it sees to
# it that they are there, and says which are not.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
[ "$1" = start ] || exit 0

# have NAME PACKAGE:WHY PROGRAM...
have() {
    local name=$1 package=$2 program=$3 why
    if command -v "$program" >/dev/null || [ -e "$program" ]; then
        return
    fi
    why=$("$root/test/lib/packages.sh" "$package" 2>&1 >&2) || true
    if ! command -v "$program" >/dev/null && [ ! -e "$program" ]; then
        echo "${name}_SKIP=${package%%:*} is not here and could not be installed: $(tail -n 1 <<<"$why")"
    fi
}
have TLS libio-socket-ssl-perl:"peers with good and bad certificates for test/t/network.pl" /usr/share/perl5/IO/Socket/SSL.pm
have PROXY tinyproxy:"a real forward proxy for test/t/network.pl" tinyproxy
have HTTP2 nghttp2-server:"a real HTTP/2 peer for test/t/network.pl" nghttpd
