package workflows

import "github.com/foopack/foopack/magefiles/internal/operr"

// script is what stands for a program that an action installs: of Go's, `go tool mage TARGET`, and `go -C DIR tool mage -d DIR TARGET` where Mage is in a module
// of its own, begin the magefile that is compiled already where there is one to compile, and all else the program itself.
//
// In the run of a branch what looks at the sources alone is not done again: a rehearsal would begin itself, and tests pass or fail here as there. The step
// passes, and says so in an annotation, of which the report makes a line.
func (c *CI) script(program, found string, ofBranch bool) string {
	text := "#!/bin/sh\n"
	if program == "go" {
		again := ""
		if ofBranch {
			again = `for a in "$@"; do
		case $a in
		rehearse | check | lint | qa:* | test:*) echo "::notice title=` + left + `::mage $a" && exit 0 ;;
		esac
	done
	`
		}
		text += `if [ "$1" = tool ] && [ "$2" = mage ]; then
	` + again + `case $3 in
	'' | -*) ;;
	*)
		for f in magefiles *[mM]agefile*.go; do
			if [ -e "$f" ]; then shift 2 && exec ` + operr.Quoted(c.Program) + ` "$@"; fi
		done
		;;
	esac
fi
if [ "$1" = -C ] && [ "$3" = tool ] && [ "$4" = mage ] && [ "$5" = -d ]; then
	` + again + `case $7 in
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

// left is the title of an annotation that names what a step did not do.
const left = "not rehearsed"
