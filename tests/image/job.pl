#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# In a root disk that starts by itself (tests/lib/root_disk.py): runs the job disk's job, and
# reports it as tests/image/init.c does, by the same frames to the debug port.
use strict;
use warnings;

open(my $port, '+<:unix', '/dev/port') or die "/dev/port: $!\n";

sub frame {
	my ($type, $data) = @_;
	for my $byte (split //, "\x1eU$type" . pack('V', length $data) . $data) {
		sysseek($port, 0xe9, 0);
		syswrite($port, $byte);
	}
}

frame('B', 'booted');
my ($disk) = glob('/dev/sd?1') or frame('E', 'no job disk');
system("tar -xf $disk -C /root") and frame('E', 'the job is no archive');
open(my $clock, '<', '/root/.job/clock') or frame('E', "no clock: $!");
system('date', '-s', '@' . <$clock>);
frame('J', 'job');
chdir '/root/underpin';
my $output = `sh /root/.job/run 2>&1 </dev/null`;
my $status = $? >> 8;
frame('1', $output);
frame('X', $status);
sleep;
