# SPDX-License-Identifier: GPL-2.0
# Programs that step: make -f tests/step/step.mk, from the top folder.
KERNEL ?= $(firstword $(wildcard /usr/src/linux-headers-6.1.0-*-cloud-amd64))
B := build/step
FLAGS := -std=gnu11 -O2 -static -Wall -Wextra -Werror
SOURCES := $(wildcard tests/step/*)

all: $(B)/step $(B)/stepper.ko

$(B)/step: tests/step/step.c tests/step/cases.S tests/step/cases.h
	@mkdir -p $(B)
	$(CC) $(FLAGS) -o $@ tests/step/step.c tests/step/cases.S

# Kbuild leaves its objects beside the sources: give it copies.
$(B)/stepper.ko: $(SOURCES)
	@mkdir -p $(B)/module
	cp $(SOURCES) $(B)/module/
	$(MAKE) -C $(KERNEL) M=$(CURDIR)/$(B)/module modules
	cp $(B)/module/stepper.ko $@

.PHONY: all
