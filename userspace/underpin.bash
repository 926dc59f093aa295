# SPDX-License-Identifier: GPL-2.0
# bash completion for underpin(8). Commands and options are those that "--help" names; what it leaves
# out is here.

_underpin_ids()
{
	underpin vm list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# Behind "--" the words are a command of their own: complete them as such.
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

# The help of the command that the line has so far.
_underpin_help()
{
	local i
	for ((i = 1; i < COMP_CWORD && i < 3; i++)); do
		[[ ${COMP_WORDS[i]} == [a-z]* ]] || break
	done
	underpin "${COMP_WORDS[@]:1:i-1}" --help 2>/dev/null
}

_underpin_more()
{
	local ticket='--ticket --definition --issuer --identity'
	case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
	'vm run') echo "-- --timeout --quiet $ticket" ;;
	'vm protect') echo "--vm-fd --vcpu-fds --output $ticket" ;;
	'vm show' | 'vm release') _underpin_ids ;;
	libvirt\ *) virsh list --all --name 2>/dev/null ;;
	esac
}

# "underpin policy" is underpin-policy, whose package has its own completion.
_underpin_is_policy()
{
	[[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == policy ]] || return 1
	declare -F _underpin_policy >/dev/null || _completion_loader underpin-policy 2>/dev/null
	declare -F _underpin_policy >/dev/null || return 1
	local COMP_CWORD=$((COMP_CWORD - 1)) COMP_WORDS=(underpin-policy "${COMP_WORDS[@]:2}")
	_underpin_policy
}

_underpin()
{
	_underpin_is_policy && return
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} said
	COMPREPLY=()
	case $prev in
	-o | --output)
		mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur") ;;
	--pid)
		mapfile -t COMPREPLY < <(compgen -W "$(pgrep qemu-system)" -- "$cur") ;;
	--report | --replay | --dmar | --firmware | --kernel | --initrd | --ticket | --library | --policy)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	*)
		_underpin_qemu && return
		said=$(_underpin_help)
		if [[ $said == *' COMMAND ...'* ]]; then
			said=$(sed -n 's/^  \([a-z-]\{1,\}\) .*/\1/p' <<<"$said")
		else
			said=$(grep -oP '(?<![\w-])--?[a-z][a-z-]*' <<<"$said")
		fi
		mapfile -t COMPREPLY < <(compgen -W "$said $(_underpin_more) --help" -- "$cur") ;;
	esac
}

complete -F _underpin underpin
