# SPDX-License-Identifier: GPL-2.0-only
# bash completion for underpin-policy(1). Verbs, what they take and options are those that "--help"
# names; what follows an option that "--help" does not tell is here.

_underpin_policy_verbs()
{
	underpin-policy --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# What a verb's second word may be: "show|verify FILE".
_underpin_policy_words()
{
	underpin-policy --help 2>/dev/null |
		sed -n "s/^  $1  *\([a-z][a-z|]*\) .*/\1/p" | tr '|' ' '
}

_underpin_policy_options()
{
	underpin-policy --help 2>/dev/null | grep -oP '(?<![\w-])(--[a-z][a-z-]*|-[A-Za-z@](?!\w))'
}

_underpin_policy()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=
	COMPREPLY=()
	case $prev in
	-o)
		mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur")
		return ;;
	-O | --cert | --key | --ca | --token)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	if [[ $COMP_CWORD == 1 ]]; then
		words="$(_underpin_policy_verbs) --help"
	elif [[ $cur == -* ]]; then
		words="$(_underpin_policy_options) --help"
	elif [[ $COMP_CWORD == 2 ]]; then
		words=$(_underpin_policy_words "${COMP_WORDS[1]}")
	fi
	if [[ $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -o filenames -F _underpin_policy underpin-policy
