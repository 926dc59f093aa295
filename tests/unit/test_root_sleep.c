// SPDX-License-Identifier: GPL-2.0
/* Where the base of the sleep ports cannot be locked, the host does not move it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "root_world.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/port.h"

#define BASE		0x80000b40u	/* PIIX4's, in device 1, function 3 */
#define NEXT		0x80000b44u
#define ELSEWHERE	0x80000a40u

static u32 pci_address, outs;

u32 port_in(u16 port, u32 size)
{
	return port == PORT_PCI_ADDRESS && size == 4 ? pci_address : ~0u;
}

void port_out(u16 port, u32 size, u32 val)
{
	(void)size;
	(void)val;
	outs += port != PORT_PCI_ADDRESS;
}

static int start(void **state)
{
	(void)state;
	r_init();
	r_quiet(true);
	return 0;
}

/* Does OUT reach the hardware? */
static bool written(u16 port, u32 size, u32 address)
{
	u32 before = outs;

	pci_address = address;
	fake_cpu->gpr[RAX] = 0xffffffff;
	r_exit(EXIT_REASON_IO, (u64)port << 16 | (size - 1));
	return outs != before;
}

static void test_the_register_is_not_written(void **state)
{
	u16 port;

	(void)state;
	up_config.pm_base = BASE;
	for (port = PORT_PCI_DATA; port < PORT_PCI_DATA + 4; port++) {
		assert_false(written(port, 1, BASE));
		assert_false(written(port, 4, BASE));
		assert_false(written(port, 2, BASE | 0x7f000003));	/* bits not decoded */
	}
	assert_false(written(PORT_PCI_DATA - 1, 2, BASE));
}

static void test_others_are(void **state)
{
	(void)state;
	up_config.pm_base = BASE;
	assert_true(written(PORT_PCI_DATA, 4, NEXT));
	assert_true(written(PORT_PCI_DATA + 3, 1, ELSEWHERE));
	assert_true(written(PORT_PCI_DATA, 4, BASE & 0x7fffffff));	/* no configuration cycle */
	assert_true(written(PORT_PCI_DATA + 4, 4, BASE));
	up_config.pm_base = 0;						/* locked */
	assert_true(written(PORT_PCI_DATA, 4, BASE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_register_is_not_written),
		cmocka_unit_test(test_others_are),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
