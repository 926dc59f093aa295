# SPDX-License-Identifier: GPL-2.0
# A host that enters bent VMCSs: make -f tests/hostile/hostile.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/hostile

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/hostile.ko: tests/hostile/hostile.c tests/hostile/Kbuild vmx/cpu/vmcs_fields.h
	@mkdir -p $(B)
	cp $^ $(B)/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B) modules
