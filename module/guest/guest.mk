# SPDX-License-Identifier: GPL-2.0
# The guest firmware; included by the top Makefile.  Freestanding: nothing but its
# own sources, and the same bytes wherever and by whomever it is built.

FW_DIR	:= module/guest
FW_OUT	:= build/guest
FW_SRC	:= start.S main.c boot.c bzimage.c acpi.c console.c fwcfg.c layer.c lib.c memmap.c \
	pm.c processor.c trap.c
FW_OBJ	:= $(addprefix $(FW_OUT)/,$(addsuffix .o,$(basename $(FW_SRC)))) $(FW_OUT)/sha256.o
FW_FLAGS := -std=gnu11 -O2 -m64 -ffreestanding -fno-pic -fno-pie -mcmodel=small \
	-mgeneral-regs-only -mno-red-zone -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-tree-reassoc -fno-ident -g0 -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) -I. -I$(FW_DIR) -I$(FW_OUT) \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wvla -Wframe-larger-than=1024
FW_LINK := $(LD) -m elf_x86_64 -static -nostdlib --no-undefined --build-id=none -z noexecstack \
	--no-warn-rwx-segments --orphan-handling=error -T $(FW_OUT)/fw.lds

all: build/underpin-fw.bin build/tiny-fw.bin

build/underpin-fw.bin: $(FW_OUT)/fw.elf
	objcopy -O binary $< $@
	@test $$(stat -c %s $@) = 65536 || { rm -f $@; echo "$@: not 64 KiB" >&2; exit 1; }

$(FW_OUT)/fw.elf: $(FW_OBJ) $(FW_OUT)/fw.lds
	$(FW_LINK) -o $@ $(FW_OBJ)

# Its comments have the time; its bytes are the source's alone.
$(FW_OUT)/dsdt.hex: $(FW_DIR)/dsdt.asl
	@mkdir -p $(@D)
	iasl -vs -vi -tc -p $(@:.hex=) $< >$(@:.hex=.log) || { cat $(@:.hex=.log) >&2; exit 1; }
	sed -i 's/^unsigned char/static const &/' $@

$(FW_OUT)/acpi.o: $(FW_OUT)/dsdt.hex

# The test guest of the attack tests; see its header comment.
build/tiny-fw.bin: $(FW_OUT)/tiny.elf
	objcopy -O binary $< $@

TINY_OBJ := $(addprefix $(FW_OUT)/,start.o tiny-fw.o tiny-ghci.o)
$(FW_OUT)/tiny.elf: $(TINY_OBJ) $(FW_OUT)/fw.lds
	$(FW_LINK) -o $@ $(TINY_OBJ)

$(FW_OUT)/tiny-%.o: tests/guest/tiny-%.S
	@mkdir -p $(@D)
	$(CC) $(FW_FLAGS) -MMD -MP -c $< -o $@

$(FW_OUT)/fw.lds: $(FW_DIR)/fw.lds.S $(FW_DIR)/layout.h
	@mkdir -p $(@D)
	$(CC) -E -P -x assembler-with-cpp -I$(FW_DIR) $< -o $@

$(FW_OUT)/%.o: $(FW_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(FW_FLAGS) -MMD -MP -c $< -o $@

$(FW_OUT)/%.o: $(FW_DIR)/%.S
	@mkdir -p $(@D)
	$(CC) $(FW_FLAGS) -MMD -MP -c $< -o $@

$(FW_OUT)/sha256.o: vmx/base/sha256.c
	@mkdir -p $(@D)
	$(CC) $(FW_FLAGS) -MMD -MP -c $< -o $@

# --- tests ---------------------------------------------------------------------
# The firmware's C in user space, where a test plays host and layer.

FW_TEST_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Wno-clobbered \
	-Wno-unknown-warning-option -Wno-array-bounds -Wno-stringop-overflow \
	-fno-sanitize-recover=all -iquote . -iquote $(FW_DIR) -iquote tests/guest \
	-iquote $(FW_OUT)
FW_TEST_SAN := -fsanitize=address,undefined
FW_PURE := $(FW_DIR)/bzimage.c $(FW_DIR)/memmap.c
FW_HOSTED := $(addprefix $(FW_DIR)/,main.c acpi.c boot.c fwcfg.c layer.c pm.c) $(FW_PURE) vmx/base/sha256.c \
	tests/guest/hosted.c
FW_TEST_HDR := $(FW_OUT)/dsdt.hex $(wildcard $(FW_DIR)/*.h tests/guest/*.h) vmx/abi/call.h vmx/base/sha256.h

# `underpin vm expected` on its own
build/expected: tests/guest/expected.c userspace/vm/expected.c userspace/cli/cli.c $(FW_PURE)
build/unit-sha256: tests/unit/test_sha256.c vmx/base/sha256.c
build/unit-guest-firmware: tests/unit/test_guest_firmware.c $(FW_HOSTED)
build/expected build/unit-sha256 build/unit-guest-firmware: $(FW_TEST_HDR)
	@mkdir -p $(@D)
	$(CC) $(FW_TEST_FLAGS) $(FW_TEST_SAN) -DFW_HOSTED -o $@ $(filter %.c,$^) -lcmocka -lcrypto

build/fuzz-bzimage: tests/fuzz/fuzz_bzimage.c $(FW_PURE)
build/fuzz-guest-firmware: tests/fuzz/fuzz_guest_firmware.c $(FW_HOSTED)
build/fuzz-bzimage build/fuzz-guest-firmware: $(FW_TEST_HDR)
	@mkdir -p $(@D)
	clang $(FW_TEST_FLAGS) -fsanitize=fuzzer,address,undefined -DFW_HOSTED -o $@ \
		$(filter %.c,$^) -lcrypto

guest-unit: build/unit-sha256 build/unit-guest-firmware build/fuzz-bzimage \
	build/fuzz-guest-firmware
.PHONY: guest-unit

-include $(FW_OBJ:.o=.d) $(TINY_OBJ:.o=.d)
