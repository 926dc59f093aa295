# SPDX-License-Identifier: GPL-2.0
# Underpin: `make` builds, `make try` shows it, `make check` tests it.

KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build

all: module userspace

include vmx/root.mk
-include module/guest/guest.mk
-include userspace/userspace.mk
-include userspace/policy/policy.mk
-include install.mk

.DEFAULT_GOAL := all

module: $(B)/underpin.ko
userspace:

# Kbuild runs in the source tree (its objects lie beside their sources).
$(B)/underpin.ko: $(B)/root/root.bin FORCE
	$(MAKE) -C $(KERNEL) M=$(CURDIR) modules
	cp -u underpin.ko $@

root-hash: $(B)/root/root.bin
	@sha256sum < $< | cut -d' ' -f1

# Is the image that lies here what the sources beside it make?
root-compare:
	@t=$$(mktemp -d) && trap 'rm -rf "$$t"' EXIT && \
	$(MAKE) -s --no-print-directory B="$$t" "$$t/root/root.bin" >"$$t/log" && \
	cmp "$$t/root/root.bin" build/root/root.bin && sha256sum <build/root/root.bin | cut -d' ' -f1

# What the test machine carries: the module, the programs, the firmware.
machine-files: module userspace $(B)/underpin-fw.bin $(B)/tiny-fw.bin

try: packages
	@tests/lib/logged $(B)/try/build.log 'building the layer and its programs' \
		$(MAKE) --no-print-directory machine-files
	@tests/try/try

check: packages
	@tests/check $(if $(T),'$(T)')

# Fuzzers that take 10 or 30 seconds elsewhere take a minute here.
check-all: packages-all
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} tests/check --all $(if $(T),'$(T)')

bench: packages
	@$(MAKE) --no-print-directory machine-files >&2
	@tests/bench $(if $(ROWS),--rows "$(ROWS)")

# Debian packages that are missing; needs root only if there are any.
packages:
	@tests/packages-install

packages-all:
	@tests/packages-install --all

clean:
	rm -rf $(B)
	[ -z "$(KERNEL)" ] || $(MAKE) -C $(KERNEL) M=$(CURDIR) clean

FORCE:
.PHONY: all module userspace machine-files root-hash root-compare try check check-all bench packages packages-all clean FORCE
