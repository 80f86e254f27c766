# shellcheck shell=sh
# Does what must happen on a host, by its clock and on its disk: sh -c SCRIPT sh ROOT OPERATION ARGUMENT…
# The script is constant. Contents come over standard input, with their size as an argument, so that a truncated input is noticed. Arguments
# are numbers and strict names, and are checked here again. A file is replaced by a rename, after its contents are on the disk.
set -u
LC_ALL=C
export LC_ALL
umask 022

die() {
	status=$1
	shift
	printf '%s\n' "$*"
	exit "$status"
}

# digits checks numbers: no sign, no leading zero, at most fifteen digits, so that arithmetic takes them as they are.
digits() {
	for n in "$@"; do
		case $n in
		0) ;;
		'' | *[!0-9]* | 0* | ????????????????*) die 64 "not a number: $n" ;;
		esac
	done
}

# name checks a name that becomes part of a path.
name() {
	case $1 in
	'' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) die 64 "not a name: $1" ;;
	esac
	[ "${#1}" -le 63 ] || die 64 "too long a name: $1"
}

# path checks a folder.
path() {
	case $1 in
	*/../* | */.. | *[!A-Za-z0-9._/-]*) die 64 "not a folder: $1" ;;
	/*) ;;
	*) die 64 "not a folder: $1" ;;
	esac
}

# payload reads $1 bytes of standard input into text.
payload() {
	digits "$1"
	[ "$1" -gt 0 ] || die 64 'nothing to write'
	text=$(cat && printf .) || die 75 'standard input cannot be read'
	text=${text%.}
	[ "${#text}" -eq "$1" ] || die 75 "${#text} of $1 bytes arrived"
}

# put replaces file $1 by text.
put() {
	problem=$({ printf %s "$text" >"$1.partial" && sync "$1.partial" && contents "$1.partial" && [ "$got" = "$text" ] && mv -f "$1.partial" "$1"; } 2>&1) || {
		rm -f "$1.partial"
		die 79 "${1##*/} cannot be written: $problem"
	}
	sync "${1%/*}" 2>/dev/null
}

# hold keeps all other calls out until this one ends. A caller that has gone holds nothing: this process continues to its end without it.
hold() {
	command -v flock >/dev/null 2>&1 || die 70 'no flock'
	[ -d "$root/env" ] || mkdir -p "$root/env" || die 79 "$root cannot be written"
	exec 9>>"$root/.lock" || die 79 "$root/.lock cannot be written"
	flock -n 9 || timeout 20 flock 9 || die 72 'another call does not end'
}

# environment sets dir to the folder of environment $1, and makes it if necessary, with upstreams that are never empty.
environment() {
	name "$1"
	dir=$root/env/$1
	[ ! -d "$dir" ] || [ ! -s "$dir/up" ] || [ ! -s "$dir/prev" ] || [ ! -s "$dir/next" ] || return 0
	mkdir -p "$dir/values" || die 79 "$dir cannot be made"
	kept=${text-}
	text=none
	for file in next prev up; do
		[ -s "$dir/$file" ] || put "$dir/$file"
	done
	text=$kept
}

# section prints one value: a line with its name and size, then the value.
section() { printf '%s %s\n%s\n' "$1" "${#2}" "$2"; }

# contents reads file $1 into got, which is empty if there is no file. Most of the files that each look reads are one line without a newline: the
# shell reads those itself.
contents() {
	got=
	[ -s "$1" ] || return 0
	if IFS= read -r got <"$1" || [ -z "$got" ]; then
		got=$(cat "$1" && printf .) || die 78 "$1 cannot be read"
		got=${got%.}
	fi
}

# lock reads who holds the environment. The time that is left is counted by the clock that nobody can set; a lock of another boot lasts at most
# its whole lease, counted from the start of this boot.
lock() {
	fence=0 boot='' ends=0 lease=0 holder='' left=0
	{ read -r now _ </proc/uptime && read -r here </proc/sys/kernel/random/boot_id; } || die 78 'the host has no clock'
	now=${now%%.*}
	file=$dir/lock
	[ -f "$file" ] || file=$dir/lock.given
	if [ -f "$file" ]; then
		{ read -r fence && read -r boot && read -r ends && read -r lease && IFS= read -r holder; } <"$file" || die 78 "$file is damaged"
	fi
	for n in "$fence" "$ends" "$lease"; do
		case $n in
		0) ;;
		'' | *[!0-9]* | 0* | ????????????????*) die 78 "$file is damaged" ;;
		esac
	done
	[ ! -f "$file" ] || [ "$file" = "$dir/lock" ] || fence=$((fence + 1)) ends=0 holder=
	if [ "$ends" -eq 0 ]; then
		return
	elif [ "$boot" = "$here" ]; then
		left=$((ends - now))
	else
		left=$((lease - now))
	fi
	[ "$left" -gt 0 ] || left=0
}

# holds prints what lock has read.
holds() {
	section fence "$fence"
	[ "$ends" -eq 0 ] || {
		section left "$left"
		section holder "$holder"
	}
}

# keep writes the lock.
keep() {
	text="$fence
$here
$ends
$lease
$holder
"
	put "$dir/lock"
}

# give writes that nobody has the lock. If there is no room for that, the file gets another name, which needs no room.
give() {
	ends=0 holder=
	(keep) >/dev/null || mv -f "$dir/lock" "$dir/lock.given" 2>/dev/null || die 79 'lock cannot be given back'
}

# mine ends the call unless the lock is held, and its number is still $1.
mine() {
	digits "$1"
	lock
	if [ "$fence" -ne "$1" ] || [ "$ends" -eq 0 ]; then
		holds
		exit 74
	fi
}

# lines appends text to file $1, on a separate line, and keeps the file small.
lines() {
	[ ! -s "$1" ] || [ -z "$(tail -c 1 "$1")" ] || text="
$text"
	before=0
	[ ! -f "$1" ] || before=$(wc -c <"$1")
	problem=$({ printf '%s\n' "$text" >>"$1" && sync "$1" && [ "$(wc -c <"$1")" -eq $((before + ${#text} + 1)) ]; } 2>&1) || die 79 "${1##*/} cannot be written: $problem"
	[ "$before" -lt 1000000 ] || {
		text=$(tail -n 1000 "$1")"
"
		put "$1"
	}
}

root=$1
operation=$2
path "$root"
shift 2
case $operation in
probe)
	command -v flock >/dev/null 2>&1 || die 70 'no flock'
	hold
	dir=$root
	lock
	text=$here
	put "$root/.probe"
	with=
	for program in wget curl; do
		[ -n "$with" ] || ! command -v "$program" >/dev/null 2>&1 || with=$program
	done
	[ -n "$with" ] || die 77 'neither wget nor curl'
	section with "$with"
	;;
free)
	section df "$(df -Pk "$root" | tail -n 1)"
	;;
look) # ENVIRONMENT
	name "$1"
	hold
	dir=$root/env/$1
	lock
	holds
	for file in up prev next; do
		contents "$dir/$file"
		section "$file" "$got"
	done
	for file in "$dir"/values/*; do
		case $file in *.partial) continue ;; esac
		[ ! -f "$file" ] || {
			contents "$file"
			section "value.${file##*/}" "$got"
		}
	done
	;;
take) # ENVIRONMENT LEASE SIZE, and the holder
	digits "$2"
	payload "$3"
	case $text in *"
"*) die 64 'more than one line' ;; esac
	hold
	environment "$1"
	lock
	[ "$left" -eq 0 ] || {
		holds
		exit 73
	}
	[ "$ends" -eq 0 ] || section from "$holder"
	fence=$((fence + 1)) lease=$2 ends=$((now + lease + 1)) holder=$text
	keep
	section fence "$fence"
	;;
renew) # ENVIRONMENT FENCE LEASE
	digits "$3"
	hold
	environment "$1"
	mine "$2"
	[ "$boot" != "$here" ] || [ "$lease" != "$3" ] || [ "$left" -lt "$3" ] || exit 0 # the whole lease is left
	lease=$3 ends=$((now + lease + 1))
	keep
	;;
release) # ENVIRONMENT FENCE
	hold
	environment "$1"
	mine "$2"
	give
	;;
unlock) # ENVIRONMENT
	hold
	environment "$1"
	lock
	[ "$ends" -ne 0 ] || exit 0
	section from "$holder"
	fence=$((fence + 1))
	give
	;;
write) # ENVIRONMENT FENCE FILE SIZE, and the contents
	payload "$4"
	hold
	environment "$1"
	mine "$2"
	case $3 in
	up | prev | next) put "$dir/$3" ;;
	*)
		name "$3"
		put "$dir/values/$3"
		;;
	esac
	;;
switch) # ENVIRONMENT FENCE SIZE, and the upstream
	payload "$3"
	hold
	environment "$1"
	mine "$2"
	new=$text
	contents "$dir/up"
	[ "$got" != "$new" ] || exit 0
	text=${got:-none}
	put "$dir/prev"
	text=$new
	put "$dir/up"
	;;
audit) # ENVIRONMENT SIZE, and one line
	payload "$2"
	case $text in *"
"*) die 64 'more than one line' ;; esac
	hold
	environment "$1"
	lines "$dir/audit"
	;;
audited) # ENVIRONMENT LINES
	name "$1"
	digits "$2"
	hold
	[ ! -f "$root/env/$1/audit" ] || section audit "$(tail -n "$2" "$root/env/$1/audit")"
	;;
serve) # ENVIRONMENT FENCE SIZE, and the service of the environment; none removes it
	payload "$3"
	hold
	environment "$1"
	mine "$2"
	contents "$dir/service"
	[ "$got" != "$text" ] || exit 0
	new=$text
	contents "$root/generation"
	digits "${got:-0}"
	text=$((${got:-0} + 1))
	put "$root/generation"
	text=$new
	if [ "$text" = none ]; then
		rm -f "$dir/service"
	else
		put "$dir/service"
	fi
	;;
services)
	hold
	contents "$root/generation"
	section generation "${got:-0}"
	contents "$root/caddy.json"
	section config "$got"
	for file in "$root"/env/*/service; do
		[ ! -f "$file" ] || {
			contents "$file"
			dir=${file%/*}
			section "service.${dir##*/}" "$got"
		}
	done
	;;
configure) # GENERATION SIZE, and the proxy's configuration, made from the services of that generation
	digits "$1"
	payload "$2"
	hold
	contents "$root/generation"
	[ "${got:-0}" = "$1" ] || die 76 'there are other services by now'
	put "$root/caddy.json"
	;;
secret) # FOLDER NAME OWNER SIZE, and the value, which may be any bytes
	path "$1"
	name "$2"
	digits "$3" "$4"
	umask 0377
	file=$1/.$2.partial
	rm -f "$file"
	cat >"$file" || {
		rm -f "$file"
		die 79 'the secret cannot be written'
	}
	[ "$(wc -c <"$file")" -eq "$4" ] || {
		rm -f "$file"
		die 75 'the secret did not arrive whole'
	}
	if ! { { [ "$3" -eq "$(id -u)" ] || chown "$3" "$file"; } && sync "$file" && mv -f "$file" "$1/$2"; }; then
		rm -f "$file"
		die 79 'the secret cannot be written'
	fi
	sync "$1" 2>/dev/null
	;;
ask) # URL HOST SECONDS; prints the answer's body, its head as the program shows it, and the head's size
	case $1 in
	http://127.0.0.1:[0-9]*) ;;
	*) die 64 "not an address of ours: $1" ;;
	esac
	case $1$2 in *[!A-Za-z0-9.:/_?=\&%~-]*) die 64 'not an address' ;; esac
	digits "$3"
	exec 3>&1
	if command -v wget >/dev/null 2>&1; then
		head=$({ { timeout "$3" wget -S -q -O - --header "Host: $2" "$1" 2>&4 | head -c 262144 >&3; } 4>&1; } | head -c 65536)
	elif command -v curl >/dev/null 2>&1; then
		head=$({ { timeout "$3" curl -s -D /dev/fd/4 -H "Host: $2" "$1" 2>/dev/null | head -c 262144 >&3; } 4>&1; } | head -c 65536)
	else
		die 77 'neither wget nor curl'
	fi
	printf '\n%s\n%s' "$head" "${#head}"
	;;
*) die 64 "no such operation: $operation" ;;
esac
