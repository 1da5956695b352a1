#!/usr/bin/env bash
# Load the accounts-receivable file, bind it, train `late` and print the out-of-time figures.
#   examples/ibm-accounts-receivable/run.sh FILE.csv
# The connection comes from the environment (PGHOST, PGPORT, PGDATABASE ...); the database should be empty and its server must have the
# extension installed. Connect as a superuser, who alone may create it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
csv=${1:-}
if [ ! -r "$csv" ]; then
    echo "usage: $0 FILE.csv (ibm_accounts_receivable.csv; it is not part of this repository)" >&2
    exit 2
fi
run() { "${PSQL:-psql}" -X -q -v ON_ERROR_STOP=1 -P footer=off "$@"; }
run -f "$here/01_load.sql" <"$csv"
run -o /dev/null -f "$here/02_bind.sql"
run -f "$here/03_train.sql"
