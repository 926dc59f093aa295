# SPDX-License-Identifier: GPL-2.0
# Signatures, the TPM's driver and evidence beneath tests.  make -f tests/attest/attest.mk all

B := build
AB := $(B)/attest
CC := gcc
CFLAGS := -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Wno-unused-parameter \
	-Wno-missing-field-initializers -Werror -iquote .
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
SIGN := $(wildcard vmx/sign/*.c vmx/verify/*.c)
SIGN_TEST := tests/attest/ed25519.c tests/attest/jobs.h tests/attest/peer.h

all: $(AB)/ed25519 $(AB)/ed25519-fast $(AB)/fuzz-ed25519 $(AB)/secret $(AB)/secret-leaks $(AB)/pieces $(AB)/leftovers

$(AB)/ed25519: $(SIGN) $(wildcard vmx/sign/*.h vmx/verify/*.h) $(SIGN_TEST)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) -o $@ $(filter %.c,$^) -lcrypto

# What follows has the objects of the root image, with its own memcpy().
ROOT_SIGN := $(SIGN:%.c=build/root/%.o) build/root/vmx/base/lib.o

$(AB)/ed25519-fast: $(ROOT_SIGN) $(SIGN_TEST)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(filter %.o %.c,$^) -lcrypto

$(AB)/secret $(AB)/pieces: $(AB)/%: tests/attest/%.c tests/attest/jobs.h $(ROOT_SIGN)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(filter %.o %.c,$^)

# Its point_select() takes the secret as an index.
$(AB)/secret-leaks: tests/attest/secret.c tests/attest/jobs.h $(ROOT_SIGN)
	$(CC) $(CFLAGS) -DLEAKS -Wl,--wrap=point_select -o $@ $(filter %.o %.c,$^)

# The key itself becomes a symbol that the test can look at.
$(AB)/key.o: build/root/vmx/attest/key.o
	@mkdir -p $(@D)
	objcopy --globalize-symbol=key $< $@

$(AB)/leftovers: tests/attest/leftovers.c $(AB)/key.o $(ROOT_SIGN) build/root/vmx/base/sha256.o
	$(CC) $(CFLAGS) -no-pie -o $@ $^

$(AB)/fuzz-ed25519: tests/fuzz/fuzz_ed25519.c tests/attest/jobs.h tests/attest/peer.h $(SIGN) $(wildcard vmx/sign/*.h vmx/verify/*.h)
	@mkdir -p $(@D)
	clang $(CFLAGS) -O2 $(SAN) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -lcrypto

# The TPM's driver: in a machine, with the root image's objects; and above a CRB that is played.
ROOT_TPM := $(patsubst %.c,build/root/%.o,$(wildcard tpm/*.c) vmx/attest/pcr.c vmx/base/sha256.c vmx/base/lib.c)

$(AB)/tpm/init: tests/tpm/init.c $(ROOT_TPM)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O2 -static -o $@ $^

$(AB)/crb: tests/tpm/crb.c $(filter-out tpm/bus.c,$(wildcard tpm/*.c)) $(wildcard tpm/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) -o $@ $(filter %.c,$^)

# A TPM that misbehaves: between QEMU and swtpm.
$(AB)/bridge: tests/tpm/bridge.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O2 -static -o $@ $<

# What root of a host can do to a TPM's registers.
$(AB)/localities: tests/attest/localities.c tests/attack/edu.c tests/attack/edu.h tests/attack/abi.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -U_GNU_SOURCE -O2 -static -o $@ $(filter %.c,$^)

# What the layer says of a launch, by its own code; and the parsers beneath fuzzers.
ATTEST_PARTS := $(addprefix userspace/attest/,eventlog.c launchlog.c evidence.c report.c util.c) \
	$(wildcard userspace/cli/*.c)
TXT_PARTS := $(wildcard userspace/txt/*.c)
ATTEST_HEADERS := $(wildcard userspace/attest/*.h userspace/txt/*.h)

$(AB)/launch: tests/attest/launch.c $(ATTEST_PARTS) $(SIGN) $(ATTEST_HEADERS) tests/attest/jobs.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SAN) -o $@ $(filter %.c,$^) -ljson-c -lcrypto

$(AB)/fuzz-eventlog: tests/fuzz/fuzz_eventlog.c $(ATTEST_PARTS) $(ATTEST_HEADERS)
	@mkdir -p $(@D)
	clang $(CFLAGS) $(SAN) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -ljson-c -lcrypto

$(AB)/fuzz-evidence: tests/fuzz/fuzz_evidence.c $(ATTEST_PARTS) userspace/attest/policy.c \
		userspace/attest/verify.c $(TXT_PARTS) $(ATTEST_HEADERS)
	@mkdir -p $(@D)
	clang $(CFLAGS) $(SAN) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -ljson-c -lcrypto -ltss2-mu

BROKER_PARTS := $(addprefix userspace/broker/,answer.c nonce.c release.c) \
	$(addprefix userspace/attest/,policy.c seal.c verify.c) $(ATTEST_PARTS) $(TXT_PARTS)

$(AB)/fuzz-broker: tests/fuzz/fuzz_broker.c $(BROKER_PARTS) $(ATTEST_HEADERS) $(wildcard userspace/broker/*.h)
	@mkdir -p $(@D)
	clang $(CFLAGS) $(SAN) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -ljson-c -lcrypto -ltss2-mu

$(AB)/fuzz-txt: tests/fuzz/fuzz_txt.c $(TXT_PARTS) $(wildcard userspace/txt/*.h)
	@mkdir -p $(@D)
	clang $(CFLAGS) $(SAN) -fsanitize=fuzzer -o $@ $(filter %.c,$^)

.PHONY: all
include vmx/root.mk
