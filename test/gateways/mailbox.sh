#!/usr/bin/env bash
# A mail server and a mailbox for mailbox.pl: mailbox.sh start DIR | stop DIR. Postfix as in postfix.sh, and a Dovecot of its own
# that shows the creditor's Maildir over IMAP on free loopback ports.
#
# start prints what postfix.sh prints, and IMAP_PORT (STARTTLS), IMAPS_PORT; user `inbox`, password `s3cret`.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
verb=$1
dir=$2/dovecot

if [ "$(id -u)" -ne 0 ] && sudo -n true 2>/dev/null; then
    exec sudo -n "$0" "$@"
fi
told=$("$root/test/gateways/postfix.sh" "$verb" "$2")
if [ "$verb" = stop ]; then
    [ ! -e "$dir/dovecot.conf" ] || doveadm -c "$dir/dovecot.conf" stop >/dev/null 2>&1 || true
    exit 0
fi
printf '%s\n' "$told"
if grep -q ^DUNNING_SKIP= <<<"$told"; then
    exit 0
fi
if ! why=$("$root/test/lib/packages.sh" dovecot-imapd:"a real mailbox for test/gateways" 2>&1 >&2); then
    echo "DUNNING_SKIP=Dovecot is not here and could not be installed: $(tail -n 1 <<<"$why")"
    exit 0
fi

if id postgres >/dev/null 2>&1; then owner=postgres; else owner=nobody; fi
imap=$(free_port)
imaps=$(free_port)
conf=$2/postfix/conf
mkdir -p "$dir/run" "$dir/home"
chown "$owner" "$dir/home"
cat >"$dir/dovecot.conf" <<CF
base_dir = $dir/run
log_path = $dir/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <$conf/cert.pem
ssl_key = <$conf/key.pem
first_valid_uid = 1
mail_location = maildir:$2/postfix/mail/box:INDEX=$dir/home
passdb {
  driver = static
  args = password=s3cret
}
userdb {
  driver = static
  args = uid=$(id -u "$owner") gid=$(id -g "$owner") home=$dir/home
}
service imap-login {
  chroot =
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = $imaps
    ssl = yes
  }
}
service anvil {
  chroot =
}
CF
dovecot -c "$dir/dovecot.conf" >&2
echo "IMAP_PORT=$imap"
echo "IMAPS_PORT=$imaps"
