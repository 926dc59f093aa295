# SPDX-License-Identifier: GPL-2.0
# Nested VMX in user space, under sanitizers.  make -f tests/unit/nested.mk all

B := build/unit-nested
CC := clang
CFLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Wno-unused-parameter -Werror -Wno-unused-command-line-argument \
	-DMAX_VMCS=32768 -I. -include tests/unit/fake/asm.h

CODE := vmx/cpu/vmcs.c vmx/cpu/paging.c vmx/cpu/operand.c vmx/cpu/speculation.c \
	$(wildcard vmx/nested/*.c vmx/vmcs/*.c vmx/intercept/*.c)
WORLD := tests/unit/nested_world.c tests/unit/l1.c tests/unit/fake/vmx.c tests/unit/fake/fake.c
OBJ := $(CODE:%.c=$(B)/%.o) $(WORLD:%.c=$(B)/%.o)

TESTS := $(B)/test_nested $(B)/test_insn $(B)/test_shadow_vmcs

all: $(TESTS)

$(TESTS): $(B)/%: $(B)/tests/unit/%.o $(OBJ)
	$(CC) -fsanitize=address,undefined -o $@ $^ -lcmocka

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY:
-include $(wildcard $(B)/*/*/*.d $(B)/*/*/*/*.d)
.PHONY: all
