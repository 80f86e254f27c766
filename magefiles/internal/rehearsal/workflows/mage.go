package workflows

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/usage"
)

// script is what stands for a program that an action installs: of Go's, `go tool mage TARGET`, and `go -C DIR tool mage -d DIR TARGET` where Mage is in a module
// of its own, begin the magefile that is compiled already where there is one to compile, and all else the program itself.
//
// In the run of a branch what looks at the sources alone is not done again: a rehearsal would begin itself, and tests pass or fail here as there. The step
// passes, and says so in an annotation, of which the report makes a line.
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
			if [ -e "$f" ]; then shift 2 && exec ` + operr.Quoted(c.Program) + ` "$@"; fi
		done
		;;
	esac
fi
if [ "$1" = -C ] && [ "$3" = tool ] && [ "$4" = mage ] && [ "$5" = -d ]; then
	` + again + ` 7 "$@"
	case $7 in
	'' | -*) ;;
	*)
		if [ -e "$2/$6/magefiles" ]; then cd "$2/$6" && shift 6 && exec ` + operr.Quoted(c.Program) + ` "$@"; fi
		;;
	esac
fi
`
	}
	return text + "exec " + operr.Quoted(found) + ` "$@"` + "\n"
}

// looksAgain is a function of the shell that ends the step where a command line of mage, behind as many words as the first one says, has a target that looks
// at the sources alone. What is an argument of a target, or of a flag, is none; behind a target that is not of ours nobody knows which is.
func looksAgain() string {
	var one, none []string
	for name, arguments := range usage.Arguments() {
		if arguments > 0 {
			one = append(one, name) // none of ours takes more
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

// left is the title of an annotation that names what a step did not do.
const left = "not rehearsed"
