// SPDX-License-Identifier: GPL-2.0
/*
 * Long random sequences on the small machine of ept_world.h; and mutants: with
 * any one flush, ticket or wait for a flush left out, some sequence must fail.
 *
 *	test_ept_random			TAP
 *	test_ept_random SEED STEPS	one sequence
 */
#include "ept_child.h"
#include "ept_world.h"

void rnd_seed(u64 seed);

#define GFNS 24

/* Frames in few regions, so that things meet; some of them not RAM, some the layer's */
static u64 any_frame(void)
{
	switch (rnd(16)) {
	case 0:
		return HOLE_START + rnd(2) * 600;
	case 1:
		return LAYER_START + rnd(LAYER_END - LAYER_START);
	case 2:
		return 1034 + rnd(4);
	case 3:
		return rnd(2) ? 0xa0 + rnd(8) : 2 + rnd(8);
	case 4:
		return FRAMES + rnd(2) * (1 << 20);
	default:
		return (rnd(2) ? 1536 : 2560) + rnd(8);
	}
}

/* For the layer, which never gives back: not of the 2 MiB whose frames VMs get. */
static u64 any_gift(void)
{
	u64 pfn = any_frame();

	return pfn < HOLE_START && pfn >= 1536 ? 2100 + pfn % 8 : pfn;
}

static u64 any_access(void)
{
	static const u64 a[] = { EPT_R, EPT_R, EPT_W, EPT_R | EPT_W, EPT_X };

	return a[rnd(ARRAY_SIZE(a))];
}

static void kvm_changes(void)
{
	static const u64 perms[] = { 0, 0, 7, 7, 7, 3, 5, 1, 6 };
	u64 gpa = w_kvm_gpa(rnd(8)), pfn = any_frame(), p = perms[rnd(ARRAY_SIZE(perms))];

	if (pfn >= FRAMES)
		return;
	if (gpa == 0x400000)
		w_kvm_map(rnd(SHADOWS), gpa, p ? ALIGN_DOWN(pfn, 512) << PAGE_SHIFT | 0xb0 | p : 0);
	else
		w_kvm_map(rnd(SHADOWS), gpa, p ? pfn << PAGE_SHIFT | 0x30 | p : 0);
}

static u64 any_proposal(u32 n, u64 gfn)
{
	switch (rnd(4)) {
	case 0:
		return 0;
	case 1:
		return any_frame() % FRAMES;
	default:
		return mvm[n].bound[gfn] ? mvm[n].bound[gfn] - 1 : any_frame() % FRAMES;
	}
}

/* A dead VM's frames in one go, so that 2 MiB become the host's as a whole at times. */
static void return_all(u32 cpu, u32 n)
{
	u64 gfn;
	u32 i;

	for (gfn = 0; gfn < ARRAY_SIZE(mvm[n].bound); gfn++) {
		if (!mvm[n].bound[gfn])
			continue;
		for (i = 0; i < 4 && mvm[n].bound[gfn] && w_return(cpu, n, gfn); i++)
			w_flush_all();
		/* Meanwhile others use the table that is about to go. */
		w_host_touch(rnd(CPUS), rnd(2) ? 1600 : 2600, EPT_R, GLA_KERNEL);
	}
}

static void vm_life(u32 cpu, u32 n, u64 gfn)
{
	if (pvm[n].state == UP_VM_BUILDING && !rnd(4) && !w_commit(cpu, n))
		w_vm_state(cpu, n, UP_VM_MEASURING);
	else if (pvm[n].state == UP_VM_MEASURING && !rnd(3))
		w_vm_state(cpu, n, UP_VM_RUNNABLE);
	else if (pvm[n].state == UP_VM_RUNNABLE && !rnd(60))
		w_vm_state(cpu, n, UP_VM_DEAD);
	else if (pvm[n].state == UP_VM_NONE)
		w_vm_create(cpu, n);
	else if (pvm[n].state == UP_VM_DEAD && !pvm[n].frames)
		w_vm_destroy(cpu, n);
	else if (pvm[n].state == UP_VM_DEAD && !rnd(4))
		return_all(cpu, n);
	else if (pvm[n].state == UP_VM_DEAD || !rnd(8))
		w_return(cpu, n, gfn);
}

static void event(void)
{
	u32 cpu = rnd(CPUS), n = rnd(PVMS);
	u64 gfn = rnd(GFNS);

	if (gfn > GFNS - 4)
		gfn += 512;
	switch (rnd(25)) {
	case 0: case 1: case 2: case 3: case 4:
		w_host_touch(cpu, any_frame(), any_access(), rnd(2));
		break;
	case 5: case 6: case 7: case 8:
		w_shadow_touch(cpu, rnd(SHADOWS), w_kvm_gpa(rnd(8)), any_access());
		break;
	case 9: case 10:
		kvm_changes();
		break;
	case 11:
		w_kvm_invept(cpu, rnd(SHADOWS), 1 + !rnd(4));
		break;
	case 12: case 13:
		w_donate_vm(cpu, n, any_frame(), gfn);
		break;
	case 14: case 15: case 16:
		w_pvm_touch(cpu, n, gfn << PAGE_SHIFT, any_access(), any_proposal(n, gfn));
		break;
	case 17:
		w_share(cpu, n, gfn);
		break;
	case 18:
		w_unshare(cpu, n, gfn);
		break;
	case 19:
		w_commit(cpu, n);
		break;
	case 20: case 21:
		vm_life(cpu, n, gfn);
		break;
	case 22:
		if (rnd(3))
			w_exit(cpu);
		else
			w_flush_all();
		break;
	case 23:
		if (!rnd(2))
			w_donate_layer(cpu, any_gift());
		else
			w_pool_commit(cpu);
		break;
	case 24:
		if (!rnd(10))
			w_kvm_off(cpu);
		break;
	}
}

static void sequence(u64 seed, u64 length)
{
	u64 i;

	rnd_seed(seed);
	w_init(seed % 4 ? 500 : POOL_RESERVE + 44 + rnd(40));
	for (i = 0; i < length; i++) {
		event();
		if (!rnd(16))
			w_check();
	}
	w_check();
	w_teardown();
}

/* The flush sites that any sequence has reached */
static char sites[FAKE_SITES][FAKE_NAME];
static u32 nsites;

static void add_site(const char *name)
{
	u32 i;

	for (i = 0; i < nsites && strcmp(sites[i], name); i++)
		;
	if (i == nsites && nsites < FAKE_SITES)
		strcpy(sites[nsites++], name);
}

/* In a child: 0 passed.  @mutant: what to leave out; failing is expected then */
static int run(u64 seed, u64 length, const char *mutant)
{
	char name[FAKE_NAME];
	int fd[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe(fd))
		abort();
	pid = fork();
	if (!pid) {
		if (mutant && (!freopen("/dev/null", "w", stdout) ||
			       !freopen("/dev/null", "w", stderr)))
			abort();
		fake_mutant = mutant;
		sequence(seed, length);
		if (write(fd[1], fake_sites, sizeof(fake_sites)) < 0)
			abort();
		_Exit(0);
	}
	close(fd[1]);
	while (read(fd[0], name, sizeof(name)) == sizeof(name))
		if (*name)
			add_site(name);
	close(fd[0]);
	waitpid(pid, &status, 0);
	return status;
}

#ifndef SEEDS
#define SEEDS	24
#define LENGTH	4000
#endif

int main(int argc, char **argv)
{
	u32 seed, m, n, bad = 0;
	bool killed;

	if (argc == 3) {
		fake_mutant = getenv("MUTANT");
		sequence(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0));
		for (m = 0; m < FAKE_SITES && *fake_sites[m]; m++)
			printf("# site: %s\n", fake_sites[m]);
		return 0;
	}
	for (seed = 1; seed <= SEEDS; seed++)
		if (run(seed, LENGTH, NULL))
			printf("# seed %u fails\n", seed), bad++;
	result(!bad, "%d random sequences of %d events keep every view equal to the model", SEEDS,
	       LENGTH);
	n = nsites;
	for (m = 0; m < n; m++) {
		killed = false;
		for (seed = 1; seed <= 4 * SEEDS && !killed; seed++)
			killed = run(seed, LENGTH, sites[m]);
		bad += !killed;
		result(killed, "without %s a sequence fails", sites[m]);
		printf("# seed %u\n", seed - 1);
	}
	printf("1..%d\n", test_number);
	return bad != 0;
}
