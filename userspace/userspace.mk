# SPDX-License-Identifier: GPL-2.0
# The underpin program: all but libc is static, so that it runs in any machine image.  Included
# from the top Makefile, or alone: make -f userspace/userspace.mk build/underpin
CLI_DIR := userspace
CLI_OUT := build/userspace
CLI_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wno-missing-field-initializers -Werror \
	-fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$(CURDIR)=.
CLI_LDFLAGS := -pie -Wl,-z,relro,-z,now
CLI_LIBS := -Wl,-Bstatic -ljson-c -lcrypto -Wl,-Bdynamic
CLI_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Floors, bottom to top; a file includes those of its own and lower ones (tests/gates/floors).
CLI_FLOORS := cli check vm
CLI_C := $(wildcard $(CLI_FLOORS:%=$(CLI_DIR)/%/*.c)) $(CLI_DIR)/underpin.c
# "vm expected" does in advance what the guest firmware does: the same sources.
CLI_GUEST_C := module/guest/bzimage.c module/guest/memmap.c
# "check" reads the DMAR table as the layer does.
CLI_IOMMU_C := iommu/dmar.c
CLI_CFLAGS += -iquote . -iquote userspace/policy
# A ticket is checked by what made it.
CLI_POLICY_C := $(addprefix $(CLI_DIR)/policy/,trust/ticket.c trust/key.c base/err.c)

$(CLI_OUT)/%.o: $(CLI_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

$(CLI_OUT)/guest/%.o: module/guest/%.c
	@mkdir -p $(@D)
	$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

$(CLI_OUT)/iommu/%.o: iommu/%.c
	@mkdir -p $(@D)
	$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

build/underpin: $(CLI_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o) \
		$(CLI_GUEST_C:module/guest/%.c=$(CLI_OUT)/guest/%.o) \
		$(CLI_IOMMU_C:%.c=$(CLI_OUT)/%.o) \
		$(CLI_POLICY_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o)
	$(CC) $(CLI_LDFLAGS) -o $@ $^ $(CLI_LIBS)

# Links tpm2-tss, which has no static form: a program of its own.
ATTEST_C := $(wildcard $(CLI_DIR)/txt/*.c) $(wildcard $(CLI_DIR)/attest/*.c) $(wildcard $(CLI_DIR)/cli/*.c)
ATTEST_LIBS := $(CLI_LIBS) -ltss2-esys -ltss2-mu -ltss2-tctildr

build/underpin-attest: $(ATTEST_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o)
	$(CC) $(CLI_LDFLAGS) -o $@ $^ $(ATTEST_LIBS)

# The owner's side: what verifies there verifies here.
BROKER_C := $(wildcard $(CLI_DIR)/txt/*.c) $(wildcard $(CLI_DIR)/broker/*.c) $(wildcard $(CLI_DIR)/cli/*.c) \
	$(addprefix $(CLI_DIR)/attest/,evidence.c eventlog.c launchlog.c policy.c report.c seal.c util.c verify.c)

build/underpin-broker: $(BROKER_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o)
	$(CC) $(CLI_LDFLAGS) -o $@ $^ $(CLI_LIBS) -ltss2-mu -lmicrohttpd

# The page of "underpin ui" is part of the program.
UI_DIR := $(CLI_DIR)/ui
UI_C := $(wildcard $(UI_DIR)/*.c) $(addprefix $(CLI_DIR)/,loopback/loopback.c cli/address.c cli/cli.c)

$(CLI_OUT)/ui/files.o: $(UI_DIR)/files.S $(wildcard $(UI_DIR)/page.*)
	@mkdir -p $(@D)
	$(CC) -Wa,-I$(UI_DIR) -c -o $@ $<

build/underpin-ui: $(UI_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o) $(CLI_OUT)/ui/files.o
	$(CC) $(CLI_LDFLAGS) -o $@ $^ -lmicrohttpd

# A guest's initramfs has no libraries.  --no-warnings: OpenSSL has calls for names and modules,
# which need a C library that is not static; none is made.
UNLOCK_C := $(wildcard $(CLI_DIR)/unlock/*.c) \
	$(addprefix $(CLI_DIR)/,attest/report.c attest/seal.c cli/address.c cli/cli.c)

build/underpin-unlock: $(UNLOCK_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o)
	$(CC) -static-pie -s -Wl,-z,relro,-z,now,--gc-sections,--no-warnings -o $@ $^ -lssl -lcrypto

# Links libvirt, likewise.
LIBVIRT_C := $(wildcard $(CLI_DIR)/libvirt/*.c) $(CLI_DIR)/cli/cli.c \
	$(CLI_DIR)/vm/qemu_args.c $(CLI_DIR)/vm/qemu_needs.c
$(CLI_OUT)/libvirt/%.o $(CLI_OUT)/san/libvirt/%.o $(CLI_OUT)/san/tests/test_libvirt.o: \
	CLI_CFLAGS += -isystem /usr/include/libxml2

build/underpin-libvirt: $(LIBVIRT_C:$(CLI_DIR)/%.c=$(CLI_OUT)/%.o)
	$(CC) $(CLI_LDFLAGS) -o $@ $^ $(CLI_LIBS) -lvirt -lxml2

# Preloaded into somebody else's program: libc alone, and nothing of its symbols but ioctl().
build/underpin-protect.so: $(CLI_DIR)/preload/protect.c $(CLI_DIR)/cli/cli.c $(CLI_DIR)/cli/cli.h \
		$(CLI_DIR)/vm/serve.h
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(CLI_CFLAGS)) -fPIC -shared -fvisibility=hidden \
		-Wl,-z,relro,-z,now -o $@ $(filter %.c,$^)

# Unit tests: the same sources with sanitizers, but for main().
$(CLI_OUT)/san/%.o: $(CLI_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -D_FORTIFY_SOURCE=2,$(CLI_CFLAGS)) $(CLI_SAN) -MMD -MP -c -o $@ $<

$(CLI_OUT)/san/tests/%.o: tests/unit/userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -D_FORTIFY_SOURCE=2,$(CLI_CFLAGS)) $(CLI_SAN) \
		-MMD -MP -c -o $@ $<

$(CLI_OUT)/san/guest/%.o: module/guest/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -D_FORTIFY_SOURCE=2,$(CLI_CFLAGS)) $(CLI_SAN) -MMD -MP -c -o $@ $<

$(CLI_OUT)/san/iommu/%.o: iommu/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -D_FORTIFY_SOURCE=2,$(CLI_CFLAGS)) $(CLI_SAN) -MMD -MP -c -o $@ $<

CLI_TEST_C := $(wildcard tests/unit/userspace/*.c)
build/unit-underpin: $(CLI_TEST_C:tests/unit/userspace/%.c=$(CLI_OUT)/san/tests/%.o) \
		$(patsubst $(CLI_DIR)/%.c,$(CLI_OUT)/san/%.o,\
		$(filter-out $(CLI_DIR)/underpin.c,$(CLI_C)) $(CLI_DIR)/libvirt/edit.c $(CLI_DIR)/attest/seal.c) \
		$(CLI_GUEST_C:module/guest/%.c=$(CLI_OUT)/san/guest/%.o) \
		$(CLI_IOMMU_C:%.c=$(CLI_OUT)/san/%.o) \
		$(CLI_POLICY_C:$(CLI_DIR)/%.c=$(CLI_OUT)/san/%.o)
	$(CC) $(CLI_SAN) -o $@ $^ $(CLI_LIBS) -lcmocka -lxml2

# Runs in the test machine.
build/vm-ioctl: tests/vm/ioctl.c ioctl/underpin.h
	@mkdir -p $(@D)
	$(CC) $(CLI_CFLAGS) -o $@ $<

userspace: build/underpin build/underpin-attest build/underpin-broker build/underpin-libvirt \
	build/underpin-protect.so build/underpin-ui build/underpin-unlock
-include $(wildcard $(CLI_OUT)/*.d $(CLI_OUT)/*/*.d $(CLI_OUT)/*/*/*.d $(CLI_OUT)/*/*/*/*.d)
