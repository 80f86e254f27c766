package usage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// Program is a compiled magefile.
type Program struct {
	Runner  command.Runner
	Environ []string // environment of this process, as KEY=VALUE
	Path    string   // the file that is run
}

// listed is a target as `mage -l` lists it.
type listed struct {
	name     string // name of the target, for example version:bump
	synopsis string // first sentence of the comment, without the name
	standard bool   // whether the target runs if no target is named
}

// target is the parsed output of `mage -h TARGET`.
type target struct {
	name     string   // in lower case
	about    string   // comment of the target, on one line
	required []string // arguments, in their order, in upper case
	flags    []flag
	aliases  []string
}

// flag is a flag that a target takes after its arguments.
type flag struct {
	name    string // without the dash
	kind    string // type as Go writes it: string, bool, int, float64, time.Duration
	comment string // "" if there is none
}

func (f flag) isBool() bool { return f.kind == "bool" }

// Running returns this process as a compiled magefile, or false if it is another program. It looks for the name of the main file that Mage generates,
// which Go records in the binary and no other program uses.
func Running(runner command.Runner, environ []string) (Program, bool) {
	if info, ok := debug.ReadBuildInfo(); !ok || info.Path != "command-line-arguments" {
		return Program{}, false
	}
	path, err := os.Executable()
	if err != nil {
		return Program{}, false
	}
	f, err := os.Open(path)
	if err != nil {
		return Program{}, false
	}
	defer f.Close()
	return Program{Runner: runner, Environ: environ, Path: path}, holds(f, []byte("/"+strings.Join([]string{"mage", "output_file.go"}, "_")))
}

// `holds` reports whether r contains a text, which must be shorter than a mebibyte.
func holds(r io.Reader, text []byte) bool {
	block, kept := make([]byte, 1<<20), 0
	for {
		n, err := r.Read(block[kept:])
		if bytes.Contains(block[:kept+n], text) {
			return true
		}
		if err != nil {
			return false
		}
		end := kept + n
		kept = min(end, len(text)-1)
		copy(block, block[end-kept:end])
	}
}

// ask runs the program and returns its output. The environment has no variable that would change what Mage does, or make this package check the
// command line again.
func (p Program) ask(ctx context.Context, args ...string) (string, error) {
	env, _ := command.Withhold(slices.DeleteFunc(slices.Clone(p.Environ), func(kv string) bool { return strings.HasPrefix(kv, "MAGEFILE_") }))
	if args[0] == "-h" {
		env = append(env, "MAGEFILE_HELP=1") // with this variable, Mage handles the line, not this package
	}
	return command.Output(ctx, p.Runner, command.Cmd{
		Name: p.Path,
		Args: args,
		Env:  env,
	})
}

var listLine = lazyregexp.New(`(?m)^  ([\w:]+)(\*?)\s+(.*)$`)

// list returns all targets, in the order of their names.
func (p Program) list(ctx context.Context) ([]listed, error) {
	said, err := p.ask(ctx, "-l")
	if err != nil {
		return nil, err
	}
	var all []listed
	for _, m := range listLine().FindAllStringSubmatch(said, -1) {
		all = append(all, listed{
			name:     m[1],
			synopsis: m[3],
			standard: m[2] != "",
		})
	}
	if all == nil {
		return nil, errors.New("the magefile lists no target")
	}
	return all, nil
}

var (
	usageLine  = lazyregexp.New(`(?m)^Usage:\n\n\t\S+ ([^ \n]+)(.*)$`)
	argument   = lazyregexp.New(`^<(\w+)>$`)
	flagForm   = lazyregexp.New(`-(\w+)=<([\w.]+)>(?: +(.*))?`)
	targetName = lazyregexp.New(`^[A-Za-z_][\w:]*$`)
	aliasLine  = lazyregexp.New(`(?m)^Aliases: (.*)$`)
)

// explain returns a target's arguments and flags. It returns nil if there is no such target, or if Mage's text cannot be parsed.
func (p Program) explain(ctx context.Context, name string) *target {
	if !targetName().MatchString(name) {
		return nil
	}
	said, err := p.ask(ctx, "-h", name)
	if err != nil {
		return nil
	}
	return readTarget(said)
}

func readTarget(said string) *target {
	m := usageLine().FindStringSubmatchIndex(said)
	if m == nil {
		return nil
	}
	about, rest := said[:m[0]], said[m[1]:]
	t := &target{name: said[m[2]:m[3]], about: strings.Join(strings.Fields(about), " ")}
	form := said[m[4]:m[5]]
	for word := range strings.FieldsSeq(form) {
		if a := argument().FindStringSubmatch(word); a != nil {
			t.required = append(t.required, strings.ToUpper(a[1]))
		}
	}
	if _, flags, ok := strings.Cut(rest, "\nFlags:\n"); ok {
		form, _, _ = strings.Cut(flags, "\nAliases:")
	} else { // if no flag has a comment, the usage line has all flags in brackets
		form = strings.NewReplacer("[", "\n", "]", "\n").Replace(form)
	}
	for line := range strings.Lines(form) {
		if f := flagForm().FindStringSubmatch(strings.TrimSpace(line)); f != nil && strings.HasPrefix(strings.TrimSpace(line), "-") {
			t.flags = append(t.flags, flag{
				name:    f[1],
				kind:    f[2],
				comment: f[3],
			})
		}
	}
	if a := aliasLine().FindStringSubmatch(rest); a != nil {
		t.aliases = strings.Split(a[1], ", ")
	}
	return t
}

// alias returns the target that has a word as an alias, or nil. It gets the help of every target, since Mage does not list aliases.
func (p Program) alias(ctx context.Context, word string, all []listed) *target {
	found := make([]*target, len(all))
	var asked sync.WaitGroup
	few := make(chan struct{}, 4)
	for i, l := range all {
		asked.Go(func() {
			few <- struct{}{}
			defer func() { <-few }()
			found[i] = p.explain(ctx, l.name)
		})
	}
	asked.Wait()
	for _, t := range found {
		if t != nil && slices.ContainsFunc(t.aliases, func(a string) bool { return strings.EqualFold(a, word) }) {
			return t
		}
	}
	return nil
}
