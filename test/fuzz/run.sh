#!/usr/bin/env bash
# Fuzz one target with AddressSanitizer and UBSan: run.sh TARGET [SECONDS]. The corpus is kept in tmp/fuzz/TARGET.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$1
seconds=${2:-60}
libraries=
case $target in
    render) sources="src/message/template.c src/message/markup.c src/message/program.c src/message/format.c" ;;
    url) sources=src/gateway/url.c libraries=-lcurl ;;
    *) echo "no such target: $target" >&2; exit 2 ;;
esac
pg_config=${PG_CONFIG:-pg_config}
mkdir -p "tmp/fuzz/$target"
# shellcheck disable=SC2086
clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -DFRONTEND -Isrc -I"$($pg_config --includedir-server)" \
    -I"$($pg_config --includedir)" -o "tmp/fuzz/$target.bin" "test/fuzz/$target.c" $sources \
    -L"$($pg_config --pkglibdir)" -L"$($pg_config --libdir)" -lpgcommon -lpgport $libraries -lm
if [ "$target" = render ]; then
    printf '1{{#a}}{{amount | money}}{{/a}}<a href="{{u}}">{{n | plural: day, days}}' >"tmp/fuzz/$target/seed"
    printf '0one\n  {{> a}}\n{{=<%% %%>=}}<%%> b%%><%%#x%%><%%&y%%><%%/x%%>\036line\n{{v | date}}{{> b}}\036{{=| |=}}|w|\0362026-02-28' >"tmp/fuzz/$target/partials"
    printf '2{{#l}}\n  {{> a}}\n{{/l}}\036{{#l}}{{> a}}{{/l}}\036\036-1.50' >"tmp/fuzz/$target/recursion"
else
    n=0
    for url in https://sms.example.org:443/v1?x=1 smtps://[2001:db8::1]:465 http://0x7f.1/ socks5h://127.1:1080 'https://a@b.c:1/' 'https://[fe80::1%25lo]/' 'https://x#@y' 'https://%31.2/'; do
        printf '%s' "$url" >"tmp/fuzz/$target/seed$((n += 1))"
    done
fi
"tmp/fuzz/$target.bin" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 -artifact_prefix=tmp/fuzz/ "tmp/fuzz/$target"
