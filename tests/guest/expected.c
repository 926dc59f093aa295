// SPDX-License-Identifier: GPL-2.0
/* `underpin vm expected` on its own, for tests that have no layer to talk to. */
#include "userspace/vm/vm.h"

int main(int argc, char **argv)
{
	return cmd_vm_expected(argc, argv);
}
