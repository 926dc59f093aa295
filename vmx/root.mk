# SPDX-License-Identifier: GPL-2.0
# The root image: freestanding, fixed address, the same bytes everywhere.
# Nothing of the kernel's configuration, headers or flags reaches it.
#
# -fpie for calls that are direct: the large code model makes each an indirect
# one, for the host to train.  What stays indirect goes through a retpoline.

ROOT_SRC := $(sort $(wildcard vmx/*/*.c ept/*.c iommu/*.c tpm/*.c))
ROOT_ASM := $(sort $(wildcard vmx/*/*.S))
ROOT_OBJ := $(ROOT_SRC:%.c=$(B)/root/%.o) $(ROOT_ASM:%.S=$(B)/root/%.o)

ROOT_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpie -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-common -fno-strict-aliasing -fcf-protection=none -fno-jump-tables \
	-mindirect-branch=thunk-inline -mindirect-branch-register \
	-fno-tree-loop-distribute-patterns -Wall -Wextra -Wno-unused-parameter -Werror -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla -Wstack-usage=2048 -ffile-prefix-map=$(CURDIR)=. -I.
ROOT_ENV := env -i PATH="$$PATH" LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0

$(B)/root/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC [root] $<"; $(ROOT_ENV) $(CC) $(ROOT_CFLAGS) -include vmx/base/hidden.h -MMD -MP -c -o $@ $<

$(B)/root/%.o: %.S
	@mkdir -p $(@D)
	@echo "  CC [root] $<"; $(ROOT_ENV) $(CC) $(ROOT_CFLAGS) -MMD -MP -c -o $@ $<

# With lines and types, for addr2line (docs/debugging.md); they are no part of the image.
$(B)/root/root.debug.elf: vmx/root.lds $(ROOT_OBJ)
	@echo "  LD [root] $@"; $(ROOT_ENV) $(LD) -nostdlib -static --build-id=none -z noexecstack \
		-z max-page-size=4096 --no-warn-rwx-segments -Map=$(B)/root/root.map \
		-T vmx/root.lds -o $@ $(ROOT_OBJ) $(ROOT_EXTRA)

$(B)/root/root.elf: $(B)/root/root.debug.elf
	$(ROOT_ENV) $(OBJCOPY) --strip-debug $< $@

$(B)/root/root.bin: $(B)/root/root.elf
	$(ROOT_ENV) $(OBJCOPY) -O binary -j .text -j .rodata -j .data $< $@

OBJCOPY ?= objcopy
-include $(ROOT_OBJ:.o=.d)
