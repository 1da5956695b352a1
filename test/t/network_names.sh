#!/usr/bin/env bash
# What network_names.pl needs to be there: network_names.sh start DIR | stop DIR.
exec "$(dirname "$0")/network.sh" "$@"
