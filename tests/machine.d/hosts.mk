# SPDX-License-Identifier: GPL-2.0
# The module for Debian's other kernels: make -f tests/machine.d/hosts.mk
# build/hosts/NAME/underpin.ko, from the top folder, for a NAME of tests/machine --kernel.
# build/hosts/NAME/release is the kernel that it is for.
B := build
H := /usr/src/linux-headers-

HEADERS_6.1-generic := $(wildcard $(H)6.1.0-*[0-9]-amd64)
HEADERS_6.1-rt := $(wildcard $(H)6.1.0-*-rt-amd64)
HEADERS_6.12 := $(wildcard $(H)6.12.*-cloud-amd64)
HEADERS_6.12-generic := $(wildcard $(H)6.12.*[0-9]-amd64)
HEADERS_6.12-rt := $(wildcard $(H)6.12.*-rt-amd64)
headers = $(lastword $(sort $(HEADERS_$*)))

include vmx/root.mk

HOST_SRC := Kbuild $(wildcard module/*.[chS] ioctl/*.[ch] vmx/abi/*.h) $(B)/root/root.bin

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/hosts/%/underpin.ko: $(HOST_SRC)
	@mkdir -p $(@D)
	@[ -n "$(or $(HOST_KERNEL),$(headers))" ] || { echo "hosts.mk: no linux-headers for $*: tests/packages-install" >&2; exit 1; }
	cp --parents $^ $(@D)
	$(MAKE) -C $(or $(HOST_KERNEL),$(headers)) M=$(CURDIR)/$(@D) modules
	echo $(patsubst $(H)%,%,$(headers)) > $(@D)/release

# A module that CET ends where it is on: tests/stray.
$(B)/stray/%/stray.ko: tests/stray/stray.c tests/stray/Kbuild
	@mkdir -p $(@D)
	cp $^ $(@D)
	$(MAKE) -C $(or $(HOST_KERNEL),$(headers)) M=$(CURDIR)/$(@D) modules
