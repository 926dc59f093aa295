# SPDX-License-Identifier: GPL-2.0
# Another user of VMX, and one of KVM's hypercalls, for tests: make -f tests/vmxon/vmxon.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/vmxon

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/vmxon.ko: tests/vmxon/vmxon.c tests/vmxon/kvmcall.c tests/vmxon/Kbuild \
		ioctl/call.h
	@mkdir -p $(B)
	cp $(filter tests/%,$^) $(B)/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B) modules
