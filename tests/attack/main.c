// SPDX-License-Identifier: GPL-2.0
/* The driver: every attack on an unprotected VM, then on a protected one. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>
#include "attack.h"

#define PIECE		(64ULL << 20)	/* of RAM, to be scanned by one call */

int attack_fd, underpin_fd;
uint64_t layer_pfn[LAYER_PFNS];
unsigned int layer_pfns;

static const struct attack *const all[] = {
	user_attacks, tool_attacks, host_attacks, vcpu_attacks, table_attacks,
	call_attacks, smp_attacks, qemu_attacks, device_attacks, unit_attacks, ghci_attacks,
};

#define NLISTS (sizeof(all) / sizeof(*all))

static struct atk_secret half[2];	/* of unprotected VMs, of protected ones */
static struct victim *current[2];	/* the same */
static int tests, tried, defeated, failures;
static bool smp;			/* there were two processors at the start */
static bool device;			/* there is one that attacks */
static bool devices_kept;		/* the layer keeps devices from memory */
static uint64_t not_zeroed;

void note(const char *fmt, ...)
{
	va_list args;

	printf("#     ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static void report(bool ok, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", ok ? "" : "not ", ++tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	failures += !ok;
}

/* The low 16 bits of all quadwords are the same: the module's scan is quicker. */
static void choose_secret(struct atk_secret *s)
{
	int i;

	if (getrandom(s, sizeof(*s), 0) != sizeof(*s))
		err(1, "getrandom");
	for (i = 0; i < 4; i++)
		s->b[i] = (s->b[i] & ~0xffffULL) | ((s->a[i] ^ s->a[0] ^ s->b[0]) & 0xffff);
}

static struct atk_scan scan_piece(uint64_t start, uint64_t end)
{
	uint64_t list[2048];
	unsigned int i;
	struct atk_scan sc = {
		.start = start, .end = end, .list = (uintptr_t)list, .room = 2048,
	};

	if (ioctl(attack_fd, ATK_SCAN, &sc))
		err(1, "ATK_SCAN");
	for (i = 0; i < sc.decoys && i < 2048 && layer_pfns < LAYER_PFNS; i += 7)
		layer_pfn[layer_pfns++] = list[i];
	return sc;
}

/* All of RAM, or until enough frames of the layer's are known. */
static uint64_t scan(const struct atk_secret *s, bool all, uint64_t *where)
{
	char line[256];
	struct atk_scan sc;
	uint64_t start, end, found = 0;
	FILE *f = fopen("/proc/iomem", "r");

	if (!f || ioctl(attack_fd, ATK_SECRET, s))
		err(1, "scan");
	*where = 0;
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "System RAM") ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		start = (start + PAGE - 1) & ~(PAGE - 1ULL);
		end = (end + 1) & ~(PAGE - 1ULL);
		for (; start < end && (all || layer_pfns < LAYER_PFNS); start += PIECE) {
			sc = scan_piece(start, end - start < PIECE ? end : start + PIECE);
			if (sc.found && !found)
				*where = sc.where;
			found += sc.found;
		}
	}
	fclose(f);
	return found;
}

static void drop(int which)
{
	struct victim *v = current[which];

	if (!v)
		return;
	if (v->protected)
		not_zeroed += victim_release(v);
	victim_kill(v);
	current[which] = NULL;
}

/* A VM as the attack wants it. */
static struct victim *victim_for(const struct attack *a, int which)
{
	if (a->flags & FRESH || (a->flags & GHCI && current[which] && !current[which]->ghci))
		drop(which);
	/* The other one would only take time. */
	if (current[!which])
		victim_pause(current[!which]);
	if (!current[which])
		current[which] = victim_start(which, !(a->flags & FRESH),
					      a->flags & PAIR ? 2 : 1, &half[which]);
	else if (current[which]->sh->pause == 1)
		victim_resume(current[which]);
	if (a->flags & GHCI && !current[which]->ghci)
		current[which]->ghci = tell(current[which], "g", "G", NULL, 0);
	return current[which];
}

static bool act(const struct attack *a, int which, bool *well)
{
	struct victim *v = victim_for(a, which);
	bool hit;

	if (ioctl(attack_fd, ATK_SECRET, &half[which]))
		err(1, "ATK_SECRET");
	hit = a->act(v);
	*well = true;
	if (which && !(a->flags & ENDS))
		*well = victim_well(v, 2);
	if (!*well)
		note("the VM says: ...%s, ended %d",
		     v->sh->log + (v->sh->nlog > 60 ? v->sh->nlog - 60 : 0), v->sh->ended);
	if (!*well || (a->flags & (FRESH | ENDS)) || (!which && a->flags & TAINTS) ||
	    v->sh->deaf || v->sh->ended)
		drop(which);
	return hit;
}

/* A layer without this file keeps none. */
static bool layer_keeps_devices(void)
{
	char state[8] = "none";
	int fd = open("/sys/kernel/underpin/iommu", O_RDONLY);

	if (fd >= 0 && read(fd, state, sizeof(state) - 1) < 0)
		err(1, "/sys/kernel/underpin/iommu");
	close(fd);
	return strncmp(state, "none", 4);
}

/* Nothing keeps devices from memory: the control is all that can be asked for. */
static void not_yet(const struct attack *a, bool control, bool hit)
{
	printf("# not yet defeated: %d %s: on the protected VM it %s\n", a->number, a->name,
	       hit ? "SUCCEEDS" : "has no effect, though nothing promises that");
	report(control, "%d %s: the control", a->number, a->name);
}

static void try(const struct attack *a)
{
	uint64_t began = now_ms();
	bool control, hit, well;

	printf("# %d %s\n", a->number, a->name);
	fflush(stdout);
	if (a->flags & DEVICE && !device)
		errx(1, "%d: there is no edu in this machine", a->number);
	if (a->flags & ALONE)
		drop(1);
	control = act(a, 0, &well);
	hit = act(a, 1, &well);
	if (a->flags & DEVICE && !devices_kept) {
		not_yet(a, control, hit);
		return;
	}
	tried++;
	defeated += control && !hit && well;
	printf("#     %lu ms\n", now_ms() - began);
	report(control && !hit && well, "%d %s%s%s%s", a->number, a->name,
	       control ? "" : ": has no effect on an unprotected VM either",
	       hit ? ": SUCCEEDS" : "", well ? "" : ": the protected VM is not well");
}

/* All of what so many processors are for, unless some are named. */
static bool chosen(const struct attack *a, char **argv)
{
	if (!*argv)
		return !!(a->flags & SMP) == smp && (device || !(a->flags & DEVICE));
	for (; *argv; argv++)
		if (atoi(*argv) == a->number)
			return true;
	return false;
}

/* With no protected VM, what reads as a decoy is the layer's. */
static void find_layer(void)
{
	uint64_t where;

	scan(&half[0], false, &where);
	printf("# some frames of the layer's: %u, first %#lx\n", layer_pfns, layer_pfn[0]);
}

static void look_everywhere(void)
{
	uint64_t where = 0, found;
	int i;

	for (i = 0; i < 2; i++) {
		if (!current[i])
			current[i] = victim_start(i, true, 1, &half[i]);
		victim_pause(current[i]);
	}
	found = scan(&half[0], true, &where);
	report(found > 100, "a scan of RAM finds an unprotected VM's secret (%lu words)", found);
	found = scan(&half[1], true, &where);
	report(!found, "a scan of RAM finds no word of the protected VMs' secret (%lu, at %lx)",
	       found, where);
}

static void try_list(const struct attack *a, char **argv)
{
	for (; a->number; a++)
		if (chosen(a, argv))
			try(a);
}

/*
 * A forced rmmod waits for the protected VM; when that has ended, the layer goes,
 * and the host goes on without it.
 */
static void finale(void)
{
	uint64_t end = now_ms() + 8000;

	close(underpin_fd);
	if (current[0])
		victim_kill(current[0]);
	if (current[1])
		victim_kill(current[1]);
	while (!access("/sys/module/underpin", F_OK) && now_ms() < end)
		nap(20);
	report(access("/sys/module/underpin", F_OK),
	       "a forced rmmod ends when the last protected VM has");
}

int main(int argc, char **argv)
{
	unsigned int i;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	smp = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	stay_on(0);		/* and so do all that are started from here */
	signal(SIGPIPE, SIG_IGN);
	choose_secret(&half[0]);
	choose_secret(&half[1]);
	attack_fd = open("/dev/attack", O_RDWR);
	underpin_fd = open("/dev/underpin", O_RDWR);
	if (argv[1] && !strcmp(argv[1], "cost"))
		return ghci_cost(argv[2], &half[0]);
	if (attack_fd < 0 || underpin_fd < 0)
		err(1, "/dev/attack, /dev/underpin");
	device = device_there();
	devices_kept = layer_keeps_devices();
	find_layer();
	for (i = 0; i < NLISTS; i++)
		try_list(all[i], argv + 1);
	if (!argv[1])
		look_everywhere();
	qemu_end();
	drop(0);
	drop(1);
	report(!not_zeroed, "frames that came back read zero (%lu did not)", not_zeroed);
	try_list(end_attacks, argv + 1);
	if (chosen(&end_attacks[1], argv + 1))
		finale();
	printf("1..%d\n%d attacks tried, %d defeated\n", tests, tried, defeated);
	return failures != 0;
}
