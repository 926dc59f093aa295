# SPDX-License-Identifier: GPL-2.0
# Programs that suites take into the machine: make -f tests/machine.d/tools.mk, from
# the top folder.
B := build/machine-tools
FLAGS := -std=gnu11 -O2 -static -iquote . -Wall -Wextra -Werror

all: $(addprefix $(B)/,look tiny ops life second ask bring many)

$(B)/look: tests/machine.d/look.c
$(B)/tiny: tests/guest/tiny.c tests/guest/kvm.h
$(B)/ops: tests/guest/ops.c tests/guest/ops.S tests/guest/kvm.h tests/guest/ops.h
$(B)/life: tests/machine.d/life.c
$(B)/second: tests/machine.d/second.c
$(B)/ask: tests/machine.d/ask.c userspace/vm/serve.h
$(B)/bring: tests/machine.d/bring.c tests/guest/kvm.h ioctl/underpin.h
$(B)/many: tests/machine.d/many.c tests/guest/kvm.h ioctl/underpin.h
$(addprefix $(B)/,look tiny ops life second ask bring many):
	@mkdir -p $(B)
	$(CC) $(FLAGS) -o $@ $(filter %.c %.S,$^)

.PHONY: all
