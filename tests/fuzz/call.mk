# SPDX-License-Identifier: GPL-2.0
# The whole root image in user space, beneath a fuzzer.  make -f tests/fuzz/call.mk

B := build/fuzz-call
CC := clang
CFLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

# But for launch and end, which change what the CPU runs; the library is the C one.
ROOT := $(filter-out vmx/launch/launch.c vmx/launch/leave.c vmx/base/lib.c tpm/bus.c, \
	$(wildcard vmx/*/*.c ept/*.c iommu/*.c tpm/*.c))
# No sanitizer and no coverage: it looks at everything after every exit.
WORLD := tests/unit/root_world.c tests/unit/root_promises.c tests/unit/l1.c \
	tests/unit/fake/vmx.c tests/unit/fake/fake.c tests/unit/fake/tpm.c
ROOT_OBJ := $(ROOT:%.c=$(B)/%.o)
WORLD_OBJ := $(WORLD:%.c=$(B)/%.o)
MAIN_OBJ := $(B)/tests/fuzz/fuzz_call.o $(B)/tests/fuzz/fuzz_ticket.o $(B)/tests/fuzz/fuzz_ghci.o $(B)/tests/unit/ghci_world.o \
	$(B)/tests/unit/test_pool.o
POOL_WRAP := pool_alloc pool_alloc_kvm pool_alloc_reserve

$(B)/fuzz: $(ROOT_OBJ) $(WORLD_OBJ) $(B)/tests/fuzz/fuzz_call.o $(B)/tests/fuzz/rewind.o
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^

$(B)/ticket: $(ROOT_OBJ) $(WORLD_OBJ) $(B)/tests/fuzz/fuzz_ticket.o $(B)/tests/fuzz/rewind.o
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^

# Its protected VM speaks the GHCI.
$(B)/ghci: $(ROOT_OBJ) $(WORLD_OBJ) $(B)/tests/fuzz/fuzz_ghci.o $(B)/tests/unit/ghci_world.o \
	$(B)/tests/fuzz/rewind.o
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^

# The same world without a fuzzer.
$(B)/test_pool: $(ROOT_OBJ) $(WORLD_OBJ) $(B)/tests/unit/test_pool.o
	$(CC) -fsanitize=address,undefined $(POOL_WRAP:%=-Wl,--wrap=%) -o $@ $^

$(ROOT_OBJ): CFLAGS += -fsanitize=fuzzer-no-link $(SANITIZE)
$(ROOT_OBJ) $(WORLD_OBJ) $(MAIN_OBJ): CFLAGS += -I. -Itests/unit -include tests/unit/fake/asm.h -include tests/fuzz/rewind.h

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d)
