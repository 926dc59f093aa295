# SPDX-License-Identifier: GPL-2.0
# Signatures, the TPM's driver and evidence beneath tests.  make -f tests/attest/attest.mk all

B := build
AB := $(B)/attest
CC := gcc
CFLAGS := -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Wno-unused-parameter -Werror -iquote .
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
SIGN := $(wildcard vmx/sign/*.c)
SIGN_TEST := tests/attest/ed25519.c tests/attest/jobs.h

all: $(AB)/ed25519 $(AB)/ed25519-fast $(AB)/fuzz-ed25519 $(AB)/secret $(AB)/secret-leaks $(AB)/pieces

$(AB)/ed25519: $(SIGN) $(wildcard vmx/sign/*.h) $(SIGN_TEST)
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

$(AB)/fuzz-ed25519: tests/fuzz/fuzz_ed25519.c tests/attest/jobs.h $(SIGN) $(wildcard vmx/sign/*.h)
	@mkdir -p $(@D)
	clang $(CFLAGS) -O2 $(SAN) -fsanitize=fuzzer -o $@ $(filter %.c,$^) -lcrypto

.PHONY: all
include vmx/root.mk
