# SPDX-License-Identifier: GPL-2.0
# Programs that suites take into the machine: make -f tests/machine.d/tools.mk, from
# the top folder.
B := build/machine-tools
FLAGS := -std=gnu11 -O2 -static -Wall -Wextra -Werror

all: $(B)/look $(B)/tiny

$(B)/look: tests/machine.d/look.c
$(B)/tiny: tests/guest/tiny.c
$(B)/look $(B)/tiny:
	@mkdir -p $(B)
	$(CC) $(FLAGS) -o $@ $<

.PHONY: all
