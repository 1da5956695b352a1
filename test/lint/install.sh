#!/usr/bin/env bash
# What CREATE EXTENSION runs never replaces or skips an object that somebody else made first, and every version
# number in the tree is the control file's.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
# Inside function bodies, partitions and temporary objects are made at run time: only statements at the line's start count.
if grep -nEi '^CREATE +OR +REPLACE|^CREATE .*IF +NOT +EXISTS' sql/modules/*.sql; then
    echo "an install part must CREATE, never CREATE OR REPLACE or IF NOT EXISTS"
    bad=1
fi
if grep -nE '@ext(schema|owner)' sql/modules/*.sql; then
    echo "the schema is fixed: no @extschema@"
    bad=1
fi
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" dunning.control)
meta=$(sed -n 's/^ *"version": *"\([0-9.]*\)",*$/\1/p' META.json | sort -u)
[ "$meta" = "$version" ] || { echo "META.json says $meta, dunning.control says $version"; bad=1; }
letter=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" letter/dunning_letter.control)
{ [ "$letter" = "$version" ] && [ -e "letter/sql/dunning_letter--$version.sql" ]; } || { echo "letter/dunning_letter.control says $letter, dunning.control says $version"; bad=1; }
grep -q "^## $version" CHANGELOG.md || { echo "CHANGELOG.md has no section $version"; bad=1; }
{ grep -q '^superuser = true' dunning.control && grep -q '^trusted = false' dunning.control; } || { echo "the extension must not be trusted"; bad=1; }
exit $bad
