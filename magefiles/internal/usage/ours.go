package usage

import (
	"context"
	_ "embed"
	"slices"
	"strings"
)

// ours has a line for each target of package targets: its name, its arguments, and its flags with their types.
//
//go:embed targets.txt
var ours string

// table answers by ours, without asking a program.
type table struct{}

// explain is a target of ours; nil where there is none of that name.
func (table) explain(_ context.Context, name string) *target {
	for line := range strings.Lines(ours) {
		if first, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " "); strings.EqualFold(first, name) {
			return parseLine(line)
		}
	}
	return nil
}

// Arguments says of each target of ours how many arguments it takes.
func Arguments() map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(ours) {
		t := parseLine(line)
		all[t.name] = len(t.required)
	}
	return all
}

// isWord reports whether a flag's name is a word in itself, which stands for no other flag: one that asks for help, one of Mage's own, or one that a
// target of ours takes.
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

// alias is nil: only a magefile has aliases.
func (table) alias(context.Context, string, []listed) *target { return nil }

// isRight reports whether a command line is of targets of ours alone, with what they take. One that is not may be right as well.
func isRight(ctx context.Context, args []string) bool {
	return !asksForHelp(args) && check(ctx, table{}, args) == nil
}
