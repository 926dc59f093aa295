# SPDX-License-Identifier: GPL-2.0
# A device at work for its driver and for a VM: make -f tests/dma/dma.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/dma

all: $(B)/dmamap.ko $(B)/devcopy

# Kbuild leaves its objects beside the sources: give it links to them.
$(B)/dmamap.ko: tests/dma/Kbuild tests/dma/dmamap.c
	@mkdir -p $(B)/ko
	ln -sf $(addprefix $(CURDIR)/,$^) $(B)/ko/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B)/ko modules
	cp $(B)/ko/dmamap.ko $@

$(B)/devcopy: tests/dma/devcopy.c tests/attack/edu.c tests/attack/edu.h
	@mkdir -p $(B)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -iquote tests/attack -o $@ $(filter %.c,$^)

.PHONY: all
