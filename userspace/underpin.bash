# SPDX-License-Identifier: GPL-2.0
# bash completion for underpin(8)

_underpin_ids()
{
	underpin vm list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# After "--" the words are a command of their own: complete them as such.
_underpin_qemu()
{
	local i
	for ((i = 3; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			_command_offset $((i + 1))
			return 0
		fi
	done
	return 1
}

_underpin_vm()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[2]} in
	run)
		_underpin_qemu && return
		mapfile -t COMPREPLY < <(compgen -W '-- --expect --ticket --definition --issuer --identity --timeout --quiet' \
			-- "$cur")
		;;
	protect)
		mapfile -t COMPREPLY < <(compgen -W \
			'--pid --vm-fd --vcpu-fds --expect --output --ticket --definition --issuer --identity' \
			-- "$cur")
		;;
	serve)
		mapfile -t COMPREPLY < <(compgen -W '--socket --group --max-memory' -- "$cur")
		;;
	show | release)
		mapfile -t COMPREPLY < <(compgen -W "--output $(_underpin_ids)" -- "$cur")
		;;
	list | challenge)
		mapfile -t COMPREPLY < <(compgen -W '--output' -- "$cur")
		;;
	expected)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

_underpin()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'check status last-words vm attest libvirt policy --help' -- "$cur")
	elif [[ $prev == -o || $prev == --output ]]; then
		mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur")
	elif [[ $prev == --pid ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(pgrep qemu-system)" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == libvirt ]] && ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W 'enable disable check --help' -- "$cur")
	elif [[ ${COMP_WORDS[1]} == libvirt ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--connect --expect --library --print --output \
			$(virsh list --all --name 2>/dev/null)" -- "$cur")
	elif [[ ${COMP_WORDS[1]} == vm ]] && ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W \
			'run check protect serve list show release expected --help' -- "$cur")
	elif [[ ${COMP_WORDS[1]} == vm ]]; then
		_underpin_vm
	elif [[ $prev == --report || $prev == --replay || $prev == --dmar ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ ${COMP_WORDS[1]} == check ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--output --dmar --report --replay' -- "$cur")
	elif [[ ${COMP_WORDS[1]} == status || ${COMP_WORDS[1]} == last-words ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--output' -- "$cur")
	fi
}

complete -F _underpin underpin
