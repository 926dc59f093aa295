# SPDX-License-Identifier: GPL-2.0
# A driver that maps and unmaps: make -f tests/dma/dma.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/dma

all: $(B)/dmamap.ko

# Kbuild leaves its objects beside the sources: give it links to them.
$(B)/dmamap.ko: tests/dma/Kbuild tests/dma/dmamap.c
	@mkdir -p $(B)/ko
	ln -sf $(addprefix $(CURDIR)/,$^) $(B)/ko/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B)/ko modules
	cp $(B)/ko/dmamap.ko $@

.PHONY: all
