#!/usr/bin/env bash
# Fuzz one target with AddressSanitizer and UBSan: run.sh TARGET [SECONDS]. The corpus is kept in tmp/fuzz/TARGET. `all` is each
# of them, a line each as test/run.sh counts them. The target carrier is no reader: it is run with ThreadSanitizer, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$1
seconds=${2:-60}
if [ "$target" = all ]; then
    mkdir -p tmp/fuzz
    if ! clang -fsanitize=fuzzer,address,undefined -x c -o tmp/fuzz/empty.bin - 2>/dev/null <<<'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return 0; }'; then
        echo "skip fuzz: no clang with libFuzzer and sanitizers is here (apt-get install clang)"
        exit 0
    fi
    failed=0
    for one in ${TARGETS:-render url mail imap carrier}; do
        if "$0" "$one" "$seconds" >"tmp/fuzz/$one.log" 2>&1; then
            echo "ok fuzz $one: $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "tmp/fuzz/$one.log" | awk '{ n += $1 } END { print n " inputs" }')"
        else
            echo "not ok fuzz $one"
            grep -E 'ERROR|SUMMARY|error:|cannot find|^carrier:' "tmp/fuzz/$one.log" | head -n 5
            failed=1
        fi
    done
    exit $failed
fi
pg_config=${PG_CONFIG:-pg_config}

# The thread that moves requests has a gateway to talk to, and nothing to read.
run_carrier() { # run_carrier SECONDS
    local parts="engine carrier transport easy tls sockets smtp dialog answer libcurl" sources part sanitizer http smtp
    sources="src/gateway/network.c src/gateway/url.c"
    for part in $parts; do sources="$sources src/transport/$part.c"; done
    make -s catcher
    mkdir -p tmp/fuzz/carrier
    rm -f tmp/fuzz/carrier/ports
    mkfifo tmp/fuzz/carrier/ports
    test/gateways/catcher --ledger tmp/fuzz/carrier/ledger --honour-keys --delay 1 >tmp/fuzz/carrier/ports &
    gateway=$!
    trap 'kill "$gateway"' EXIT
    { read -r _ http; read -r _ smtp; } <tmp/fuzz/carrier/ports
    for sanitizer in thread address,undefined; do
        # The server's headers name formats of gcc.
        # shellcheck disable=SC2086
        clang -g -O1 -D_GNU_SOURCE -Wno-ignored-attributes -fsanitize=$sanitizer -Isrc -I"$($pg_config --includedir-server)" -I"$($pg_config --includedir)" \
            -o tmp/fuzz/carrier.bin test/fuzz/carrier.c $sources -L"$($pg_config --pkglibdir)" -L"$($pg_config --libdir)" -lpgcommon -lpgport -lcurl -lm
        timeout $(($1 + 60)) tmp/fuzz/carrier.bin $((($1 + 1) / 2)) "http://127.0.0.1:$http/send" "smtp://127.0.0.1:$smtp"
    done
}

libraries=
longest=4096
case $target in
    render) sources="src/message/template.c src/message/markup.c src/message/program.c src/message/format.c" ;;
    url) sources=src/gateway/url.c libraries=-lcurl ;;
    mail) sources="src/event/mail.c src/event/mail_text.c" ;;
    imap) sources="-DDUN_IMAP_MAIL_CAP=512 src/gateway/imap.c" ;;
    carrier) run_carrier "$seconds"; exit ;;
    *) echo "no such target: $target" >&2; exit 2 ;;
esac
mkdir -p "tmp/fuzz/$target"
# shellcheck disable=SC2086
clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -DFRONTEND -Isrc -I"$($pg_config --includedir-server)" \
    -I"$($pg_config --includedir)" -o "tmp/fuzz/$target.bin" "test/fuzz/$target.c" $sources \
    -L"$($pg_config --pkglibdir)" -L"$($pg_config --libdir)" -lpgcommon -lpgport $libraries -lm
if [ "$target" = render ]; then
    printf '1{{#a}}{{amount | money}}{{/a}}<a href="{{u}}">{{n | plural: day, days}}' >"tmp/fuzz/$target/seed"
    printf '0one\n  {{> a}}\n{{=<%% %%>=}}<%%> b%%><%%#x%%><%%&y%%><%%/x%%>\036line\n{{v | date}}{{> b}}\036{{=| |=}}|w|\0362026-02-28' >"tmp/fuzz/$target/partials"
    printf '2{{#l}}\n  {{> a}}\n{{/l}}\036{{#l}}{{> a}}{{/l}}\036\036-1.50' >"tmp/fuzz/$target/recursion"
elif [ "$target" = mail ]; then
    cp test/sql/mail/*.eml "tmp/fuzz/$target/"
elif [ "$target" = imap ]; then
    printf '* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9] x\r\nD1 OK x\r\n* 1 FETCH (UID 5)\r\n* 2 FETCH (UID 8)\r\nD2 OK x\r\n* 1 FETCH (UID 5 INTERNALDATE " 1-May-2026 10:00:00 +0200" BODY[]<0> {6}\r\nA: b\r\n)\r\nD3 OK x\r\n' >"tmp/fuzz/$target/seed"
    printf '* OK [UIDVALIDITY 7] x\r\nD1 OK x\r\n* 1 FETCH (BODY[]<0> {3}\r\nabc UID 5)\r\n* BYE {99999}\r\n' >"tmp/fuzz/$target/bye"
else
    n=0
    for url in https://sms.example.org:443/v1?x=1 smtps://[2001:db8::1]:465 http://0x7f.1/ socks5h://127.1:1080 'https://a@b.c:1/' 'https://[fe80::1%25lo]/' 'https://x#@y' 'https://%31.2/'; do
        printf '%s' "$url" >"tmp/fuzz/$target/seed$((n += 1))"
    done
fi
"tmp/fuzz/$target.bin" -max_total_time="$seconds" -max_len="$longest" -print_final_stats=1 -artifact_prefix=tmp/fuzz/ "tmp/fuzz/$target"
