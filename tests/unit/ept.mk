# SPDX-License-Identifier: GPL-2.0
# ept/ in user space, under sanitizers.  make -f tests/unit/ept.mk all

UB := build/unit-ept
CC := gcc
CFLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Wno-unused-parameter -Werror -include tests/unit/fake/asm.h -Itests/unit -I.
WRAP := pool_free binding_cut
LDFLAGS := -fsanitize=address,undefined $(WRAP:%=-Wl,--wrap=%)

EPT := $(patsubst %.c,$(UB)/%.o,$(wildcard ept/*.c))
WORLD := $(UB)/tests/unit/ept_world.o $(UB)/tests/unit/fake/fake.o

all: $(UB)/test_ept_random $(UB)/test_ept_cases $(UB)/test_ept_units

# Where ept/ flushes or waits, a test can leave that out: fake/asm.h.
$(EPT): MUTANTS := -DFAKE_MUTANTS
$(UB)/ept/flush.o: MUTANTS :=

$(UB)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(MUTANTS) -MMD -MP -c -o $@ $<

$(UB)/test_ept_random $(UB)/test_ept_cases: $(UB)/%: $(UB)/tests/unit/%.o $(EPT) $(WORLD)
	$(CC) $(LDFLAGS) -o $@ $^

$(UB)/test_ept_units: $(UB)/%: $(UB)/tests/unit/%.o $(EPT) $(UB)/tests/unit/fake/fake.o
	$(CC) -fsanitize=address,undefined -o $@ $^ -lcmocka

-include $(wildcard $(UB)/*.d $(UB)/*/*.d $(UB)/*/*/*.d $(UB)/*/*/*/*.d)
.PHONY: all
