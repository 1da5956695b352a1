#!/usr/bin/env perl
# Writes the update script that takes a database from one catalog (test/lib/catalog.sql, as JSON) to another.
#
#   delta.pl OLD.json NEW.json FILLS > dunning--OLD--NEW.sql      exit 0: written, 3: nothing differs, 1: cannot be said in SQL
#
# An install script makes objects in an order that works, and oids rise as it goes. So what goes is dropped in falling
# order of the old oids, and what comes or changes is made in rising order of the new ones. Whatever hangs on an object
# that must be dropped and made again is dropped and made again with it.
#
# Changes of existing tables stand in DO blocks, one EXECUTE a statement: where Citus has distributed a table, the
# coordinator brings the change to the workers, and a worker that knows the table must not make it a second time.
use strict;
use warnings;
use JSON::PP;

my ($old, $new) = map { load($_) } @ARGV[0, 1];
my %fill = fills($ARGV[2]);
my @refused;
my @out;
my (%drop, %create, %forced);    # keys to drop, to make (or replace), sub-objects of tables to make again

sub load
{
	open my $in, '<', $_[0] or die "$_[0]: $!\n";
	local $/;
	my $doc = decode_json(<$in>);
	$doc->{object} = { %{ $doc->{routines} }, %{ $doc->{relations} }, %{ $doc->{wrappers} }, %{ $doc->{bases} } };
	return $doc;
}

# Lines "dunning.table.column expression": what existing rows get in a column that may not be NULL and has no default.
sub fills
{
	my ($file) = @_;
	my %found;
	return () unless defined $file && -e $file;
	open my $in, '<', $file or die "$file: $!\n";
	while (<$in>) { $found{$1} = $2 if /^([^\s#]\S*)\s+(.*\S)/ }
	return %found;
}

sub bare { my ($identity) = @_; $identity =~ s/\bpg_catalog\.//g; return $identity }
sub same { my $json = JSON::PP->new->canonical->allow_nonref; return $json->encode($_[0]) eq $json->encode($_[1]) }
sub quote { my ($text) = @_; $text =~ s/'/''/g; return ($text =~ /\\/ ? 'E' . "'" . $text =~ s/\\/\\\\/gr . "'" : "'$text'") }
sub is_table { $_[0]{type} eq 'TABLE' }
sub column_of { my ($object) = @_; return map { $_->{name} => $_ } @{ $object->{columns} } }
sub by_oid { my ($doc) = @_; return sort { $doc->{object}{$a}{oid} <=> $doc->{object}{$b}{oid} } keys %{ $doc->{object} } }

# The named columns of two relations have the same types and collations, in this order.
sub same_columns
{
	my ($left, $right) = @_;
	return 0 unless @$left == @$right;
	for my $n (0 .. $#$left)
	{
		return 0 unless same([ @{ $left->[$n] }{qw(name type collation)} ], [ @{ $right->[$n] }{qw(name type collation)} ]);
	}
	return 1;
}

# CREATE OR REPLACE takes it: result, outputs and names of inputs as before, no default less.
sub replaceable
{
	my ($was, $is) = @_;
	if ($is->{type} eq 'VIEW')
	{
		my ($before, $after) = ($was->{columns}, $is->{columns});
		return @$after >= @$before && same_columns($before, [ @$after[ 0 .. $#$before ] ]);
	}
	return 0 unless same($was->{shape}, $is->{shape}) && $is->{defaults} >= $was->{defaults};
	for my $n (0 .. $#{ $was->{names} })
	{
		my $name = $was->{names}[$n] // '';
		return 0 if $name ne '' && $name ne ($is->{names}[$n] // '');
	}
	return 1;
}

# ALTER TYPE takes a composite type there: what stays keeps its order, what comes is last.
sub alterable
{
	my ($was, $is) = @_;
	my %after = column_of($is);
	my @kept = map { $_->{name} } grep { $after{ $_->{name} } } @{ $was->{columns} };
	my @names = map { $_->{name} } @{ $is->{columns} };
	return "@kept" eq join(' ', @names[ 0 .. $#kept ]);
}

sub decide
{
	for my $key (keys %{ $old->{object} })
	{
		my ($was, $is) = ($old->{object}{$key}, $new->{object}{$key});
		if (!$is) { $drop{$key} = 1; next }
		my @parts = is_table($is) ? qw(options partition_key by_hand columns constraints indexes triggers)
			: $is->{type} eq 'FOREIGN DATA WRAPPER' ? qw(handler validator options)
			: $is->{type} eq 'TYPE' ? qw(columns) : qw(definition options columns);
		push @refused, "$key: a type in C does not change; write this by hand" if changed($was, $is, 'base');
		next if !changed($was, $is, @parts);
		$create{$key} = 1;
		$drop{$key} = 1 if $is->{type} =~ /^(FUNCTION|PROCEDURE|AGGREGATE|VIEW)$/ ? !replaceable($was, $is)
			: $is->{type} eq 'TYPE' ? !alterable($was, $is) : 0;
		push @refused, "$key: partition key, row security, persistence or tablespace changed; write this by hand"
			if is_table($is) && changed($was, $is, qw(partition_key by_hand));
	}
	$create{$_} = 1 for grep { !$old->{object}{$_} } keys %{ $new->{object} };
	delete @create{ @{ $_->{made_with} } } for grep { $_->{made_with} } map { $new->{object}{$_} } keys %create;
	for my $key (grep { $new->{object}{$_}{columns} } keys %create)
	{
		my %was = $old->{object}{$key} ? column_of($old->{object}{$key}) : ();
		push @refused, map { "$key: column $_->{name} is generated, an identity or has storage options; write this by hand" }
			grep { $_->{by_hand} && !same($_, $was{ $_->{name} }) } @{ $new->{object}{$key}{columns} };
	}
	push @refused, map { "$_: the generator does not know this kind of object" } @{ $new->{unknown} };
	push @refused, map { "$_: an aggregate of this kind is to be written by hand" }
		grep { ($new->{object}{$_}{definition} // '') =~ /WRITE_BY_HAND/ } keys %create;
}

# Rights of a column and the order of a table's columns do not make a relation a changed one.
sub changed
{
	my ($was, $is, @parts) = @_;
	for my $part (@parts)
	{
		my ($left, $right) = ($was->{$part}, $is->{$part});
		if ($part eq 'columns')
		{
			($left, $right) = map { [ map { my %c = %$_; delete $c{rights}; \%c } @{ $_ // [] } ] } $left, $right;
			($left, $right) = map { [ sort { $a->{name} cmp $b->{name} } @$_ ] } $left, $right if is_table($is);
		}
		return 1 unless same($left, $right);
	}
	return 0;
}

# What hangs on a thing that is dropped goes with it and comes back; a table cannot.
sub close_over
{
	my @todo = keys %drop;
	my %gone;    # columns that go or change their type
	for my $key (grep { $new->{object}{$_} && $old->{object}{$_} && $old->{object}{$_}{columns} && !$drop{$_} } keys %create)
	{
		my %after = column_of($new->{object}{$key});
		$gone{$key}{ $_->{name} } = 1
			for grep { !$after{ $_->{name} } || !same([ @$_{qw(type collation)} ], [ @{ $after{ $_->{name} } }{qw(type collation)} ]) } @{ $old->{object}{$key}{columns} };
	}
	my $reach = sub {
		my ($dependent, $because) = @_;
		if (my $was = $old->{object}{$dependent})
		{
			return if $drop{$dependent};
			if (is_table($was) || $was->{type} eq 'FOREIGN DATA WRAPPER')
			{
				push @refused, "$dependent uses $because, which must be dropped; write this by hand";
				return;
			}
			$drop{$dependent} = 1;
			$create{$dependent} = 1 if $new->{object}{$dependent};
			push @todo, $dependent;
		}
		elsif ($dependent =~ /^table constraint (\S+) on (\S+)$/) { $forced{"table $2"}{constraint}{$1} = 1; $create{"table $2"} = 1 }
		elsif ($dependent =~ /^index (\S+)$/)
		{
			my ($table) = grep { ($old->{object}{$_}{indexes} // {})->{$1} } keys %{ $old->{object} };
			if ($table) { $forced{$table}{index}{$1} = 1; $create{$table} = 1 }
		}
		elsif ($dependent =~ /^(table .*) default (\S+)$/) { $forced{$1}{default}{$2} = 1; $create{$1} = 1 }
	};
	for my $edge (sort { join('|', map { $_ // '' } @$a) cmp join('|', map { $_ // '' } @$b) } @{ $old->{dependencies} })
	{
		my ($dependent, $referenced, $column) = @$edge;
		next unless defined $column && $gone{$referenced}{$column} && $old->{object}{$dependent};
		$reach->($dependent, "$referenced.$column");
	}
	while (defined(my $key = shift @todo))
	{
		$reach->($_->[0], $key) for grep { $_->[1] eq $key } @{ $old->{dependencies} };
	}
	# A default or constraint of a table that goes as a whole needs no care, and one that is not there any more neither.
	delete $create{$_} for grep { !$new->{object}{$_} } keys %create;
}

sub emit { push @out, @_ }

# Statements on a table that Citus may have distributed, one EXECUTE each.
sub guarded
{
	my ($table, @statements) = @_;
	return unless @statements;
	my $body = join '', map {
		my $tag = /\$step\$/ ? '$longer_step$' : '$step$';
		"    EXECUTE $tag$_$tag;\n"
	} @statements;
	emit(<<"SQL");
DO \$do\$
DECLARE
    brought boolean := false;
BEGIN
    -- The coordinator of a Citus cluster brings this to a worker that knows the table already.
    IF pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT (SELECT g.groupid <> 0 FROM pg_catalog.pg_dist_local_group g)
                    AND EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = \$1)' INTO brought USING pg_catalog.to_regclass('$table')::pg_catalog.oid;
    END IF;
    IF brought THEN
        RETURN;
    END IF;
${body}END
\$do\$;
SQL
}

sub column_ddl
{
	my ($column) = @_;
	return join ' ', grep { defined } $column->{name}, $column->{type},
		(defined $column->{collation} ? "COLLATE $column->{collation}" : undef),
		(defined $column->{default} ? "DEFAULT $column->{default}" : undef),
		($column->{not_null} ? 'NOT NULL' : undef);
}

sub drop_from_table
{
	my ($key) = @_;
	my ($was, $is) = ($old->{object}{$key}, $new->{object}{$key});
	my $again = $forced{$key} // {};
	my %after = column_of($is);
	my @steps;
	push @steps, "DROP INDEX IF EXISTS $_"
		for grep { $again->{index}{$_} || ($is->{indexes}{$_} // '') ne $was->{indexes}{$_} } sort keys %{ $was->{indexes} };
	push @steps, "ALTER TABLE $was->{identity} DROP CONSTRAINT IF EXISTS $_"
		for grep { $again->{constraint}{$_} || ($is->{constraints}{$_} // '') ne $was->{constraints}{$_} } sort keys %{ $was->{constraints} };
	for my $column (@{ $was->{columns} })
	{
		my $next = $after{ $column->{name} };
		if (!$next) { push @steps, "ALTER TABLE $was->{identity} DROP COLUMN IF EXISTS $column->{name}"; next }
		push @steps, "ALTER TABLE $was->{identity} ALTER COLUMN $column->{name} DROP DEFAULT"
			if defined $column->{default} && (!defined $next->{default} || $next->{default} ne $column->{default} || $again->{default}{ $column->{name} }
				|| $next->{type} ne $column->{type});
	}
	guarded($was->{identity}, @steps);
}

sub change_table
{
	my ($key) = @_;
	my ($was, $is) = ($old->{object}{$key}, $new->{object}{$key});
	my $again = $forced{$key} // {};
	my %before = column_of($was);
	my $alter = "ALTER TABLE $is->{identity}";
	my @steps;
	for my $column (@{ $is->{columns} })
	{
		my ($name, $earlier) = ($column->{name}, $before{ $column->{name} });
		my $fill = $fill{"$is->{identity}.$name"};
		my $needs = $column->{not_null} && !($earlier && $earlier->{not_null}) && ($earlier || !defined $column->{default});
		if ($needs && !defined $fill)
		{
			push @refused, "$is->{identity}.$name may not be NULL and existing rows have no value: "
				. "add a line \"$is->{identity}.$name EXPRESSION\" to $ARGV[2], or give the column a default in sql/modules";
			next;
		}
		if (!$earlier)
		{
			push @steps, "$alter ADD COLUMN IF NOT EXISTS " . column_ddl($needs ? { %$column, default => $fill } : $column);
			push @steps, "$alter ALTER COLUMN $name DROP DEFAULT" if $needs;
			next;
		}
		my $retyped = !same([ @$earlier{qw(type collation)} ], [ @$column{qw(type collation)} ]);
		push @steps, "$alter ALTER COLUMN $name TYPE $column->{type}" . (defined $column->{collation} ? " COLLATE $column->{collation}" : '') . " USING $name\::$column->{type}"
			if $retyped;
		push @steps, "$alter ALTER COLUMN $name SET DEFAULT $column->{default}"
			if defined $column->{default} && (!defined $earlier->{default} || $earlier->{default} ne $column->{default} || $retyped || $again->{default}{$name});
		push @steps, "UPDATE $is->{identity} SET $name = $fill WHERE $name IS NULL" if $needs;
		push @steps, "$alter ALTER COLUMN $name " . ($column->{not_null} ? 'SET' : 'DROP') . ' NOT NULL' if $column->{not_null} != $earlier->{not_null};
	}
	push @steps, "$alter ADD CONSTRAINT $_ $is->{constraints}{$_}"
		for grep { $again->{constraint}{$_} || ($was->{constraints}{$_} // '') ne $is->{constraints}{$_} } sort keys %{ $is->{constraints} };
	push @steps, $is->{indexes}{$_} =~ s/^(CREATE (?:UNIQUE )?INDEX) /$1 IF NOT EXISTS /r
		for grep { $again->{index}{$_} || ($was->{indexes}{$_} // '') ne $is->{indexes}{$_} } sort keys %{ $is->{indexes} };
	my %set = map { /^([^=]+)=/ ? ($1 => $_) : () } split /, /, $is->{options} // '';
	my @unset = grep { !$set{$_} } map { /^([^=]+)=/ } split /, /, $was->{options} // '';
	push @steps, "$alter RESET (" . join(', ', @unset) . ')' if @unset;
	push @steps, "$alter SET ($is->{options})" if defined $is->{options} && ($was->{options} // '') ne $is->{options};
	guarded($is->{identity}, @steps);
}

sub make_table
{
	my ($is) = @_;
	my @lines = map { column_ddl($_) } @{ $is->{columns} };
	push @lines, map { "CONSTRAINT $_ $is->{constraints}{$_}" } sort keys %{ $is->{constraints} };
	emit("CREATE TABLE $is->{identity} (\n    " . join(",\n    ", @lines) . "\n)"
		. (defined $is->{partition_key} ? " PARTITION BY $is->{partition_key}" : '')
		. (defined $is->{options} ? " WITH ($is->{options})" : '') . ";\n");
	emit("$is->{indexes}{$_};\n") for sort keys %{ $is->{indexes} };
}

sub change_type
{
	my ($was, $is) = @_;
	my (%before, %after) = ();
	%before = column_of($was);
	%after = column_of($is);
	my $type = sub { $_[0]{type} . (defined $_[0]{collation} ? " COLLATE $_[0]{collation}" : '') };
	my @steps = map { "DROP ATTRIBUTE $_->{name}" } grep { !$after{ $_->{name} } } @{ $was->{columns} };
	push @steps, map { "ALTER ATTRIBUTE $_->{name} TYPE " . $type->($_) }
		grep { $before{ $_->{name} } && $type->($before{ $_->{name} }) ne $type->($_) } @{ $is->{columns} };
	push @steps, map { "ADD ATTRIBUTE $_->{name} " . $type->($_) } grep { !$before{ $_->{name} } } @{ $is->{columns} };
	emit("ALTER TYPE $is->{identity}\n    " . join(",\n    ", @steps) . ";\n");
}

sub make
{
	my ($key) = @_;
	my ($was, $is) = ($drop{$key} ? undef : $old->{object}{$key}, $new->{object}{$key});
	if (is_table($is)) { $was ? change_table($key) : make_table($is) }
	elsif ($is->{type} eq 'TYPE')
	{
		if (defined $is->{base}) { emit("$is->{base};\n") }
		elsif ($was) { change_type($was, $is) }
		else
		{
			emit("CREATE TYPE $is->{identity} AS (\n    "
				. join(",\n    ", map { "$_->{name} $_->{type}" . (defined $_->{collation} ? " COLLATE $_->{collation}" : '') } @{ $is->{columns} }) . "\n);\n");
		}
	}
	elsif ($is->{type} eq 'VIEW')
	{
		emit('CREATE ' . ($was ? 'OR REPLACE ' : '') . "VIEW $is->{identity} (" . join(', ', map { $_->{name} } @{ $is->{columns} }) . ')'
			. (defined $is->{options} ? " WITH ($is->{options})" : '') . " AS\n$is->{definition};\n");
	}
	elsif ($is->{type} eq 'FOREIGN DATA WRAPPER')
	{
		push @refused, "$key has options; write this by hand" if defined $is->{options};
		emit(($was ? 'ALTER' : 'CREATE') . " FOREIGN DATA WRAPPER $is->{identity}"
			. join('', map { defined $is->{$_} ? ' ' . uc($_) . " $is->{$_}" : $was && defined $was->{$_} ? ' NO ' . uc($_) : '' } qw(handler validator)) . ";\n");
	}
	else
	{
		my $sql = $is->{definition};
		$sql =~ s/'\$libdir\/dunning'/'MODULE_PATHNAME'/;
		$sql =~ s/^CREATE OR REPLACE/CREATE/ unless $was;
		emit("$sql;\n");
	}
}

# A table cannot be taken out of the dump list but by leaving the extension.
sub dump_list
{
	for my $key (sort grep { is_table($new->{object}{$_}) } keys %{ $new->{object} })
	{
		my ($was, $is) = map { $_ ? $_->{dump} : undef } $old->{object}{$key}, $new->{object}{$key};
		next if same($was, $is);
		my $table = $new->{object}{$key}{identity};
		if (defined $is) { emit("SELECT pg_catalog.pg_extension_config_dump('$table', " . quote($is) . ");\n") }
		else { emit("ALTER EXTENSION dunning DROP TABLE $table;\nALTER EXTENSION dunning ADD TABLE $table;\n") }
	}
}

sub shipped_rows
{
	for my $key (sort grep { $new->{object}{$_}{data} } keys %{ $new->{object} })
	{
		my ($was, $is) = (($old->{object}{$key} // {})->{data}, $new->{object}{$key}{data});
		my $table = $new->{object}{$key}{identity};
		my @columns = @{ $is->{columns} };
		next if $was && same($was->{columns}, \@columns) && same($was->{rows}, $is->{rows});
		my @keys = sort keys %{ $is->{rows} };
		# Of a table whose rows are also a user's, only what is missing is put in.
		@keys = grep { !$was || !exists $was->{rows}{$_} } @keys unless $is->{builtin};
		my @rows = map { $is->{rows}{$_} } @keys;
		my %column = column_of($new->{object}{$key});
		my @wanted = grep { my $n = $_; defined $column{ $columns[$n] }{default} || grep { $_->[$n] ne 'NULL' } @rows } 0 .. $#columns;
		my @steps;
		push @steps, "DELETE FROM $table WHERE builtin" if $is->{builtin} && $was && %{ $was->{rows} };
		push @steps, "INSERT INTO $table (" . join(', ', @columns[@wanted]) . ") VALUES\n"
			. join(",\n", map { '(' . join(', ', @$_[@wanted]) . ')' } @rows) . ($is->{builtin} ? '' : "\nON CONFLICT DO NOTHING") if @rows;
		guarded($table, @steps);
	}
}

# After the functions that they call and the rows that they would look at.
sub triggers
{
	my %state = (O => 'ENABLE', D => 'DISABLE', R => 'ENABLE REPLICA', A => 'ENABLE ALWAYS');
	for my $key (sort grep { is_table($new->{object}{$_}) } keys %{ $new->{object} })
	{
		my ($table, $is, $was) = ($new->{object}{$key}{identity}, map { ($_ ? $_->{triggers} : undef) // {} } $new->{object}{$key}, $old->{object}{$key});
		emit(map { "DROP TRIGGER $_ ON $table;\n" } grep { !same($was->{$_}, $is->{$_}) } sort keys %$was);
		for my $name (grep { !same($was->{$_}, $is->{$_}) } sort keys %$is)
		{
			emit("$is->{$name}[0];\n");
			emit("ALTER TABLE $table $state{$is->{$name}[1]} TRIGGER $name;\n") if $is->{$name}[1] ne 'O';
		}
	}
}

sub owners
{
	for my $key (by_oid($new))
	{
		my ($was, $is) = ($drop{$key} ? undef : $old->{object}{$key}, $new->{object}{$key});
		next unless defined $is->{owner};
		emit("ALTER $is->{type} " . bare($is->{identity}) . " OWNER TO $is->{owner};\n") if !$was || $was->{owner} ne $is->{owner};
	}
}

my %default_right = (FUNCTION => 'EXECUTE PUBLIC', PROCEDURE => 'EXECUTE PUBLIC', AGGREGATE => 'EXECUTE PUBLIC', TYPE => 'USAGE PUBLIC');

# right => target: what is given that was not, and taken that is not any more
sub grants
{
	my ($verb, $on, %by) = @_;    # by: "privilege grantee" => [columns] or 1
	my %line;
	for my $word (sort keys %by)
	{
		my ($privilege, $grantee) = split / /, $word, 2;
		my $option = $privilege =~ s/\*$// ? ' WITH GRANT OPTION' : '';
		$privilege .= ' (' . join(', ', @{ $by{$word} }) . ')' if ref $by{$word};
		push @{ $line{"$grantee|$option"} }, $privilege;
	}
	for my $to (sort keys %line)
	{
		my ($grantee, $option) = split /\|/, $to, 2;
		emit($verb eq 'GRANT' ? 'GRANT ' . join(', ', @{ $line{$to} }) . " ON $on TO $grantee$option;\n"
			: 'REVOKE ' . join(', ', @{ $line{$to} }) . " ON $on FROM $grantee;\n");
	}
}

sub rights
{
	my @objects = map { [ $drop{$_} ? undef : $old->{object}{$_}, $new->{object}{$_} ] } by_oid($new);
	for my $pair ([ $old->{schema}, $new->{schema} ], @objects)
	{
		my ($was, $is) = @$pair;
		my %before = map { $_ => 1 } $was ? @{ $was->{rights} } : $default_right{ $is->{type} } // ();
		my %after = map { $_ => 1 } @{ $is->{rights} };
		# GRANT knows no views and no aggregates.
		my %said = (VIEW => 'TABLE', AGGREGATE => 'FUNCTION');
		my $on = ($said{ $is->{type} } // $is->{type}) . ' ' . bare($is->{identity});
		my %taken = map { $_ => 1 } grep { !$after{$_} } keys %before;
		grants('REVOKE', $on, %taken);
		grants('GRANT', $on, map { $_ => 1 } grep { !$before{$_} } keys %after);

		# Taking a right on a table takes it on its columns too.
		my %column = $was && $was->{columns} ? column_of($was) : ();
		my (%give, %take);
		for my $next (@{ $is->{columns} // [] })
		{
			my %had = map { $_ => 1 } @{ ($column{ $next->{name} } // {})->{rights} // [] };
			my %has = map { $_ => 1 } @{ $next->{rights} };
			push @{ $take{$_} }, $next->{name} for sort grep { !$has{$_} } keys %had;
			push @{ $give{$_} }, $next->{name} for sort grep { !$had{$_} || $taken{$_} } keys %has;
		}
		grants('REVOKE', $on, %take);
		grants('GRANT', $on, %give);
	}
}

sub comments
{
	my %word = ('table column' => 'COLUMN', 'view column' => 'COLUMN', 'composite type column' => 'COLUMN', 'composite type' => 'TYPE',
		'table constraint' => 'CONSTRAINT');
	my %all = (%{ $old->{comments} }, %{ $new->{comments} });
	for my $key (sort keys %all)
	{
		my ($was, $is) = ($old->{comments}{$key}, $new->{comments}{$key});
		my $thing = $is // $was;
		my $on = ($word{ $thing->{type} } // uc $thing->{type} =~ tr/-/ /r) . ' ' . bare($thing->{identity});
		if (!$is) { emit("COMMENT ON $on IS NULL;\n") if $new->{object}{ $was->{of} } && !$drop{ $was->{of} } && sub_object_stays($was) }
		elsif (!$was || $drop{ $is->{of} } || $was->{text} ne $is->{text}) { emit("COMMENT ON $on IS " . quote($is->{text}) . ";\n") }
	}
}

# A column, constraint or index with a comment is still there to lose it.
sub sub_object_stays
{
	my ($was) = @_;
	my $object = $new->{object}{ $was->{of} };
	return 0 if $was->{type} =~ / column$/ && !grep { $was->{identity} eq "$object->{identity}.$_->{name}" } @{ $object->{columns} };
	return 0 if $was->{type} eq 'table constraint' && !grep { $was->{identity} eq "$_ on $object->{identity}" } keys %{ $object->{constraints} };
	return 0 if $was->{type} eq 'index' && !$object->{indexes}{ $was->{identity} };
	return 1;
}

sub roles
{
	my @made = grep { !exists $old->{roles}{$_} } sort keys %{ $new->{roles} };
	my %was = map { $_ => 1 } @{ $old->{memberships} };
	my @joined = grep { !$was{$_} } @{ $new->{memberships} };
	return unless @made || @joined;
	emit("DO \$do\$\nBEGIN\n",
		(map { "    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = '$_') THEN\n        CREATE ROLE $_ $new->{roles}{$_};\n    END IF;\n" } @made),
		(map { "    GRANT $_;\n" } @joined), "END\n\$do\$;\n");
}

sub title
{
	my ($title, $work) = @_;
	my $before = @out;
	$work->();
	splice @out, $before, 0, "\n-- $title\n" if @out > $before;
}

decide();
close_over();
title('Roles belong to the cluster: made once.', \&roles);
title('What goes, or must be made anew.', sub {
	for my $key (reverse by_oid($old))
	{
		my $was = $old->{object}{$key};
		if ($drop{$key})
		{
			emit("ALTER EXTENSION dunning DROP TABLE $was->{identity};\n") if is_table($was) && defined $was->{dump};
			emit("DROP $was->{type} " . bare($was->{identity}) . ";\n");
		}
		elsif ($create{$key} && is_table($was)) { drop_from_table($key) }
	}
});
title('What is new or differs.', sub { make($_) for grep { $create{$_} } by_oid($new) });
title('Rows that ship: a user\'s own are left alone.', \&shipped_rows);
title('Triggers.', \&triggers);
title('Tables that a dump takes.', \&dump_list);
title('Owners.', \&owners);
title('Rights.', \&rights);
title('Comments.', \&comments);

if (@refused)
{
	print STDERR map { "$_\n" } sort @refused;
	exit 1;
}
exit 3 unless @out;
binmode STDOUT, ':utf8';
print "\\echo Use \"ALTER EXTENSION dunning UPDATE TO '$new->{version}'\" to load this file. \\quit\n",
	"-- From $old->{version} to $new->{version}; written by make release-delta. Months of messages get new columns through their parents;\n",
	"-- their indexes and rights come with maintain().\n", @out;
