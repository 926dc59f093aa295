# SPDX-License-Identifier: GPL-2.0
# The whole root image in user space, with tests of single promises.
# make -f tests/unit/root.mk, from the top folder

B := build/unit-root
CC := clang
CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -I. -include tests/unit/fake/asm.h
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

# But for launch and end, which change what the CPU runs; the library is the C one.
ROOT := $(filter-out vmx/launch/launch.c vmx/launch/leave.c vmx/base/lib.c,$(wildcard vmx/*/*.c ept/*.c))
WORLD := tests/unit/root_world.c tests/unit/root_promises.c tests/unit/l1.c \
	tests/unit/fake/vmx.c tests/unit/fake/fake.c
OBJ := $(patsubst %.c,$(B)/%.o,$(ROOT) $(WORLD) tests/unit/test_root.c)

$(B)/test_root: $(OBJ)
	$(CC) $(SANITIZE) -o $@ $^ -lcmocka

$(ROOT:%.c=$(B)/%.o): CFLAGS += $(SANITIZE)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJ:.o=.d)
