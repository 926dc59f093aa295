# SPDX-License-Identifier: GPL-2.0
# The attack tests: make -f tests/attack/attack.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/attack
S := tests/attack

all: $(B)/attack.ko $(B)/attack

# Kbuild leaves its objects beside the sources: give it links to them.
$(B)/attack.ko: vmx/cpu/vmcs_fields.h $(wildcard $(S)/*.h) $(addprefix $(S)/,Kbuild enter.S module.c memory.c \
		vmx.c run.c tables.c race.c)
	@mkdir -p $(B)/ko
	ln -sf $(addprefix $(CURDIR)/,$^) $(B)/ko/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B)/ko modules
	cp $(B)/ko/attack.ko $@

PROGRAM := $(filter-out $(addprefix $(S)/,module.c memory.c vmx.c run.c tables.c race.c), \
	$(wildcard $(S)/*.c))
$(B)/attack: $(PROGRAM) $(wildcard $(S)/*.h) ioctl/underpin.h
	@mkdir -p $(B)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes -iquote ioctl \
		-iquote . -iquote vmx/cpu -o $@ $(PROGRAM)

.PHONY: all
