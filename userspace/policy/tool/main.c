// SPDX-License-Identifier: GPL-2.0-only
/* underpin-policy: a program of its own, since it needs libraries that a host's tool does not. */
#include "tool/cmd.h"

int main(int argc, char **argv)
{
	return cmd_policy(argc, argv);
}
