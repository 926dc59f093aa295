// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this machine asks for the things that requests are made of, in
 * microseconds of CPU: a system call, a page fault, a hand-over between two
 * threads and back, an Ed25519 signature. A figure per request means little
 * without them: under a hypervisor they differ by a factor of ten and more.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N	3000

static int there, back;

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void calls(void)
{
	int i;

	for (i = 0; i < N; i++)
		syscall(SYS_getppid);
}

static void faults(void)
{
	char *p = mmap(NULL, N * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	if (p == MAP_FAILED || madvise(p, N * 4096, MADV_NOHUGEPAGE))
		abort();
	for (i = 0; i < N; i++)
		p[i * 4096] = 1;
	munmap(p, N * 4096);
}

static void pass(int from, int to)
{
	uint64_t v = 1;

	if (write(to, &v, 8) != 8 || read(from, &v, 8) != 8)
		abort();
}

static void *other(void *arg)
{
	uint64_t v = 1;
	int i;

	for (i = 0; i < N; i++)
		if (read(there, &v, 8) != 8 || write(back, &v, 8) != 8)
			abort();
	return arg;
}

static void hand_overs(void)
{
	pthread_t t;
	int i;

	there = eventfd(0, 0);
	back = eventfd(0, 0);
	pthread_create(&t, NULL, other, NULL);
	for (i = 0; i < N; i++)
		pass(back, there);
	pthread_join(t, NULL);
	close(there);
	close(back);
}

static void signatures(void)
{
	uint8_t sig[64], data[32] = { 0 }, public[32], secret[64];
	int i;

	if (sodium_init() < 0 || crypto_sign_keypair(public, secret))
		abort();
	for (i = 0; i < N; i++)
		if (crypto_sign_detached(sig, NULL, data, sizeof(data), secret))
			abort();
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} list[] = {
		{ "syscall", calls }, { "page_fault", faults }, { "hand_over", hand_overs },
		{ "signature", signatures },
	};
	double begin;
	size_t i;

	for (i = 0; i < 4; i++)
		printf("%s%s_us", i ? "\t" : "", list[i].name);
	for (i = 0; i < 4; i++) {
		begin = cpu_us();
		list[i].run();
		printf("%s%.2f", i ? "\t" : "\n", (cpu_us() - begin) / N);
	}
	putchar('\n');
	return 0;
}
