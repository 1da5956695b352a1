#!/usr/bin/env bash
# A real mail server for postfix.pl: postfix.sh start DIR | stop DIR. An instance of its own on a free loopback port, with its
# own configuration, queue and data under DIR/postfix; what the system's Postfix has or does is left alone. It relays nowhere but
# to that port.
#
# start prints, for the test: POSTFIX_PORT, POSTFIX_MAIL (Maildirs: `all` of the debtors, `box` of the creditor), POSTFIX_CA and
# POSTFIX_MX (the port at which it looks for the mail server of mx.test), or DUNNING_SKIP and why.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
verb=$1
dir=$2/postfix
conf=$dir/conf

if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
        exec sudo -n "$0" "$@"
    fi
    [ "$verb" = stop ] || echo "DUNNING_SKIP=Postfix's master must be started by root, and this user may not become root"
    exit 0
fi

if [ "$verb" = stop ]; then
    [ ! -e "$conf/main.cf" ] || postfix -c "$conf" stop >/dev/null 2>&1 || true
    exit 0
fi

if ! why=$("$root/test/lib/packages.sh" postfix:"a real mail server for test/gateways" openssl:"its certificate" 2>&1 >&2); then
    echo "DUNNING_SKIP=Postfix is not here and could not be installed: $(tail -n 1 <<<"$why")"
    exit 0
fi

# The mail belongs to whoever runs the test.
if id postgres >/dev/null 2>&1; then owner=postgres; else owner=nobody; fi
port=$(free_port)
mx_port=$(free_port)
mkdir -p "$conf" "$dir/queue" "$dir/data" "$dir/mail"
chmod 755 "$dir" "$dir/queue" "$conf"
chown postfix "$dir/data"
chown "$owner" "$dir/mail"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$conf/key.pem" -out "$conf/cert.pem" 2>/dev/null
cat >"$conf/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = localhost
mydestination =
virtual_mailbox_domains = debtors.test, customers.test, dunning.test
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = inline:{ {@debtors.test = all/}, {@customers.test = all/}, {@dunning.test = box/} }
relay_domains = mx.test
transport_maps = inline:{ {mx.test = smtp:[127.0.0.1]:$mx_port} }
smtp_dns_support_level = disabled
virtual_uid_maps = static:$(id -u "$owner")
virtual_gid_maps = static:$(id -g "$owner")
recipient_delimiter = +
default_transport = error:5.7.1 outside delivery is off
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = $conf/cert.pem
smtpd_tls_key_file = $conf/key.pem
smtpd_client_connection_count_limit = 0
maillog_file = $dir/mail.log
maillog_file_prefixes = $dir
biff = no
CF
cat >"$conf/master.cf" <<CF
127.0.0.1:$port inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n -  0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -  - trivial-rewrite
bounce    unix - - n -  0 bounce
defer     unix - - n -  0 bounce
trace     unix - - n -  0 bounce
verify    unix - - n -  1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n -  - proxymap
error     unix - - n -  - error
smtp      unix - - n -  - smtp
retry     unix - - n -  - error
discard   unix - - n -  - discard
virtual   unix - n n -  - virtual
anvil     unix - - n -  1 anvil
postlog   unix-dgram n - n - 1 postlogd
CF
postfix -c "$conf" start >&2
echo "POSTFIX_PORT=$port"
echo "POSTFIX_MAIL=$dir/mail"
echo "POSTFIX_CA=$conf/cert.pem"
echo "POSTFIX_MX=$mx_port"
