# SPDX-License-Identifier: GPL-2.0-only
# bash completion for underpind(8). Options are those that "--help" names.

_underpind()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-c | --config | -i | --import | -a | --archive)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	-s | --status-address)
		mapfile -t COMPREPLY < <(compgen -W '127.0.0.1: [::1]:' -- "$cur") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "--help $(underpind --help 2>/dev/null |
			grep -oP '(?<![\w-])(--[a-z][a-z-]*|-[A-Za-z](?!\w))')" -- "$cur") ;;
	esac
}

complete -o filenames -F _underpind underpind
