#!/usr/bin/env bash
# Every symbol the library shows to the server's process starts with dun_ (or is what the server itself asks for).
set -euo pipefail
cd "$(dirname "$0")/../.."
modules=dunning.so
[ ! -e letter/dunning_letter.so ] || modules="$modules letter/dunning_letter.so"
# shellcheck disable=SC2086
bad=$(nm -D --defined-only $modules | awk 'NF == 3 {print $3}' | grep -vE '^(dun_|pg_finfo_dun_|Pg_magic_func$|_PG_init$|_init$|_fini$)' || true)
[ -z "$bad" ] || { echo "exported without the prefix dun_:"; echo "$bad"; exit 1; }
