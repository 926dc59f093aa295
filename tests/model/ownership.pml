/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a frame, and when: the rules of ept/transition.c and ept/flush.c.
 *
 * Two CPUs, a host that does whatever it can, one protected VM that was
 * measured, FRAMES frames.  A CPU caches every translation it finds and forgets
 * only by flushing.  An exit flushes first (reads the epoch, flushes, notes the
 * epoch), then performs one operation under the lock, then enters the host or
 * the VM; on entry to a VM hardware also gets the address of one host frame in
 * its VMCS (a virtual-APIC page) which was checked before.  An exit that is none
 * of the host's goes back with the same address, checked again after a flush.
 *
 * Promises, as assertions: the host never reaches a private frame of the VM nor
 * sees its secret; the VM never reaches a frame that is not its own; what comes
 * to the VM, and what comes back to the host, holds nothing; no frame is in two
 * views.  Leaving out a rule must break one of them:
 *
 *	NO_WAIT_COMMIT	a donated frame is used without waiting for the flush
 *	NO_WAIT_RETURN	a dead VM's frame goes to the host without it
 *	NO_WAIT_UNSHARE	a frame is private again without it
 *	NO_ZERO_ARRIVE, NO_ZERO_EARLY	not zeroed on arrival; zeroed before the flush
 *	NO_ZERO_RETURN	not zeroed before it goes back
 *	NO_UNMAP	the host's mapping stays
 *	NO_TICKET	the epoch does not move when a mapping goes
 *	NO_FORGET	a CPU notes the epoch, and does not flush
 *	FLUSH_AT_END	the flush comes after the check of the host's address
 *	NO_RECHECK	the address stays without being checked again
 */
#ifndef FRAMES
#define FRAMES 1
#endif
#define CPUS 2
#ifndef LAST_EPOCH
#define LAST_EPOCH 5	/* no donation after this many tickets: it ends */
#endif

mtype = { HOSTS, ARRIVING, PRIVATE, SHARED, UNSHARING };	/* all but HOSTS: the VM's */
mtype = { ZERO, JUNK, SECRET };

mtype state[FRAMES] = HOSTS;
mtype content[FRAMES] = JUNK;
bool host_map[FRAMES], vm_map[FRAMES];	/* the tables */
bool fresh[FRAMES];			/* the VM has not used it yet */
bool dead, cut;

byte epoch = 1, ticket;
byte flushed[CPUS] = 1;

/* caches, by CPU and frame */
bool host_tlb[CPUS * FRAMES], vm_tlb[CPUS * FRAMES];
byte in_vmcs[CPUS];			/* 1 + the frame whose address hardware has */

#define AT(c, f) ((c) * FRAMES + (f))
#define FLUSHED (flushed[0] >= ticket && flushed[1] >= ticket)
#ifdef NO_TICKET
#define TICKET { ticket = epoch }
#else
#define TICKET { epoch++; ticket = epoch }
#endif

inline pick(f)
{
	if
	:: f = 0
#if FRAMES > 1
	:: f = 1
#endif
	fi
}

/* The host's memory access, or hardware's through an address the host gave */
inline host_uses(f)
{
	assert(state[f] != PRIVATE);
	assert(content[f] != SECRET);
	if
	:: true
	:: content[f] = JUNK
	fi
}

inline host_access(c, f)
{
	atomic {
		pick(f);
		if
		:: host_tlb[AT(c, f)] || host_map[f] ->
			host_tlb[AT(c, f)] = true;
			host_uses(f)
		:: else
		fi;
		f = 0
	}
}

inline vm_access(c, f)
{
	atomic {
		pick(f);
		if
		:: vm_tlb[AT(c, f)] || vm_map[f] ->
			vm_tlb[AT(c, f)] = true;
			assert(state[f] != HOSTS && state[f] != ARRIVING);
			if
			:: fresh[f] -> assert(content[f] == ZERO); fresh[f] = false
			:: else
			fi;
			if
			:: state[f] == PRIVATE -> content[f] = SECRET
			:: true
			fi
		:: else
		fi;
		if
		:: in_vmcs[c] && in_vmcs[c] - 1 == f -> host_uses(f)
		:: else
		fi;
		f = 0
	}
}

inline flush(c, e, moved)
{
	e = epoch;
	if
	:: e != flushed[c] ->
		atomic { forget(c) };
		flushed[c] = e;
		moved = true
	:: else -> moved = false
	fi;
	e = 0
}

inline forget(c)
{
#ifdef NO_FORGET
	skip
#else
	host_tlb[AT(c, 0)] = false;
	vm_tlb[AT(c, 0)] = false;
#if FRAMES > 1
	host_tlb[AT(c, 1)] = false;
	vm_tlb[AT(c, 1)] = false;
#endif
#endif
}

/* ept/host.c, ept/shadow.c: violations fill tables. */
inline fills(f)
{
	if
	:: state[f] == HOSTS || state[f] == SHARED -> host_map[f] = true
	:: !cut && (state[f] == PRIVATE || state[f] == SHARED) -> vm_map[f] = true
	:: else
	fi
}

inline donate(f)
{
	if
	:: state[f] == HOSTS && !dead && epoch < LAST_EPOCH ->
		state[f] = ARRIVING;
#ifndef NO_UNMAP
		host_map[f] = false;
#endif
#ifdef NO_ZERO_EARLY
		content[f] = ZERO;
#endif
		TICKET
	:: else
	fi
}

inline commit(f)
{
	if
#ifdef NO_WAIT_COMMIT
	:: state[f] == ARRIVING ->
#else
	:: state[f] == ARRIVING && FLUSHED ->
#endif
#if !defined(NO_ZERO_ARRIVE) && !defined(NO_ZERO_EARLY)
		content[f] = ZERO;
#endif
		fresh[f] = true;
		state[f] = PRIVATE
	:: else
	fi
}

inline share(f)
{
	if
	:: state[f] == PRIVATE && !dead -> content[f] = ZERO; fresh[f] = false; state[f] = SHARED
	:: else
	fi
}

inline unshare(f)
{
	if
	:: state[f] == SHARED && !dead && epoch < LAST_EPOCH ->
		state[f] = UNSHARING;
		host_map[f] = false;
		vm_map[f] = false;
		TICKET
#ifdef NO_WAIT_UNSHARE
	:: state[f] == UNSHARING ->
#else
	:: state[f] == UNSHARING && FLUSHED ->
#endif
		content[f] = ZERO;
		fresh[f] = true;
		state[f] = PRIVATE
	:: else
	fi
}

inline give_back(f)
{
	if
	:: dead && !cut ->
		vm_map[0] = false;
#if FRAMES > 1
		vm_map[1] = false;
#endif
		cut = true;
		TICKET
#ifdef NO_WAIT_RETURN
	:: cut && state[f] != HOSTS ->
#else
	:: cut && state[f] != HOSTS && FLUSHED ->
#endif
#ifndef NO_ZERO_RETURN
		content[f] = ZERO;
#endif
		assert(content[f] == ZERO);
		fresh[f] = false;
		vm_map[f] = false;
		state[f] = HOSTS
	:: else
	fi
}

inline no_two_views(f)
{
	assert(!(host_map[f] && vm_map[f]) || state[f] == SHARED);
	assert(!host_map[f] || state[f] == HOSTS || state[f] == SHARED);
	assert(!vm_map[f] || state[f] == PRIVATE || state[f] == SHARED)
}

inline operation(f)
{
	atomic {
		pick(f);
		if
		:: true -> fills(f)
		:: true -> donate(f)
		:: true -> commit(f)
		:: true -> share(f)
		:: true -> unshare(f)
		:: true -> give_back(f)
		:: dead = true
		:: true
		fi;
		no_two_views(f);
		f = 0
	}
}

proctype cpu(byte c)
{
	byte f, e, addr;
	bool run_vm, moved;

	do
	:: true ->
		atomic {
			/* the exit before was root's own affair, or the host enters anew */
			if
#ifdef NO_RECHECK
			:: run_vm && addr && !dead -> in_vmcs[c] = addr
#else
			:: run_vm && addr && !dead && !moved -> in_vmcs[c] = addr
			:: run_vm && addr && !dead && moved && state[addr - 1] == HOSTS ->
				in_vmcs[c] = addr
#endif
			:: !dead ->
				run_vm = true;
				pick(f);
				if
				:: state[f] == HOSTS -> in_vmcs[c] = f + 1
				:: else
				fi
			:: run_vm = false
			fi;
			addr = 0;
			moved = false;
			f = 0	/* values that are used no more only make states differ */
		}
#ifdef FLUSH_AT_END
		flush(c, e, moved);
		moved = true;
#endif
		/* the guest runs */
		do
		:: run_vm -> vm_access(c, f)
		:: !run_vm -> host_access(c, f)
		:: break
		od;
		/* exit */
		atomic { addr = in_vmcs[c]; in_vmcs[c] = 0 };
#ifndef FLUSH_AT_END
		flush(c, e, moved);
#endif
		operation(f)
	od
}

init
{
	atomic {
		run cpu(0);
		run cpu(1)
	}
}
