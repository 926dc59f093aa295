# SPDX-License-Identifier: GPL-2.0
# iommu/ in user space.  make -f tests/unit/vtd.mk all
#
# No AddressSanitizer: a state is a process, and its shadow would be copied with each.

UB := build/vtd-unit
CC := gcc
CFLAGS := -std=gnu11 -g -O1 -fsanitize=undefined -fno-sanitize-recover=all -Wall -Wextra \
	-Wno-unused-parameter -Werror -include tests/unit/fake/asm.h \
	-include tests/unit/fake/mmio.h -Itests/unit -I.

LAYER := $(addprefix ept/,owner.c device.c flush.c table.c pool.c grow.c transition.c binding.c) \
	$(wildcard iommu/*.c)
WORLD := tests/unit/vtd_hw.c tests/unit/vtd_world.c tests/unit/fake/fake.c
OBJ := $(patsubst %.c,$(UB)/%.o,$(LAYER) $(WORLD))
TESTS := test_vtd test_vtd_domain

all: $(TESTS:%=$(UB)/%) $(UB)/fuzz_vtd $(UB)/fuzz_vtd_tables

# From the sources at once: libFuzzer's coverage is another build of them.
$(UB)/fuzz_vtd: $(LAYER) $(WORLD) tests/fuzz/fuzz_vtd.c $(wildcard iommu/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	clang $(CFLAGS) -fsanitize=fuzzer,address -o $@ $(filter %.c,$^)

$(UB)/fuzz_vtd_tables: $(LAYER) $(WORLD) tests/fuzz/fuzz_vtd_tables.c tests/fuzz/rewind.c \
		$(wildcard iommu/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	clang -g -O1 -c -o $(UB)/rewind.o tests/fuzz/rewind.c
	clang $(CFLAGS) -include tests/fuzz/rewind.h -fsanitize=fuzzer,address -o $@ \
		$(filter-out tests/fuzz/rewind.c,$(filter %.c,$^)) $(UB)/rewind.o

$(TESTS:%=$(UB)/%): $(UB)/%: $(OBJ) $(UB)/tests/unit/%.o
	$(CC) -fsanitize=undefined -o $@ $^

$(UB)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY:
-include $(OBJ:.o=.d) $(TESTS:%=$(UB)/tests/unit/%.d)
.PHONY: all
