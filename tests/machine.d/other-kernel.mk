# SPDX-License-Identifier: GPL-2.0
# Modules for a kernel other than the one that "make" builds for:
# make -f tests/machine.d/other-kernel.mk RELEASE=..., from the top folder, after "make".
# Kbuild leaves its objects beside the sources: it gets copies of them.
B := build/for-$(RELEASE)
SOURCES := Kbuild $(wildcard module ioctl vmx ept iommu) build/root/root.bin

all: $(B)/underpin.ko $(B)/stray.ko

$(B)/stray.ko: tests/stray/stray.c tests/stray/Kbuild
	@mkdir -p $(B)/stray
	cp $^ $(B)/stray/
	$(MAKE) -C /usr/src/linux-headers-$(RELEASE) M=$(CURDIR)/$(B)/stray modules
	cp $(B)/stray/stray.ko $@

$(B)/underpin.ko: FORCE
	@mkdir -p $(B)/source
	tar -cf - --exclude='*.o' --exclude='*.cmd' --exclude='*.ko' --exclude='*.mod*' \
		$(SOURCES) | tar -C $(B)/source -xf -
	$(MAKE) -C /usr/src/linux-headers-$(RELEASE) M=$(CURDIR)/$(B)/source modules
	cp $(B)/source/underpin.ko $@

FORCE:
.PHONY: all FORCE
