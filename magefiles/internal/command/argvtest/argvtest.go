// Package argvtest checks every command line that a package's tests have run: no value from outside may be where a program would take it for an
// option.
package argvtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Main runs the tests of a package, checks what they have run, and returns the exit status for TestMain.
//
//	func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "argv-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "argv")
	command.RecordTo = file
	return max(m.Run(), Look(file))
}

// Look reads the recorded command lines, prints each kind of violation once, and returns an exit status.
func Look(file string) int {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return 0 // nothing was run
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	said := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var c command.Recorded
		if json.Unmarshal(lines.Bytes(), &c) != nil {
			continue // the line of a program that was killed meanwhile
		}
		if problem := Problem(c); problem != "" && !said[problem] {
			said[problem] = true
			fmt.Fprintf(os.Stderr, "%s: in %q\n", problem, append([]string{c.Name}, c.Args...))
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if len(said) == 0 {
		return 0
	}
	fmt.Fprintln(os.Stderr, "The table is commands in "+table+", which lists the allowed command lines.")
	return 1
}

// table is the file with the commands.
const table = "magefiles/internal/command/argvtest/commands.go"

// Problem returns what is wrong with a command line; "" if every word of it is an option of ours, a word of ours, a value that cannot begin with a
// dash, or is after "--" or "--end-of-options".
func Problem(c command.Recorded) string {
	program := programOf(c.Name)
	if len(c.Args) == 1 && c.Args[0] == "--version" {
		return "" // any program that a manifest requires
	}
	forms, known := commands[program]
	if !known {
		return program + " is not in the table of commands"
	}
	args := c.Args
	if program == "git" {
		args = withoutSettings(args)
	}
	form := formOf(forms, args)
	if form == nil {
		return fmt.Sprintf("%s %s is not in the table of commands", program, strings.Join(args[:min(2, len(args))], " "))
	}
	name := strings.TrimSpace(program + " " + form.verb)
	for _, a := range args[len(strings.Fields(form.verb)):] {
		switch {
		case a == "--" || a == "--end-of-options" && form.endOfOptions:
			return ""
		case slices.ContainsFunc(form.options, func(o string) bool { return a == o || strings.HasSuffix(o, "=") && strings.HasPrefix(a, o) }):
			if form.rest != "" && a == form.rest {
				return "" // the rest is for another program
			}
		case form.words != nil && form.words.MatchString(a):
			if form.one {
				return ""
			}
		case strings.HasPrefix(a, "-"):
			return fmt.Sprintf("%s has the option %s, which is not in the table", name, a)
		default:
			return fmt.Sprintf("%s has the value %q where options are expected", name, a)
		}
	}
	return ""
}

// programOf returns a program's name in the table, without its folder and version.
func programOf(name string) string {
	base := filepath.Base(name)
	if strings.HasPrefix(base, "python") {
		return "python"
	}
	return base
}

// withoutSettings returns the arguments of git without the settings before the verb.
func withoutSettings(args []string) []string {
	for len(args) > 0 {
		switch {
		case (args[0] == "-c" || args[0] == "-C") && len(args) > 1:
			args = args[2:] // any word here is the value
		case args[0] == "--literal-pathspecs", strings.HasPrefix(args[0], "--git-dir="), strings.HasPrefix(args[0], "--work-tree="):
			args = args[1:]
		default:
			return args
		}
	}
	return args
}

// formOf returns the form with the longest verb that the arguments begin with.
func formOf(forms []form, args []string) (best *form) {
	for i, f := range forms {
		verb := strings.Fields(f.verb)
		if len(args) >= len(verb) && slices.Equal(args[:len(verb)], verb) && (best == nil || len(f.verb) > len(best.verb)) {
			best = &forms[i]
		}
	}
	return best
}
