# Targets for developers and newcomers; included by the Makefile.

.DEFAULT_GOAL := all
.PHONY: help packages stage demo test lint regress isolation tap tasks fuzz

help:
	@sed -n 's/^## //p' test/targets.mk

## make demo         a throw-away cluster with 10,000 debtors, four weeks beside fixed letters, in about 90 s (SEED, HABITS=traders: another book)
demo: packages
	@examples/demo/run.sh

## make test         packages, build, lint, regression, isolation, TAP and task tests
test: packages
	@test/run.sh all

## make packages     install the Debian packages that are missing, saying what and why
packages:
	@test/lib/packages.sh

## make stage        build, and install into a private copy of the server's tree (tmp/stage)
stage:
	@test/lib/stage.sh

## make lint | regress | isolation | tap | tasks     one part of the tests alone (ROOM=name for one regression test)
lint regress isolation tap tasks fuzz:
	@test/run.sh $@

.PHONY: print-regress
print-regress:
	@echo $(REGRESS)

## make check-versions VERSIONS="16 17 18"     the tests on other PostgreSQL versions: build with WERROR, regression, isolation, tasks, worker, dump, update (root, debootstrap)
.PHONY: check-versions
check-versions:
	@test/lib/versions.sh

## make bench-queue PARTS="set single"    enqueuing against plain INSERTs of the same rows, as one statement and as one transaction a message (ROWS, RUNS, EACH)
.PHONY: bench-queue
bench-queue:
	@bench/queue.sh

## make catcher      the scripted gateway of test/gateways
.PHONY: catcher
catcher:
	@$(MAKE) -s -C test/gateways CFLAGS="-O2 -g"

## make bench-deliver PARTS="one two wait smtp latency xmin memory billing"    delivery against a plain curl program in one run, each row with its target and verdict (N=20000 ROUNDS=3 LINKS=1 OFFERS=5; see bench/deliver/deliver.sh)
.PHONY: bench-deliver
bench-deliver: stage catcher
	@bench/deliver/deliver.sh

## make privileges       write the list of what each role may do, which the security test compares (read the difference)
.PHONY: privileges
privileges:
	@test/lib/privileges.sh

## make release      freeze the install script of the version in dunning.control as sql/updates/dunning--<version>.sql
## make release-delta FROM=0.1.0    write the script that brings a released version to the one in dunning.control
.PHONY: release release-delta
release: sql/$(EXTENSION)--$(EXTVERSION).sql
	@test ! -e sql/updates/$(notdir $<) || { echo "sql/updates/$(notdir $<) is released already: raise default_version" >&2; exit 1; }
	@cp $< sql/updates/
	@echo "sql/updates/$(notdir $<) is frozen; now raise default_version and run: make release-delta FROM=$(EXTVERSION)"
release-delta:
	@test/lib/delta.sh $(FROM)
## make check-crash CYCLES=33 SEED=1    kill worker, backend and postmaster at every point of the protocol; compare with the gateway's ledger
## make check-race N=2000               payments against sends (20000: a minute): none leaves after a payment that was committed before the claim or the recheck
## make check-chaos N=10000 SEED=1      every script of the lying gateway at random: each message ends as it deserves, and arrives so
## make check-fuzz SECONDS=60 TARGETS="render url mail imap carrier"    readers of what strangers write, with sanitizers (clang): no byte outside, no undefined step, nothing said that was not there
.PHONY: check-fuzz
check-fuzz:
	@test/fuzz/run.sh all $(SECONDS)
## make check-recipients N=1000000 SEED=1    who gets what, with changing addresses, amounts and texts and hostile ones: no recipient, text, amount or header but the one that is right
.PHONY: check-recipients
check-recipients: stage
	@test/faults/recipients.sh
.PHONY: check-crash check-race check-chaos
check-crash: stage
	@test/faults/crash.sh
check-race: stage
	@test/faults/race.sh
check-chaos: stage
	@test/faults/chaos.sh
## make check-recovery ROUNDS=5         how soon sending goes on after kill -9 and SIGTERM, and DROP DATABASE and DROP EXTENSION while sending: median, most, limit
.PHONY: check-recovery
check-recovery: stage
	@test/faults/recovery.sh
## make check-soak MINUTES=10 SEED=1      everything at once, over every channel: faults, kills, pauses, cancels, payments, moves, receipts, tasks, retention; the two ledgers agree, and memory does not grow
.PHONY: check-soak
check-soak: stage
	@test/faults/soak.sh
## make check-caps ROUNDS=30 SEED=1       four workers and sessions that go on asking: windows of days, channels, accounts, money and rate, none with more than N
.PHONY: check-caps
check-caps: stage
	@test/faults/caps.sh
## make check-deliver-breaks BREAKS=pattern   each line of test/faults/breaks.tsv broken, and the check that it names seen to notice (a minute a line)
.PHONY: check-deliver-breaks
check-deliver-breaks: stage
	@test/faults/breaks.sh
## make bench-render    messages a second that one core renders, against copying the same bytes (N=200000 RUNS=5)
.PHONY: bench-render
bench-render:
	@bench/render/render.sh

## make bench-plan N="10000 100000 1000000"    debtors a second and core of a dry run of plan(), and whether a debtor costs the same in every size
.PHONY: bench-plan
bench-plan: stage
	@bench/plan/plan.sh

## make check-offers N=100000 SEED=1    random lives of offers, told, answered and paid in any order, against a plain account of them
.PHONY: check-offers
check-offers: stage
	@test/property/offers.sh

## make check-plan N=100000 SEED=1    random books, strategies and clocks: each plan against an account of its own (twice, skipped, outside rules, sums, re-run)
## make check-plan-breaks              each line of test/property/plan/breaks.tsv broken in the planner, and check-plan seen to notice
.PHONY: check-plan check-plan-breaks
check-plan: stage
	@test/property/plan.sh
check-plan-breaks: stage
	@BREAKS=. SEED=27 BOOK=500 test/property/plan.sh

## make check-charges N=10000 SEED=1    years of random payments, rates, holds and fees against a clerk who counts every day in plain numeric
.PHONY: check-charges
check-charges: stage
	@test/property/charges.sh

## make check-payday N=1000 SEEDS="1 2 3"    debtors whose payday is known, by country and number of payments: how often it is found, and how often one that would be shown is right
.PHONY: check-payday
check-payday: stage
	@test/property/payday.sh

## make bench-charge N="1000 100000" PAST="0 4"    what a debtor's fees and an invoice's interest cost, in microseconds
.PHONY: bench-charge
bench-charge: stage
	@bench/charge/charge.sh

## make bench-ledger BOOKS="file chronic"    accuracy and calibration of train()'s targets on ledgers, beside the mean of days late (TARGETS="late self_cure paid_30d" KIND=auto)
.PHONY: bench-ledger
bench-ledger: stage
	@bench/score/ledger.sh

## make bench-features N=100000    features() of N debtors with ten invoices each against the same features in plain SQL (RUNS, WORKERS="0 2", WORK_MEM)
.PHONY: bench-features
bench-features: stage
	@bench/feature/feature.sh

## make bench-score PARTS="auc train score endtoend"    models against scikit-learn and XGBoost in one run: accuracy over five splits, training, scoring, rows to stored scores (DUNNING_DATA, SETS, KINDS, ROWS, RUNS, CAP, CPU)
.PHONY: bench-score
bench-score: stage
	@bench/score/score.sh

## make sim WORLDS="tau3 flat" SEEDS="1 2 3 4 5" N=2000    debtors whose hours are known: the chosen instants against an oracle and simple policies (WORLDS=all: test/sim/worlds.tsv)
.PHONY: sim
sim: stage
	@test/sim/sim.sh

## make check-mask N=10000000 SEED=1    random rules, wishes and holidays over 50 zones and all changes of the clocks of four years: no contact outside them (JOBS=2, about ten minutes)
## make check-mask-breaks               each line of test/property/mask/breaks.tsv broken, and check-mask seen to notice
.PHONY: check-mask check-mask-breaks
check-mask: stage
	@test/property/mask.sh
check-mask-breaks: stage
	@BREAKS=1 test/property/mask.sh

## make bench-time N="10000 100000"    best times a second and core over a book with hours and paydays learnt, one best_time(), and a contact entered into a profile (NIGHT=100000: what the night takes)
.PHONY: bench-time
bench-time: stage
	@bench/time/time.sh
