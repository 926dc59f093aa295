# SPDX-License-Identifier: GPL-2.0
# The bed for VT-d: make -f tests/vtd/bed.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
BED := build/vtd-bed

all: $(BED)/bed.ko

# For ROOT_CFLAGS: the layer's half is built with the root image's own flags.
B := build
include vmx/root.mk

LAYER := $(addprefix ept/,owner.c device.c flush.c table.c pool.c grow.c transition.c binding.c) \
	vmx/base/lib.c $(wildcard iommu/*.c) tests/vtd/cases.c
LAYER_OBJ := $(LAYER:%.c=$(BED)/%.o)

$(BED)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ROOT_CFLAGS) -include vmx/base/hidden.h -include tests/vtd/layer.h -MMD -MP \
		-c -o $@ $<

# Kbuild leaves its objects beside the sources: give it copies.
$(BED)/bed.ko: $(LAYER_OBJ) tests/vtd/bed.lds $(addprefix tests/vtd/,bed_linux.c bed.h Kbuild)
	cp $(filter tests/vtd/%,$^) $(BED)/
	$(LD) -r -T tests/vtd/bed.lds -o $(BED)/layer.o_shipped $(LAYER_OBJ)
	touch $(BED)/.layer.o.cmd
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(BED) modules

-include $(LAYER_OBJ:.o=.d)
.DEFAULT_GOAL := all
.PHONY: all
