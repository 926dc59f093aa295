# SPDX-License-Identifier: GPL-2.0
# An NMI that never rests, for tests: make -f tests/nmi/nmi.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/nmi

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/nmi.ko: tests/nmi/nmi.c tests/nmi/Kbuild
	@mkdir -p $(B)
	cp $^ $(B)/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B) modules
