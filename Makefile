# dunning: build, install, test. `make help` lists the targets.
#
# The SQL file that CREATE EXTENSION reads is one `cat` of sql/modules/*.sql in name order, so a room keeps
# its SQL in one part. Tests and the demo run in a private copy of the server's tree under tmp/stage:
# nothing is installed beside the system's PostgreSQL unless `make install` is asked for.

EXTENSION  = dunning
MODULE_big = dunning
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" dunning.control)

SRCS = src/dunning.c $(sort $(wildcard src/*/*.c))
OBJS = $(SRCS:.c=.o)

SQL_PARTS = $(sort $(wildcard sql/modules/*.sql))
DATA_built = sql/$(EXTENSION)--$(EXTVERSION).sql
# Released bases and the steps between them. The base of the version being built is the generated script itself.
DATA = $(filter-out sql/updates/$(EXTENSION)--$(EXTVERSION).sql,$(wildcard sql/updates/*.sql))

# One test, one golden file and one install part a room, all of the same name; order is the rooms' order.
REGRESS = $(patsubst sql/modules/%.sql,%,$(notdir $(foreach p,$(SQL_PARTS), \
	$(if $(wildcard test/sql/$(shell basename $(p) .sql | cut -d_ -f2-).sql),$(shell basename $(p) .sql | cut -d_ -f2-)))))
REGRESS_OPTS = --inputdir=test

CURL_CONFIG ?= curl-config
PG_CPPFLAGS = -Isrc -DDUN_VERSION='"$(EXTVERSION)"' $(shell $(CURL_CONFIG) --cflags)
PG_CFLAGS   = -std=gnu11 -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -MMD -MP \
	$(if $(WERROR),-Werror) $(if $(FAULTS),-DDUNNING_FAULTS)
# The server's own flags and headers are made for gcc: clang does not know all of their options and attributes.
ifneq (,$(findstring clang,$(CC)))
PG_CFLAGS += -Wno-ignored-optimization-argument -Wno-unknown-warning-option -Wno-ignored-attributes
endif
SHLIB_LINK  = $(shell $(CURL_CONFIG) --libs)
# Signatures by a public key (SendGrid's receipts) are verified where the server itself was built with OpenSSL.
PKG_CONFIG ?= pkg-config
ifneq (,$(findstring openssl,$(shell $(or $(PG_CONFIG),pg_config) --configure 2>/dev/null)))
CRYPTO_LIBS := $(shell $(PKG_CONFIG) --libs libcrypto 2>/dev/null)
ifneq (,$(strip $(CRYPTO_LIBS)))
PG_CPPFLAGS += -DDUN_HAVE_CRYPTO $(shell $(PKG_CONFIG) --cflags libcrypto)
SHLIB_LINK += $(CRYPTO_LIBS)
endif
endif

EXTRA_CLEAN = $(SRCS:.c=.d) tmp/stage

# Bitcode is not wanted: it would make every package depend on LLVM.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(PGXS),)
include $(PGXS)
endif

-include $(SRCS:.c=.d)

# Sums in four lanes are made for vectors; -O2 alone leaves them one by one.
src/timing/best.o src/timing/grid.o src/timing/payday.o src/timing/profile.o src/score/irls.o src/score/set.o src/score/gbdt_bin.o src/score/gbdt_boost.o src/score/gbdt_grow.o: CFLAGS += $(CFLAGS_VECTORIZE)

# The version is compiled in.
src/deliver/worker.o: dunning.control

sql/$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PARTS) dunning.control
	cat $(SQL_PARTS) > $@

include test/targets.mk
