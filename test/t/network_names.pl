# Names and the system's own certificates, which need a resolver and folders of the machine: this runs in a network and a view of the file
# system of its own (unshare), where a resolver written here tells what it likes, and an address of the public internet is on loopback.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();

my ($public, $other, $dir);

# A resolver of a few names, until who started it is gone. `rebind` is public the first time and from here ever after; `slow` is never answered.
sub resolve
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 53, Proto => 'udp') or die "no resolver: $!";
	my $parent = getppid;
	my %four = (outside => [$public], trusted => [$other], inside => ['127.0.0.1'], two => [ '127.0.0.1', $public ], metadata => ['169.254.169.254'], zero => ['0.0.0.0'], private => ['10.0.0.1']);
	my %six = (six => '0' x 31 . '1', mapped => '0' x 20 . 'ffff7f000001', nat64 => '0064ff9b' . '0' x 16 . '7f000001');
	my %asked;

	while (getppid == $parent)
	{
		my $read = '';
		vec($read, $socket->fileno, 1) = 1;
		next unless select($read, undef, undef, 0.5);
		my $peer = recv($socket, my $query, 512, 0) // next;
		my ($id, $name, $at) = (substr($query, 0, 2), '', 12);
		while ((my $len = ord substr($query, $at, 1)) > 0)
		{
			$name .= substr($query, $at + 1, $len) . '.';
			$at += $len + 1;
		}
		my ($type) = unpack 'n', substr($query, $at + 1, 2);
		my $question = substr($query, 12, $at + 5 - 12);
		my ($host) = $name =~ /^(\w+)\.bank\.test\.$/i;
		my @answers;

		$host = lc($host // '');
		next if $host eq 'slow';
		if ($type == 1)
		{
			my @addresses = $host eq 'rebind' ? ($asked{$host}++ ? '127.0.0.1' : $public) : @{ $four{$host} // [] };
			push @answers, pack('n n n N n a4', 0xc00c, 1, 1, 0, 4, pack 'C4', split /\./, $_) for @addresses;
		}
		push @answers, pack('n n n N n a16', 0xc00c, 28, 1, 0, 16, pack 'H32', $six{$host}) if $type == 28 && $six{$host};
		my $known = $host eq 'rebind' || $four{$host} || $six{$host};
		send($socket, $id . pack('n n n n n', $known ? 0x8180 : 0x8183, 1, scalar @answers, 0, 0) . $question . join('', @answers), 0, $peer);
	}
	return;
}

# Once more, within: before PostgreSQL's modules take hold of the output.
sub go_within
{
	my ($uid, $gid) = ($>, (split / /, $))[0]);
	my $inside = "set -e; ip link set lo up; ip addr add $public/32 dev lo; ip addr add $other/32 dev lo; mkdir -p /etc/ssl/certs; mount --bind $dir/certs /etc/ssl/certs; "
	  . "for f in resolv.conf hosts nsswitch.conf; do mount --bind $dir/\$f /etc/\$f; done";
	my $back = "unshare -U --map-user=$uid --map-group=$gid";
	my $perl = join ' ', "'$^X'", (map { "'-I$_'" } @INC), "'$0'";
	my %file = ('resolv.conf' => "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n", hosts => "127.0.0.1 localhost\n", 'nsswitch.conf' => "hosts: files dns\n");

	mkdir "$dir/certs";
	for my $name (keys %file)
	{
		open(my $out, '>', "$dir/$name") or die;
		print $out $file{$name};
		close($out);
	}
	my $why = `unshare -r -m -n sh -c '$inside; $back true' 2>&1`;
	if ($? != 0)
	{
		print '1..0 # SKIP no network and file system of its own (unshare -r -m -n): ' . ((split /\n/, $why)[-1] // '') . "\n";
		exit 0;
	}
	$ENV{DUNNING_NETNS} = $dir;
	exec 'unshare', '-r', '-m', '-n', 'sh', '-c', "$inside; $perl resolve & exec $back $perl" or die "exec: $!";
}

BEGIN
{
	($public, $other, $dir) = ('93.184.216.34', '93.184.216.35', $ENV{DUNNING_NETNS});
	if (!$dir)
	{
		$dir = tempdir(DIR => $ENV{TESTDATADIR} // "/tmp");
		go_within();
	}
	if (@ARGV && $ARGV[0] eq 'resolve')
	{
		resolve();
		POSIX::_exit(0);
	}
}

use Catcher;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Relay;
use Test::More;

plan skip_all => 'IO::Socket::SSL is not here: apt-get install libio-socket-ssl-perl' unless eval { require IO::Socket::SSL; require IO::Socket::SSL::Utils; 1 };

# --- peers ---

my $secrets = PostgreSQL::Test::Utils::tempdir();
my @names = map { [ DNS => "$_.bank.test" ] } qw(outside trusted inside two metadata zero private six mapped nat64 rebind none slow);
my %made;
sub issue
{
	my ($name, $by, %more) = @_;
	my ($cert, $key) = IO::Socket::SSL::Utils::CERT_create(subject => { commonName => $name }, subjectAltNames => \@names, not_before => time - 86400, not_after => time + 86400, digest => 'sha256',
		$by ? (issuer => $made{$by}) : (), %more);
	$made{$name} = [ $cert, $key ];
	IO::Socket::SSL::Utils::PEM_cert2file($cert, "$secrets/$name.pem");
	IO::Socket::SSL::Utils::PEM_key2file($key, "$secrets/$name.key");
	chmod 0600, "$secrets/$name.pem", "$secrets/$name.key";
	return;
}
issue('system-ca', undef, CA => 1);
issue('bank-ca', undef, CA => 1);
issue('by-system', 'system-ca', purpose => 'server');
issue('by-bank', 'bank-ca', purpose => 'server');
# The system's folder, as update-ca-certificates leaves it.
my ($hash) = `openssl x509 -hash -noout -in $secrets/system-ca.pem` =~ /^(\w+)/ or die 'no hash';
system('cp', "$secrets/system-ca.pem", "$dir/certs/$hash.0") == 0 or die;
system('cp', "$secrets/system-ca.pem", "$dir/certs/ca-certificates.crt") == 0 or die;

my $gateway = Catcher->new;
my %tls = map { $_ => { cert => "$secrets/by-$_.pem", key => "$secrets/by-$_.key" } } qw(system bank);
my $outside = Relay->new(address => $public, to => $gateway->http_port, tls => $tls{bank});
my $port = $outside->port;
# At the same port of this machine itself: what may never be reached unless it is named.
my $inside = Relay->new(address => '127.0.0.1', port => $port, to => $gateway->http_port, tls => $tls{bank});
my $of_system = Relay->new(address => $other, to => $gateway->http_port, tls => $tls{system});

my $node = PostgreSQL::Test::Cluster->new('names');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'dunning'\ndunning.databases = 'none'\ndunning.secret_directory = '$secrets'\ndunning.retry_delay = '20ms'\ndunning.max_attempts = 2\ntimezone = 'UTC'\nfsync = off\n");
$node->start;
my $db = 'postgres';
$node->safe_psql($db, q{
	CREATE EXTENSION dunning;
	INSERT INTO dunning.contact_rule (rule, channels, windows, holidays, source) VALUES ('house-email', '{email}', 'Mon-Sun 00:00-24:00', true, 'test');
	SELECT dunning.activate()});

my $serial = 0;
sub send_by
{
	my ($server) = @_;
	my $name = "d" . ++$serial;

	$node->safe_psql($db, qq{
		BEGIN;
		SET LOCAL client_min_messages = error;
		INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email) VALUES ('$name', 'Name', 'Given', 'en', 'DK', '$name\@debtors.test');
		INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES ('$name', 'I', current_date - 40, current_date - 12, 100, 'DKK');
		SELECT dunning.send('$name', 'reminder-1', 'email');
		UPDATE dunning.queue SET server = '$server' WHERE debtor_id = '$name';
		COMMIT});
	# A session of its own: libcurl remembers a name for a minute.
	for (1 .. 4)
	{
		$node->safe_psql($db, "CALL dunning.deliver(max_seconds => 4)");
		last if $node->safe_psql($db, "SELECT count(*) FROM dunning.queue q WHERE q.debtor_id = '$name' AND NOT EXISTS (SELECT FROM dunning.queue_status s WHERE s.shut IS NOT NULL)") eq '0';
	}
	my $state = $node->safe_psql($db, qq{SELECT s.state || ': ' || coalesce((SELECT o.reason FROM dunning.outcome o WHERE o.debtor_id = s.debtor_id AND o.attempt > 0 ORDER BY o.outcome_id LIMIT 1), '') FROM dunning.message_state s WHERE s.debtor_id = '$name'});
	my $shut = $node->safe_psql($db, qq{SELECT min(q.shut) FROM dunning.queue_status q WHERE q.server = '$server'});
	$node->safe_psql($db, "SET client_min_messages = error; SELECT dunning.cancel(q.message_id, 'test') FROM dunning.queue q; SELECT dunning.resume('$server')");
	return $state =~ /^queued/ && $shut ? "left alone: $shut" : $state;
}
sub server
{
	my ($name, $host, $at, $more) = @_;
	$node->safe_psql($db, "CREATE SERVER $name TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://$host:$at/', contract 'once', timeout '2s'" . ($more // ", ca_file 'bank-ca.pem'") . ')');
	return $name;
}

# names_are_judged_by_what_they_resolve_to
is(send_by(server('outside', 'outside.bank.test', $port)), 'sent: http_200', 'a name of a public address is reached');
is(send_by(server($_, "$_.bank.test", $port)), 'left alone: address_is_not_allowed', "a name of an address of the inside is not: $_") for qw(inside metadata zero private six mapped nat64);
like(send_by(server('dotted', '127.0.0.1.', $port)), qr/^(?:left alone: address_is_not_allowed|dead: couldn_t_resolve)/, 'nor an address with a dot');
is(scalar(my @none = $inside->log), 0, 'nothing came here');
is(send_by(server('two', 'two.bank.test', $port)), 'sent: http_200', 'of two addresses the one that is allowed is taken');
is(scalar(@none = $inside->log), 0, 'and not the other');

# a_name_that_changes_between_two_look_ups_is_judged_at_each
my $n = () = $outside->log;
is(send_by(server('rebind', 'rebind.bank.test', $port)), 'sent: http_200', 'a name that is public now is reached');
is(send_by('rebind'), 'left alone: address_is_not_allowed', 'and when it is of this machine, it is not');
is(scalar(my @times = $outside->log), $n + 1, 'it was reached once');
is(scalar(@none = $inside->log), 0, 'and never here');

# who_is_named_is_reached
$node->safe_psql($db, "ALTER SYSTEM SET dunning.allowed_hosts = 'inside.bank.test:$port'");
$node->reload;
is(send_by('inside'), 'sent: http_200', 'a name that the superuser allowed is reached');
is(send_by('zero'), 'left alone: address_is_not_allowed', 'another name of this machine is not');
$node->safe_psql($db, q{ALTER SYSTEM RESET dunning.allowed_hosts});
$node->reload;

# names_that_are_nobody_s
is(send_by(server('none', 'none.bank.test', $port)), 'dead: couldn_t_resolve_host_name', 'a name that nobody has');
is(send_by(server('slow', 'slow.bank.test', $port)), 'dead: timeout_was_reached', 'a resolver that does not answer');

# only_the_certificates_that_are_named_count
my $system = $of_system->port;
is(send_by(server('by_system', 'trusted.bank.test', $system, '')), 'sent: http_200', "without ca_file the system's certificates count");
is(send_by(server('by_bank', 'trusted.bank.test', $system)), 'left alone: certificate_of_an_unknown_ca', 'with it they do not');
is(send_by(server('not_system', 'outside.bank.test', $port, '')), 'left alone: certificate_of_an_unknown_ca', 'and what it names is trusted only there');

is($node->safe_psql($db, 'SELECT bool_and(ok) FROM dunning.verify_egress()'), 't', 'the chains verify');
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP|PANIC/, 'no process crashed');
$node->stop;
done_testing();
