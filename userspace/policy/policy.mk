# SPDX-License-Identifier: GPL-2.0-only
# The policy engine, its tools, the daemon and their tests. Included from the
# top Makefile, or alone: make -f userspace/policy/policy.mk policy-all
POL_SRC := userspace/policy
POLD_SRC := userspace/underpind
POL_OUT := build/policy
POL_PKGS := libxml-2.0 libssl libcrypto libsodium sqlite3 jansson libcurl

# What is built from: a tag, or a commit.
POL_VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)

# Asked when first used: a machine that lacks the libraries can make the rest.
POL_PKG_CFLAGS = $(eval POL_PKG_CFLAGS := $$(shell pkg-config --cflags $(POL_PKGS) \
	libmicrohttpd gnutls))$(POL_PKG_CFLAGS)

POL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Werror -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 \
	-fvisibility=hidden -ffile-prefix-map=$(CURDIR)=. -DUNDERPIN_VERSION='"$(POL_VERSION)"' -I$(POL_SRC) -I$(POLD_SRC) -iquote . $(POL_PKG_CFLAGS)
POL_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
POL_LIBS = $(shell pkg-config --libs $(POL_PKGS)) -lpthread
POL_LDFLAGS := -pie -Wl,-z,relro,-z,now

POL_LIB_C := $(filter-out $(POL_SRC)/tool/main.c,$(wildcard $(POL_SRC)/*/*.c))
POL_LIB_O := $(POL_LIB_C:$(POL_SRC)/%.c=$(POL_OUT)/%.o) $(POL_OUT)/schemas.o
POL_LIB_SAN_O := $(POL_LIB_C:$(POL_SRC)/%.c=$(POL_OUT)/san/%.o) $(POL_OUT)/schemas.o

$(POL_OUT)/%.o: $(POL_SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_OUT)/san/%.o: $(POL_SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -D_FORTIFY_SOURCE=2,$(POL_CFLAGS)) $(POL_SAN) -MMD -MP -c -o $@ $<

$(POL_OUT)/schemas.o: $(POL_SRC)/sheets/schemas.S $(wildcard $(POL_SRC)/sheets/schemas/*.xsd)
	@mkdir -p $(@D)
	$(CC) -Wa,-I$(POL_SRC)/sheets/schemas -c -o $@ $<

$(POL_OUT)/libpolicy.a: $(POL_LIB_O)
	rm -f $@
	$(AR) rcs $@ $^

$(POL_OUT)/libpolicy-san.a: $(POL_LIB_SAN_O)
	rm -f $@
	$(AR) rcs $@ $^

# The tools as a program of their own; underpin links cmd_policy() itself.
$(POL_OUT)/underpin-policy: $(POL_OUT)/tool/main.o $(POL_OUT)/libpolicy.a
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POL_LIBS)

$(POL_OUT)/underpin-policy-san: $(POL_OUT)/san/tool/main.o $(POL_OUT)/libpolicy-san.a
	$(CC) $(POL_LDFLAGS) $(POL_SAN) -o $@ $^ $(POL_LIBS)

# With one file of the tools bent (tests/policy/mutate.py): what it defines, the library's does not.
.PHONY: $(POL_OUT)/mutant/underpin-policy
$(POL_OUT)/mutant/underpin-policy: $(MUTANT) $(POL_OUT)/underpin-policy
	$(CC) $(POL_CFLAGS) -Wno-error -I$(POL_SRC)/tool $(POL_LDFLAGS) -o $@ $(MUTANT) \
		$(POL_OUT)/tool/main.o $(POL_OUT)/libpolicy.a $(POL_LIBS)

# The daemon; -fault ends at the points that UNDERPIND_FAULT names, for tests.
POLD_C := $(wildcard $(POLD_SRC)/*.c $(POLD_SRC)/*/*.c)
# Its status page is served as "underpin ui" serves its own.
POLD_SHARED_C := userspace/loopback/loopback.c userspace/cli/address.c
POLD_LIBS = $(shell pkg-config --libs libmicrohttpd gnutls) $(POL_LIBS)
POL_TEST_CFLAGS = $(filter-out -D_FORTIFY_SOURCE=2,$(POL_CFLAGS)) -I$(POLD_SRC)

$(POL_OUT)/daemon/%.o: $(POLD_SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_OUT)/fault/daemon/%.o: $(POLD_SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_TEST_CFLAGS) $(POL_SAN) -DUNDERPIND_FAULTS -MMD -MP -c -o $@ $<

$(POL_OUT)/daemon/shared/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_OUT)/fault/daemon/shared/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_TEST_CFLAGS) $(POL_SAN) -MMD -MP -c -o $@ $<

$(POL_OUT)/underpind: $(POLD_C:$(POLD_SRC)/%.c=$(POL_OUT)/daemon/%.o) \
		$(POLD_SHARED_C:userspace/%.c=$(POL_OUT)/daemon/shared/%.o) $(POL_OUT)/libpolicy.a
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POLD_LIBS)

$(POL_OUT)/underpind-fault: $(POLD_C:$(POLD_SRC)/%.c=$(POL_OUT)/fault/daemon/%.o) \
		$(POLD_SHARED_C:userspace/%.c=$(POL_OUT)/fault/daemon/shared/%.o) \
		$(POL_OUT)/libpolicy-san.a
	$(CC) $(POL_LDFLAGS) $(POL_SAN) -o $@ $^ $(POLD_LIBS)

.PHONY: policy-all policy-check
policy-all: $(POL_OUT)/underpin-policy $(POL_OUT)/underpind

# Every suite of this part, one after another.
policy-check:
	set -e; for t in tests/suites/policy-*; do echo "== $$t"; $$t; done

# Tests: plain (fast) and sanitized builds of each.
$(POL_OUT)/tests/%.o: tests/policy/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_OUT)/san/tests/%.o: tests/policy/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -D_FORTIFY_SOURCE=2,$(POL_CFLAGS)) $(POL_SAN) -MMD -MP -c -o $@ $<

$(POL_OUT)/property: $(POL_OUT)/tests/property.o $(POL_OUT)/tests/reference.o \
		$(POL_OUT)/libpolicy.a
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POL_LIBS)

$(POL_OUT)/property-san: $(POL_OUT)/san/tests/property.o $(POL_OUT)/san/tests/reference.o \
		$(POL_OUT)/libpolicy-san.a
	$(CC) $(POL_LDFLAGS) $(POL_SAN) -o $@ $^ $(POL_LIBS)

-include $(wildcard $(foreach d,/ /*/ /*/*/ /*/*/*/ /*/*/*/*/,$(POL_OUT)$(d)*.d))

.PHONY: clouds
clouds: policy-all
	tests/policy/clouds.sh

$(POL_OUT)/policy-bench: $(POL_OUT)/tests/bench.o $(POL_OUT)/libpolicy.a
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POL_LIBS)

$(POL_OUT)/policy-load: $(POL_OUT)/tests/load.o $(POL_OUT)/daemon/net/http.o \
		$(POL_OUT)/daemon/net/loop.o \
		$(POL_OUT)/libpolicy.a
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POLD_LIBS)

$(POL_OUT)/policy-cost: $(POL_OUT)/tests/cost.o
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POL_LIBS)

.PHONY: bench-policy
bench-policy: $(POL_OUT)/policy-bench $(POL_OUT)/policy-load $(POL_OUT)/policy-cost policy-all
	tests/policy/bench.sh
	tests/policy/bench-e2e.sh

# Fuzzers: everything compiled again by clang with coverage and sanitizers.
POL_FUZZ := sheet image message ticket jwt zone definition
POL_FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
POL_FUZZ_CFLAGS = $(filter-out -D_FORTIFY_SOURCE=2,$(POL_CFLAGS)) -O1 $(POL_FUZZ_FLAGS)
POL_FUZZ_O := $(POL_LIB_C:$(POL_SRC)/%.c=$(POL_OUT)/fuzz/lib/%.o) $(POL_OUT)/fuzz/lib/net/message.o \
	$(POL_OUT)/fuzz/lib/net/json_out.o \
	$(POL_OUT)/fuzz/lib/vrm/jwt.o $(POL_OUT)/fuzz/lib/provider/provider_dir.o $(POL_OUT)/schemas.o

$(POL_OUT)/fuzz/lib/%.o: $(POL_SRC)/%.c
	@mkdir -p $(@D)
	clang $(POL_FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_OUT)/fuzz/lib/%.o: $(POLD_SRC)/%.c
	@mkdir -p $(@D)
	clang $(POL_FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_OUT)/fuzz/%.o: tests/policy/fuzz/%.c
	@mkdir -p $(@D)
	clang $(POL_FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(POL_FUZZ:%=$(POL_OUT)/fuzz/%): $(POL_OUT)/fuzz/%: $(POL_OUT)/fuzz/%.o $(POL_FUZZ_O)
	clang -pie -fsanitize=fuzzer,address,undefined -o $@ $^ $(POL_LIBS)

$(POL_OUT)/fuzz/seed-ticket: tests/policy/fuzz/seed-ticket.c $(POL_OUT)/trust/ticket.o
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -o $@ $^

.PHONY: policy-fuzzers
policy-fuzzers: $(POL_FUZZ:%=$(POL_OUT)/fuzz/%) $(POL_OUT)/fuzz/seed-ticket policy-all

$(POL_OUT)/san/%.o: $(POLD_SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(POL_TEST_CFLAGS) $(POL_SAN) -MMD -MP -c -o $@ $<

$(POL_OUT)/policy-unit: $(POL_OUT)/san/tests/unit.o $(POL_OUT)/san/vrm/jwt.o \
		$(POL_OUT)/san/net/message.o $(POL_OUT)/san/net/json_out.o \
		$(POL_OUT)/san/net/url.o $(POL_OUT)/san/conf.o \
		$(POL_OUT)/san/provider/provider_dir.o \
		$(POL_OUT)/libpolicy-san.a
	$(CC) $(POL_LDFLAGS) $(POL_SAN) -o $@ $^ -lcmocka $(POL_LIBS)

$(POL_OUT)/state-unit: $(POL_OUT)/san/tests/state.o $(POL_OUT)/san/state/state.o \
		$(POL_OUT)/libpolicy-san.a
	$(CC) $(POL_LDFLAGS) $(POL_SAN) -o $@ $^ -lcmocka $(POL_LIBS)

$(POL_OUT)/policy-resign: $(POL_OUT)/tests/resign.o $(POL_OUT)/libpolicy.a
	$(CC) $(POL_LDFLAGS) -o $@ $^ $(POL_LIBS)

$(POL_OUT)/policy-proxy: tests/policy/proxy.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -o $@ $< -lpthread

$(POL_OUT)/policy-middle: tests/policy/middle.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -o $@ $< -lssl -lcrypto

$(POL_OUT)/policy-attack: tests/policy/attack.c
	@mkdir -p $(@D)
	$(CC) $(POL_CFLAGS) -o $@ $< -lssl -lcrypto

$(POL_OUT)/daemon-unit: $(POL_OUT)/san/tests/daemon.o $(POL_OUT)/san/net/loop.o \
		$(POL_OUT)/san/vrm/sender.o $(POL_OUT)/san/vrm/clock.o $(POL_OUT)/san/net/html.o \
		$(POL_OUT)/san/net/recent.o $(POL_OUT)/libpolicy-san.a
	$(CC) $(POL_LDFLAGS) $(POL_SAN) -o $@ $^ -lcmocka $(POLD_LIBS)

$(POL_OUT)/shift.so: tests/policy/shift.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(POL_CFLAGS)) -fPIC -shared -o $@ $<
