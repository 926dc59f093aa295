# SPDX-License-Identifier: GPL-2.0
# The host side's page tables without its checks: make -f tests/paging/paging.mk, from the
# top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build
.DEFAULT_GOAL := $(B)/paging/paging.ko

include vmx/root.mk

SOURCES := $(wildcard tests/paging/*.c) tests/paging/Kbuild \
	module/image.c module/launch.c module/capture.c \
	module/device.c module/iommu.c module/tpm.c module/ticket.c module/weak.c \
	module/status.c module/last_words.c module/ram.c module/blob.S

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/paging/paging.ko: $(SOURCES) $(B)/root/root.bin
	@mkdir -p $(@D)
	cp $(SOURCES) $(@D)/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(@D) TOP=$(CURDIR) modules
