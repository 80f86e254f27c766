package workflows

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/usage"
)

// script returns the script that replaces a program of an action. In the script for Go, `go tool mage TARGET` runs the compiled magefile, if there is
// a magefile. So does `go -C DIR tool mage -d DIR TARGET`, if Mage is in a separate module. All other calls run the program itself.
//
// In the run of a branch, targets that only check the sources are skipped: a rehearsal would start itself again, and tests would give the same result
// as before. The step passes, and an annotation names the target for the report.
func (c *CI) script(program, found string, ofBranch bool) string {
	text := "#!/bin/sh\n"
	if program == "go" {
		again := ":"
		if ofBranch {
			again = "again"
			text += looksAgain()
		}
		text += `if [ "$1" = tool ] && [ "$2" = mage ]; then
	` + again + ` 3 "$@"
	case $3 in
	'' | -*) ;;
	*)
		for f in magefiles *[mM]agefile*.go; do
			if [ -e "$f" ]; then shift 2 && exec ` + operr.Quote(c.Program) + ` "$@"; fi
		done
		;;
	esac
fi
if [ "$1" = -C ] && [ "$3" = tool ] && [ "$4" = mage ] && [ "$5" = -d ]; then
	` + again + ` 7 "$@"
	case $7 in
	'' | -*) ;;
	*)
		if [ -e "$2/$6/magefiles" ]; then cd "$2/$6" && shift 6 && exec ` + operr.Quote(c.Program) + ` "$@"; fi
		;;
	esac
fi
`
	}
	return text + "exec " + operr.Quote(found) + ` "$@"` + "\n"
}

// looksAgain returns a shell function that ends the step if a command line of mage has a target that only checks the sources. The function's first
// argument is the number of words to skip. Arguments of targets and flags do not count as targets. After a target that is not ours, it is unknown
// which words are arguments.
func looksAgain() string {
	var one, none []string
	for name, arguments := range usage.Arguments() {
		if arguments > 0 {
			one = append(one, name) // our targets take at most one
		} else {
			none = append(none, name)
		}
	}
	slices.Sort(one)
	slices.Sort(none)
	return `again() {
	shift "$1"
	value=
	for a in "$@"; do
		if [ "$value" ]; then value= && continue; fi
		case $a in
		-t | -d | -w) value=yes ;;
		-*) ;;
		rehearse | check | lint | qa:* | test:*) echo "::notice title=` + left + `::mage $a" && exit 0 ;;
		` + strings.Join(one, " | ") + `) value=yes ;;
		` + strings.Join(none, " | ") + `) ;;
		*) return ;;
		esac
	done
}
`
}

// `left` is the title of annotations for targets that a step skipped.
const left = "not rehearsed"
