#!/usr/bin/env bash
# What prism.pl needs: prism.sh start DIR | stop DIR. Prism from npm, which answers as a provider's own OpenAPI description says, and
# the descriptions of Twilio, SendGrid and Lob, which are theirs and not kept here: DUNNING_OPENAPI names a folder with
# twilio_api_v2010.json (github.com/twilio/twilio-oai), oai_v3_stoplight.json (sendgrid/sendgrid-oai) and lob-api-bundled.yml (lob/lob-openapi).
#
# start prints PRISM and OPENAPI, or DUNNING_SKIP and why.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
[ "$1" = start ] || exit 0
dir=$2/openapi

for file in twilio_api_v2010.json oai_v3_stoplight.json lob-api-bundled.yml; do
    if [ ! -r "${DUNNING_OPENAPI:-/nonexistent}/$file" ]; then
        echo "DUNNING_SKIP=the OpenAPI descriptions of Twilio, SendGrid and Lob are not here ($file in the folder that DUNNING_OPENAPI names)"
        exit 0
    fi
done
if ! command -v npm >/dev/null; then
    echo "DUNNING_SKIP=npm is not here, which Prism is installed with"
    exit 0
fi
prism=$root/tmp/prism/node_modules/.bin/prism
if [ ! -x "$prism" ] && ! why=$(timeout 180 npm install --prefix "$root/tmp/prism" --ignore-scripts --no-audit --no-fund --loglevel=error @stoplight/prism-cli@5 2>&1 >/dev/null); then
    echo "DUNNING_SKIP=Prism could not be installed: $(tail -n 1 <<<"$why")"
    exit 0
fi
# Prism leaves out what a description says before its paths.
mkdir -p "$dir"
cp "$DUNNING_OPENAPI/twilio_api_v2010.json" "$dir/twilio.json"
sed 's#"/mail/send": *{#"/v3/mail/send":{#' "$DUNNING_OPENAPI/oai_v3_stoplight.json" >"$dir/sendgrid.json"
sed 's#^  /letters:#  /v1/letters:#' "$DUNNING_OPENAPI/lob-api-bundled.yml" >"$dir/lob.yml"
chmod -R a+rX "$dir"
echo "PRISM=$prism"
echo "OPENAPI=$dir"
