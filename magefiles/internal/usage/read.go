package usage

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// answers says what targets there are, and what they take.
type answers interface {
	explain(ctx context.Context, name string) *target
	list(ctx context.Context) ([]listed, error)
	alias(ctx context.Context, word string, all []listed) *target
}

// line is a command line that is being read.
type line struct {
	of   answers
	args []string // without the program's name
	at   int      // the next word
	all  []listed // nil until somebody asks
}

// AsksForList reports whether the environment asks Mage for its list, as a person's `mage -l` does.
func AsksForList(lookup func(name string) (string, bool)) bool { return isSet(lookup, "MAGEFILE_LIST") }

// AsksMage reports whether the environment asks Mage for its list or its help, as its variables do.
func AsksMage(lookup func(name string) (string, bool)) bool {
	return AsksForList(lookup) || isSet(lookup, "MAGEFILE_HELP")
}

// isSet reads a variable as Mage reads its own.
func isSet(lookup func(name string) (string, bool), name string) bool {
	value, _ := lookup(name)
	yes, err := strconv.ParseBool(value)
	return err == nil && yes
}

// patience is how long the program may take to say what it knows. Mage reads the command line where it takes longer.
const patience = 30 * time.Second

// BeforeMage reads the command line of this process, without the program's name, before Mage does. The error and the text are those of Program.Read;
// the process ends with either. Nothing is asked where all of it is known to be right, where the environment asks Mage for its list or its help,
// and where this process is no compiled magefile, of which running is told.
func BeforeMage(args []string, lookup func(name string) (string, bool), width int, running func() (Program, bool)) (text string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if isRight(ctx, args) || AsksMage(lookup) {
		return "", nil
	}
	p, ok := running()
	if !ok {
		return "", nil
	}
	return p.Read(ctx, args, width)
}

// Read reads a command line, without the program's name, before Mage does. One that asks for the help of one target is answered here, since a
// target of Mage has as many arguments as it has: text is the answer, no wider than width columns. All others are those of Check.
func (p Program) Read(ctx context.Context, args []string, width int) (text string, err error) {
	if asksForHelp(args) {
		return p.HelpOf(ctx, args[1], width)
	}
	return "", p.Check(ctx, args)
}

// asksForHelp reports whether a command line asks for the help of one target.
func asksForHelp(args []string) bool {
	return len(args) == 2 && strings.EqualFold(args[0], "help") && !strings.HasPrefix(args[1], "-")
}

// Check reads a command line, without the program's name, as Mage would. The error, whose exit status is operr.Usage, says what is wrong with it, and what
// the right form is. Nil is for one that Mage may read, and for one of which nothing could be learned.
func (p Program) Check(ctx context.Context, args []string) error {
	return check(ctx, p, args)
}

// check is Check by what is known of the targets.
func check(ctx context.Context, of answers, args []string) error {
	l := &line{of: of, args: args}
	if goesOn, err := l.own(); err != nil || !goesOn {
		return err
	}
	for l.at < len(l.args) {
		if err := l.target(ctx); err != nil {
			return err
		}
	}
	return nil
}

// own passes over the flags of Mage itself, which stand before the first target. goesOn is false where no target is run.
func (l *line) own() (goesOn bool, err error) {
	for ; l.at < len(l.args) && strings.HasPrefix(l.args[l.at], "-"); l.at++ {
		name, _, valued := strings.Cut(strings.TrimLeft(l.args[l.at], "-"), "=")
		switch name {
		case "":
			l.at++
			return true, nil
		case "l", "h", "help":
			return false, nil
		case "v":
		case "t":
			if !valued {
				l.at++
			}
		default:
			fixed := append(slices.Delete(slices.Clone(l.args), l.at, l.at+1), l.args[l.at])
			next := "name a target first: `mage help` lists them"
			if len(l.args) > l.at+1 {
				next = said(fixed)
			}
			return false, operr.NewUsage(next, "%s stands before the target, and flags stand behind it", l.args[l.at])
		}
	}
	return l.at < len(l.args), nil
}

// target reads one target with what it takes.
func (l *line) target(ctx context.Context) error {
	first, word := l.at, l.args[l.at]
	l.at++
	t := l.of.explain(ctx, word)
	if t == nil {
		if !l.listed(ctx) {
			l.at = len(l.args)
			return nil // nothing can be told: Mage may
		}
		if t = l.of.alias(ctx, word, l.all); t == nil {
			return l.unknown(first)
		}
	}
	for i, name := range t.required {
		if l.at >= len(l.args) || strings.HasPrefix(l.args[l.at], "-") {
			form := slices.Concat(l.args[:first], []string{word}, l.args[first+1:first+1+i], t.required[i:], l.args[l.at:])
			return operr.NewUsage(said(form)+"; `mage help "+t.name+"` says what it takes", "%s wants %s", t.name, name)
		}
		l.at++
	}
	for l.at < len(l.args) && strings.HasPrefix(l.args[l.at], "-") {
		if err := l.flag(ctx, t); err != nil {
			return err
		}
		l.at++
	}
	return l.extra(ctx, t, first)
}

// unknown is the error for a word that is no target, where one has to stand.
func (l *line) unknown(at int) error {
	word := l.args[at]
	if group := inGroup(l.all, word); len(group) > 0 {
		return operr.NewUsage("say one of "+strings.Join(group, ", "), "%q is a group of targets, and not one of them", word)
	}
	next := "`mage help` lists all of them"
	if near := l.near(word); near != "" {
		next = "did you mean " + said(replaced(l.args, at, near)) + "? " + next
	}
	return operr.NewUsage(next, "there is no target %q", word)
}

// inGroup are the targets of a namespace, each as it is said.
func inGroup(all []listed, namespace string) (group []string) {
	for _, t := range all {
		if of, _, ok := strings.Cut(t.name, ":"); ok && strings.EqualFold(of, strings.TrimSuffix(namespace, ":")) {
			group = append(group, "`mage "+t.name+"`")
		}
	}
	return group
}

// near is the target that a word is most likely meant to be; "" where none is close. Who forgets the namespace, or writes another sign than
// a colon, means what only one namespace has.
func (l *line) near(word string) string {
	word = strings.ToLower(word)
	names, behind := []string{}, []string{}
	for _, t := range l.all {
		names = append(names, t.name)
		_, name, _ := strings.Cut(t.name, ":")
		if name == word || strings.NewReplacer(":", "").Replace(t.name) == strings.NewReplacer("-", "", "_", "", ".", "", "/", "").Replace(word) {
			behind = append(behind, t.name)
		}
	}
	if len(behind) == 1 {
		return behind[0]
	}
	return manifest.Nearest(word, names)
}

// listed reports whether the targets are known.
func (l *line) listed(ctx context.Context) bool {
	if l.all == nil {
		l.all, _ = l.of.list(ctx)
	}
	return l.all != nil
}

// flag reads one flag of a target.
func (l *line) flag(ctx context.Context, t *target) error {
	word := l.args[l.at]
	name, value, valued := strings.Cut(strings.TrimLeft(word, "-"), "=")
	f := t.flag(name)
	if f == nil {
		return l.noFlag(t, name)
	}
	if strings.HasPrefix(word, "--") {
		return operr.NewUsage(said(replaced(l.args, l.at, word[1:])), "a flag has one dash, and %s has more", word)
	}
	if f.isBool() && !valued {
		return nil
	}
	if !valued || value == "" && wants(ctx, t, f) {
		return l.noValue(ctx, f)
	}
	if wrong, such := f.refuses(value); wrong != "" {
		return operr.NewUsage("say "+such, "-%s=%s: %s", f.name, value, wrong)
	}
	return nil
}

// wants reports whether a flag's value may not be empty, as that of -to may not: a script whose variable is not set would else release a patch, or go
// on with what is unfinished. Flags of a person's own targets may be empty.
func wants(ctx context.Context, t *target, f *flag) bool {
	return f.name == "to" && table{}.explain(ctx, t.name) != nil
}

func (t *target) flag(name string) *flag {
	for i, f := range t.flags {
		if strings.EqualFold(f.name, name) {
			return &t.flags[i]
		}
	}
	return nil
}

// noFlag is the error for a flag that a target does not take.
func (l *line) noFlag(t *target, name string) error {
	value := ""
	if at := strings.Index(l.args[l.at], "="); at >= 0 {
		value = l.args[l.at][at:]
	}
	var names []string
	for _, f := range t.flags {
		names = append(names, f.name)
	}
	near := ""
	if !isWord(name) {
		near = manifest.Nearest(name, names)
	}
	var next string
	switch {
	case near != "":
		next = "did you mean " + said(replaced(l.args, l.at, "-"+near+value)) + "?"
	case name == "v" || name == "t":
		return operr.NewUsage(said(slices.Insert(slices.Delete(slices.Clone(l.args), l.at, l.at+1), 0, l.args[l.at])), "-%s is a flag of Mage, and stands before the target", name)
	case name == "h" || name == "help":
		next = "say `mage help " + t.name + "`"
	case len(names) == 0:
		next = "say `mage " + t.name + "`: it has no flags"
	default:
		next = "it has -" + strings.Join(names, ", -") + "; `mage help " + t.name + "` explains them"
	}
	return operr.NewUsage(next, "%s has no flag -%s", t.name, name)
}

// noValue is the error for a flag without "=" and what is behind it. The next word is what is meant, unless it is a flag or a target.
func (l *line) noValue(ctx context.Context, f *flag) error {
	word := strings.TrimSuffix(l.args[l.at], "=")
	form := replaced(l.args, l.at, word+"="+f.value())
	if after := l.at + 1; after < len(l.args) && !strings.HasPrefix(l.args[after], "-") && l.of.explain(ctx, l.args[after]) == nil {
		form = slices.Delete(replaced(l.args, l.at, word+"="+l.args[after]), after, after+1)
	}
	next := said(form)
	if f.comment != "" {
		next += "; it is " + f.comment
	}
	return operr.NewUsage(next, "-%s has no value: it stands behind a =, without a space", f.name)
}

// value stands for what is written behind a flag's "=".
func (f *flag) value() string {
	switch f.kind {
	case "bool":
		return "true"
	case "int":
		return "3"
	case "float64":
		return "0.5"
	case "time.Duration":
		return "5m"
	}
	return strings.ToUpper(f.name)
}

// refuses says why a flag does not take a value, and what it would take; "" where it does.
func (f *flag) refuses(value string) (why, such string) {
	var err error
	switch f.kind {
	case "bool":
		_, err = strconv.ParseBool(value)
		why, such = "it is neither yes nor no", fmt.Sprintf("-%s for yes, or -%[1]s=false for no", f.name)
	case "int":
		_, err = strconv.Atoi(value)
		why, such = "it is not a whole number", fmt.Sprintf("a number, such as -%s=3", f.name)
	case "float64":
		_, err = strconv.ParseFloat(value, 64)
		why, such = "it is not a number", fmt.Sprintf("a number, such as -%s=0.5", f.name)
	case "time.Duration":
		_, err = time.ParseDuration(value)
		why, such = "it is not a time", fmt.Sprintf("a time with its unit, such as -%s=90s, -%[1]s=5m or -%[1]s=1h30m", f.name)
	}
	if err == nil {
		return "", ""
	}
	return why, such
}

// extra is the error for the word behind all that a target takes, where that is not the next target.
func (l *line) extra(ctx context.Context, t *target, first int) error {
	if l.at >= len(l.args) {
		return nil
	}
	word := l.args[l.at]
	if next := l.of.explain(ctx, word); next != nil || !l.listed(ctx) || l.of.alias(ctx, word, l.all) != nil {
		return nil
	}
	alone := said(slices.Delete(slices.Clone(l.args), l.at, l.at+1))
	name, _, valued := strings.Cut(word, "=")
	if valued && t.flag(name) != nil {
		return operr.NewUsage(said(replaced(l.args, l.at, "-"+word)), "%s is a flag of %s, and wants a dash", word, t.name)
	}
	if f := t.flag(word); f != nil {
		form := "-" + f.name
		if !f.isBool() {
			form += "=" + f.value()
		}
		return operr.NewUsage(said(replaced(l.args, l.at, form)), "%s is a flag of %s, and wants a dash", word, t.name)
	}
	before := t.flag(strings.TrimPrefix(l.args[l.at-1], "-"))
	if _, err := strconv.ParseBool(word); err == nil && l.at-1 > first+len(t.required) && before != nil {
		return operr.NewUsage(fmt.Sprintf("-%s alone is yes, -%[1]s=false is no: %s", before.name, alone), "-%s takes no value behind a space: %q is one word too many", before.name, word)
	}
	next := alone + " takes no more"
	if f := t.takes(word); f != nil {
		next = "did you mean " + said(replaced(l.args, l.at, "-"+f.name+"="+word)) + "? Else " + alone
	} else if near := l.near(word); near != "" {
		next = "did you mean " + said(replaced(l.args, l.at, near)) + "? Else " + alone
	}
	return operr.NewUsage(next, "%q is one word too many: it is no target, and %s does not take it", word, t.name)
}

var version = lazyregexp.New(`^v?\d+(\.\d+)+`)

// takes is the flag that a word is likely meant for: one whose comment names it, or that takes a version; nil where there is none.
func (t *target) takes(word string) *flag {
	named := regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(word) + `([^\w-]|$)`)
	for i, f := range t.flags {
		if f.kind == "string" && (named.MatchString(f.comment) || version().MatchString(word) && strings.Contains(f.comment, "version")) {
			return &t.flags[i]
		}
	}
	return nil
}

func replaced(args []string, at int, word string) []string {
	args = slices.Clone(args)
	args[at] = word
	return args
}

var needsNoQuotes = lazyregexp.New(`^[\w@%+=:,./-]+$`)

// said is a command line as a person types it.
func said(args []string) string {
	words := []string{"mage"}
	for _, a := range args {
		if !needsNoQuotes().MatchString(a) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return "`" + strings.Join(words, " ") + "`"
}
