package usage

import (
	"context"
	_ "embed"
	"slices"
	"strings"
)

// `ours` has a line for each target of package targets: its name, its arguments, and its flags with their types.
//
//go:embed targets.txt
var ours string

// table looks targets up in `ours`, without running a program.
type table struct{}

// explain returns our target of that name; nil if there is none.
func (table) explain(_ context.Context, name string) *target {
	for line := range strings.Lines(ours) {
		if first, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " "); strings.EqualFold(first, name) {
			return parseLine(line)
		}
	}
	return nil
}

// Arguments returns how many arguments each of our targets takes.
func Arguments() map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(ours) {
		t := parseLine(line)
		all[t.name] = len(t.required)
	}
	return all
}

// HasSeveral reports whether a command line has several targets. A word that is neither a target of ours nor a flag counts as a target without arguments.
func HasSeveral(args []string) bool {
	arguments, found := map[string]int{"deploy:to": 1}, 0 // of package targets/deploy, which a magefile imports by choice
	for name, n := range Arguments() {
		arguments[strings.ToLower(name)] = n
	}
	for len(args) > 0 {
		word, skip := args[0], 1
		switch {
		case word == "-t": // and how long Mage waits
			skip = 2
		case !strings.HasPrefix(word, "-"):
			found++
			skip += arguments[strings.ToLower(word)]
		}
		args = args[min(skip, len(args)):]
	}
	return found > 1
}

// isWord reports whether a flag's name is known, so that it is not a typo of another flag: a help flag, one of Mage's flags, or a flag of one of our
// targets.
func isWord(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains([]string{"h", "help", "l", "list", "v", "verbose", "t", "version"}, name) || strings.Contains(strings.ToLower(ours), " -"+name+"=")
}

// parseLine reads a line of the table.
func parseLine(line string) *target {
	words := strings.Fields(line)
	t := &target{name: words[0]}
	for _, word := range words[1:] {
		name, kind, isFlag := strings.Cut(word, "=")
		if !isFlag {
			t.required = append(t.required, name)
			continue
		}
		t.flags = append(t.flags, flag{
			name: name[1:], // without the dash
			kind: kind,
		})
	}
	return t
}

func (table) list(context.Context) (all []listed, _ error) {
	for line := range strings.Lines(ours) {
		all = append(all, listed{name: strings.Fields(line)[0]})
	}
	return all, nil
}

// alias returns nil, because only a magefile has aliases.
func (table) alias(context.Context, string, []listed) *target { return nil }

// isRight reports whether a command line has only our targets, with valid arguments and flags. Other lines may be valid, too.
func isRight(ctx context.Context, args []string) bool {
	return !asksForHelp(args) && check(ctx, table{}, args) == nil
}
