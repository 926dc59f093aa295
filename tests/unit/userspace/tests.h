/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests of the underpin program share. */
#ifndef UNIT_USERSPACE_TESTS_H
#define UNIT_USERSPACE_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "userspace/cli/cli.h"

/* One row a test: TEST(name) in the list below declares and lists it. */
#define TESTS(TEST) \
	TEST(cli_hex_round_trip) \
	TEST(cli_unhex_refuses_malformed) \
	TEST(cli_number_keeps_bounds) \
	TEST(cli_dispatch_finds_and_refuses) \
	TEST(cli_output_option) \
	TEST(cli_replay_option) \
	TEST(exit_reasons_have_names) \
	TEST(qemu_gets_stopped_and_a_monitor) \
	TEST(qemu_needs_kvm) \
	TEST(qemu_options_that_cannot_be_protected) \
	TEST(qemu_devices_that_need_something) \
	TEST(qemu_needs_are_said_at_once) \
	TEST(qemu_option_value) \
	TEST(qemu_own_stop_is_seen) \
	TEST(a_domain_is_enabled) \
	TEST(a_domain_is_disabled) \
	TEST(other_libraries_stay) \
	TEST(what_is_no_domain) \
	TEST(procfd_vcpu_links) \
	TEST(procfd_finds_vm_and_vcpus) \
	TEST(procfd_refuses_two_vms) \
	TEST(procfd_refuses_no_vm) \
	TEST(procfd_refuses_missing_vcpu) \
	TEST(procfd_refuses_too_many_vcpus) \
	TEST(procfd_refuses_vanished_process) \
	TEST(qmp_negotiates_and_commands) \
	TEST(qmp_reports_errors) \
	TEST(qmp_sees_the_end) \
	TEST(qmp_times_out) \
	TEST(qmp_reads_events_in_pieces) \
	TEST(size_is_what_image_takes) \
	TEST(memory_is_checked) \
	TEST(madt_finds_offline_cpus) \
	TEST(madt_refuses_malformed) \
	TEST(fadt_names_what_cannot_be_watched) \
	TEST(pm_base_is_loose_or_locked) \
	TEST(cpuinfo_is_parsed) \
	TEST(check_lock_names_the_cpu) \
	TEST(check_names_each_lack) \
	TEST(check_uniform_names_the_msr) \
	TEST(check_stores_are_named) \
	TEST(check_paging_and_count) \
	TEST(check_fred_is_refused) \
	TEST(check_paravirt_names_the_feature) \
	TEST(cpuinfo_same) \
	TEST(last_words_are_read_as_written) \
	TEST(observe_replays_what_was_seen) \
	TEST(observe_refuses_what_is_no_report) \
	TEST(check_unused_names_the_module) \
	TEST(check_lockdown_wants_signature) \
	TEST(check_kvm_ept_off) \
	TEST(check_iommu_judges_the_table) \
	TEST(check_smt_and_speculation) \
	TEST(protect_errors_name_the_cure) \
	TEST(status_errors_name_what_is_meant) \
	TEST(iommu_is_what_the_kernel_says) \
	TEST(status_is_what_the_kernel_says) \
	TEST(a_report_answers_for_the_device) \
	TEST(a_report_has_what_the_device_refused) \
	TEST(a_vm_has_the_name_its_command_says) \
	TEST(seal_is_rfc_9180) \
	TEST(seal_opens_nothing_changed) \
	TEST(secret_is_bound_to_nonce_and_name) \
	TEST(addresses_are_numbers) \
	TEST(uapi_keeps_its_shape)

#define DECLARE_TEST(name) void test_##name(void **state);
TESTS(DECLARE_TEST)

/** tree_make() - an empty directory that sysfile_root points at until tree_remove() */
void tree_make(void);
void tree_remove(void);

/** tree_file() - a file in it, with its directories; @path is absolute within the tree */
void tree_file(const char *path, const void *data, size_t len);
void tree_text(const char *path, const char *text);
void tree_link(const char *path, const char *target);

#endif /* UNIT_USERSPACE_TESTS_H */
