# SPDX-License-Identifier: GPL-2.0
# The whole root image in user space, beneath tests.  make -f tests/unit/root.mk all

B := build/unit-root
CC := gcc
CFLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Wno-unused-parameter -Werror -I. -Itests/unit -include tests/unit/fake/asm.h \
	-include tests/unit/fake/mmio.h

# But for launch and end, which change what the CPU runs; the library is the C one.
ROOT := $(filter-out vmx/launch/launch.c vmx/launch/leave.c vmx/base/lib.c tpm/bus.c, \
	$(wildcard vmx/*/*.c ept/*.c iommu/*.c tpm/*.c))
WORLD := tests/unit/root_world.c tests/unit/root_promises.c tests/unit/l1.c \
	tests/unit/fake/vmx.c tests/unit/fake/fake.c tests/unit/fake/tpm.c \
	tests/unit/vtd_hw.c
OBJ := $(ROOT:%.c=$(B)/%.o) $(WORLD:%.c=$(B)/%.o)
TESTS := $(patsubst tests/unit/%.c,$(B)/%,$(wildcard tests/unit/test_root_*.c))

all: $(TESTS)

ghci: $(B)/test_ghci

$(B)/test_ghci: $(B)/tests/unit/test_ghci.o $(B)/tests/unit/ghci_world.o $(OBJ)
	$(CC) -fsanitize=address,undefined -o $@ $^ -lcmocka

$(TESTS): $(B)/%: $(B)/tests/unit/%.o $(OBJ)
	$(CC) -fsanitize=address,undefined -o $@ $^ -lcmocka

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY:
-include $(wildcard $(B)/*/*/*.d $(B)/*/*.d $(B)/*/*/*/*.d)
.PHONY: all ghci
