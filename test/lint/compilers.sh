#!/usr/bin/env bash
# No warning from gcc or clang. Each compiles a copy, so that the tree's own objects stay.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    dir=$(mktemp -d)
    cp -r "$root/src" "$root/sql" "$root/test" "$root/Makefile" "$root/dunning.control" "$dir/"
    find "$dir" -name '*.o' -delete
    make -s -C "$dir" -j"$(nproc)" PG_CONFIG="$bindir/pg_config" CC=$cc WERROR=1 dunning.so >"$dir/log" 2>&1 || {
        echo "$cc:"; grep -E 'error|warning' "$dir/log" | head -n 20; rm -rf "$dir"; exit 1; }
    if make -s -C "$root/letter" have >/dev/null 2>&1; then
        cp "$root"/letter/*.[ch] "$root/letter/Makefile" "$dir/"
        make -s -C "$dir" PG_CONFIG="$bindir/pg_config" CC=$cc WERROR=1 dunning_letter.so >"$dir/log" 2>&1 || {
            echo "letter, $cc:"; grep -E 'error|warning' "$dir/log" | head -n 20; rm -rf "$dir"; exit 1; }
    fi
    rm -rf "$dir"
done
