# SPDX-License-Identifier: GPL-2.0
# Memory that arrives later: make -f tests/addram/addram.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/addram

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/addram.ko: tests/addram/addram.c tests/addram/Kbuild
	@mkdir -p $(B)
	cp $^ $(B)/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B) modules
