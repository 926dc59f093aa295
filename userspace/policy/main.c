// SPDX-License-Identifier: GPL-2.0-only
/* The policy tools as a program of their own, for tests: underpin-policy VERB ... */
#include "cmd.h"

int main(int argc, char **argv)
{
	return cmd_policy(argc, argv);
}
