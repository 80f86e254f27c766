package usage

import (
	"context"
	"errors"
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

// answers looks up the targets, their arguments and their flags.
type answers interface {
	explain(ctx context.Context, name string) *target
	list(ctx context.Context) ([]listed, error)
	alias(ctx context.Context, word string, all []listed) *target
}

// line is a command line that is being parsed.
type line struct {
	of   answers
	args []string // without the program's name
	at   int      // the next word
	all  []listed // nil until listed is called
}

// AsksMage reports whether a variable of the environment asks Mage for its list or its help.
func AsksMage(lookup func(name string) (string, bool)) bool {
	return isSet(lookup, "MAGEFILE_LIST") || isSet(lookup, "MAGEFILE_HELP")
}

// isSet parses a boolean variable as Mage does.
func isSet(lookup func(name string) (string, bool), name string) bool {
	value, _ := lookup(name)
	yes, err := strconv.ParseBool(value)
	return err == nil && yes
}

// patience limits the total time of running the program. If it is exceeded, Mage gets the command line unchecked.
const patience = 30 * time.Second

// BeforeMage checks this process's command line, without the program's name, before Mage parses it. It returns the text and the error of
// Program.Read; the process exits if either is set. It runs no program if the line is known to be valid, if the environment asks Mage for its list or
// its help, or if running reports that this process is not a compiled magefile.
func BeforeMage(args []string, lookup func(name string) (string, bool), width int, running func() (Program, bool)) (text string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	verbose := isVerboseAlone(args, lookup)
	if isRight(ctx, args) && !verbose || AsksMage(lookup) {
		return "", nil
	}
	p, ok := running()
	if !ok {
		return "", nil
	}
	if verbose {
		return "", p.refuseVerbose(ctx)
	}
	return p.Read(ctx, args, width)
}

// isVerboseAlone reports whether a command line consists only of -v. Mage removes its -v and sets a variable instead.
func isVerboseAlone(args []string, lookup func(name string) (string, bool)) bool {
	return len(args) == 0 && isSet(lookup, "MAGEFILE_VERBOSE") || len(args) == 1 && (args[0] == "-v" || args[0] == "--v")
}

// refuseVerbose returns the error for -v without a target. The user may want the version, but the default target may run for minutes. It returns nil
// if the magefile has no default target, or cannot be queried.
func (p Program) refuseVerbose(ctx context.Context) error {
	all, err := p.list(ctx)
	i := slices.IndexFunc(all, func(t listed) bool { return t.standard })
	if err != nil || i < 0 {
		//lint:ignore nilerr Mage reads a line that cannot be checked
		return nil
	}
	next := commandLine([]string{"-v", all[i].name}) + " runs the default target; `mage -version` shows the version of Mage, `mage help` lists all targets"
	return operr.NewUsage(next, "-v (or MAGEFILE_VERBOSE) shows more of a target's output, but no target is named")
}

// Read checks a command line, without the program's name. If it asks for the help of one target, Read returns that help as text, wrapped at width
// columns, because a Mage target cannot have an optional argument. All other lines are passed to Check.
func (p Program) Read(ctx context.Context, args []string, width int) (text string, err error) {
	if asksForHelp(args) {
		return p.HelpOf(ctx, args[1], width)
	}
	err = p.Check(ctx, args)
	if asked := (*helpError)(nil); errors.As(err, &asked) {
		return p.HelpOf(ctx, asked.target, width)
	}
	return "", err
}

// helpError is the error for a help flag after a target's name. No target runs.
type helpError struct{ target string }

func (e *helpError) Error() string { return "the help of " + e.target + " is wanted" }

// isHelp reports whether a word is a flag that asks for help.
func isHelp(word string) bool {
	return slices.Contains([]string{"-h", "--h", "-help", "--help"}, strings.ToLower(word))
}

// asksForHelp reports whether a command line asks for the help of one target, with our help target or with Mage's flag, whose output is less
// complete.
func asksForHelp(args []string) bool {
	return len(args) == 2 && (strings.EqualFold(args[0], "help") || isHelp(args[0])) && !strings.HasPrefix(args[1], "-")
}

// Check parses a command line, without the program's name, as Mage would. If it is invalid, the error has the reason, the correct form and the exit
// status operr.Usage. Check returns nil if the line is valid, or if the targets could not be determined.
func (p Program) Check(ctx context.Context, args []string) error {
	return check(ctx, p, args)
}

// check does the work of Check, and looks the targets up in `of`.
func check(ctx context.Context, of answers, args []string) error {
	l := &line{of: of, args: args}
	if goesOn, err := l.skipMageFlags(); err != nil || !goesOn {
		return err
	}
	for l.at < len(l.args) {
		if err := l.target(ctx); err != nil {
			return err
		}
	}
	return nil
}

// skipMageFlags skips Mage's own flags, which precede the first target. `goesOn` is false if no target runs.
func (l *line) skipMageFlags() (goesOn bool, err error) {
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
			flag := "-" + strings.TrimLeft(l.args[l.at], "-") // with one dash, as flags of targets have it
			fixed := append(slices.Delete(slices.Clone(l.args), l.at, l.at+1), flag)
			next := "write a target first: `mage help` lists the targets"
			if len(l.args) > l.at+1 {
				next = commandLine(fixed)
			}
			return false, operr.NewUsage(next, "%s is before the target, but flags come after the target", l.args[l.at])
		}
	}
	return l.at < len(l.args), nil
}

// target reads one target with its arguments and flags.
func (l *line) target(ctx context.Context) error {
	first, word := l.at, l.args[l.at]
	l.at++
	t := l.of.explain(ctx, word)
	if t == nil {
		if !l.listed(ctx) {
			l.at = len(l.args)
			return nil // the targets are not known: Mage reads the rest
		}
		if t = l.of.alias(ctx, word, l.all); t == nil {
			return l.unknown(first)
		}
	}
	for i, name := range t.required {
		if l.at < len(l.args) && isHelp(l.args[l.at]) {
			return &helpError{target: t.name}
		}
		if l.at >= len(l.args) || strings.HasPrefix(l.args[l.at], "-") {
			form := slices.Concat(l.args[:first], []string{word}, l.args[first+1:first+1+i], t.required[i:], l.args[l.at:])
			return operr.NewUsage(commandLine(form)+"; `mage help "+t.name+"` explains the arguments", "%s needs %s", t.name, name)
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

// unknown returns the error for a word that is not a target, at a place for a target.
func (l *line) unknown(at int) error {
	word := l.args[at]
	if group := inGroup(l.all, word); len(group) > 0 {
		return operr.NewUsage("use one of "+strings.Join(group, ", "), "%q is a group of targets, not a target", word)
	}
	next := "`mage help` lists all targets"
	if near := l.nearestTarget(word); near != "" {
		next = "did you mean " + commandLine(replaceArg(l.args, at, near)) + "? " + next
	}
	return operr.NewUsage(next, "there is no target %q", word)
}

// inGroup returns the targets of a namespace, each as a command: `mage version:bump`.
func inGroup(all []listed, namespace string) (group []string) {
	for _, t := range all {
		if of, _, ok := strings.Cut(t.name, ":"); ok && strings.EqualFold(of, strings.TrimSuffix(namespace, ":")) {
			group = append(group, "`mage "+t.name+"`")
		}
	}
	return group
}

// `nearestTarget` returns the target that the user most likely meant, or "". A word without the namespace, or with another character instead of the
// colon, matches a target if only one namespace has it.
func (l *line) nearestTarget(word string) string {
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
	if f == nil && isHelp(word) {
		return &helpError{target: t.name}
	}
	if f == nil {
		return l.noFlag(t, name)
	}
	if strings.HasPrefix(word, "--") {
		return operr.NewUsage(commandLine(replaceArg(l.args, l.at, word[1:])), "a flag has one dash, but %s has more", word)
	}
	if f.isBool() && !valued {
		return nil
	}
	if !valued || value == "" && wants(ctx, t, f) {
		return l.noValue(ctx, f)
	}
	if wrong, such := f.refuses(value); wrong != "" {
		return operr.NewUsage("pass "+such, "-%s=%s: %s", f.name, value, wrong)
	}
	return nil
}

// `wants` reports whether a flag's value must not be empty. For example, an empty -to is refused, because a script with an unset variable would
// otherwise release a patch, or continue an unfinished release. Flags of the user's own targets may be empty.
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

// noFlag returns the error for a flag that a target does not take.
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
		next = "did you mean " + commandLine(replaceArg(l.args, l.at, "-"+near+value)) + "?"
	case name == "v" || name == "t":
		return operr.NewUsage(commandLine(slices.Insert(slices.Delete(slices.Clone(l.args), l.at, l.at+1), 0, l.args[l.at])), "-%s is a flag of Mage: write it before the target", name)
	case len(names) == 0:
		next = "use `mage " + t.name + "`: this target has no flags"
	default:
		next = "use one of -" + strings.Join(names, ", -") + "; `mage help " + t.name + "` explains these flags"
	}
	return operr.NewUsage(next, "%s has no flag -%s", t.name, name)
}

// noValue returns the error for a flag without "=" and a value. It assumes that the next word is the value, unless that is a flag or a target.
func (l *line) noValue(ctx context.Context, f *flag) error {
	word := strings.TrimSuffix(l.args[l.at], "=")
	form := replaceArg(l.args, l.at, word+"="+f.value())
	if after := l.at + 1; after < len(l.args) && !strings.HasPrefix(l.args[after], "-") && l.of.explain(ctx, l.args[after]) == nil {
		form = slices.Delete(replaceArg(l.args, l.at, word+"="+l.args[after]), after, after+1)
	}
	next := commandLine(form)
	if f.comment != "" {
		next += "; it is " + f.comment
	}
	return operr.NewUsage(next, "-%s has no value: write the value after =, without a space", f.name)
}

// value returns an example value for a flag.
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

// refuses returns why a value is invalid for a flag, and what is valid. It returns "" for a valid value.
func (f *flag) refuses(value string) (why, such string) {
	var err error
	switch f.kind {
	case "bool":
		_, err = strconv.ParseBool(value)
		why, such = "it is neither true nor false", fmt.Sprintf("-%s for yes, or -%[1]s=false for no", f.name)
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

// extra returns the error for a word after everything that a target takes, unless that word is the next target.
func (l *line) extra(ctx context.Context, t *target, first int) error {
	if l.at >= len(l.args) {
		return nil
	}
	word := l.args[l.at]
	if next := l.of.explain(ctx, word); next != nil || !l.listed(ctx) || l.of.alias(ctx, word, l.all) != nil {
		return nil
	}
	alone := commandLine(slices.Delete(slices.Clone(l.args), l.at, l.at+1))
	name, _, valued := strings.Cut(word, "=")
	if valued && t.flag(name) != nil {
		return operr.NewUsage(commandLine(replaceArg(l.args, l.at, "-"+word)), "%s is a flag of %s, but has no dash", word, t.name)
	}
	if f := t.flag(word); f != nil {
		form := "-" + f.name
		if !f.isBool() {
			form += "=" + f.value()
		}
		return operr.NewUsage(commandLine(replaceArg(l.args, l.at, form)), "%s is a flag of %s, but has no dash", word, t.name)
	}
	before := t.flag(strings.TrimPrefix(l.args[l.at-1], "-"))
	if _, err := strconv.ParseBool(word); err == nil && l.at-1 > first+len(t.required) && before != nil {
		return operr.NewUsage(fmt.Sprintf("-%s alone is yes, -%[1]s=false is no: %s", before.name, alone), "-%s takes no value after a space: %q is one word too many", before.name, word)
	}
	next := alone + " takes no more arguments"
	if f := t.takes(word); f != nil {
		next = "did you mean " + commandLine(replaceArg(l.args, l.at, "-"+f.name+"="+word)) + "? Otherwise " + alone
	} else if near := l.nearestTarget(word); near != "" {
		next = "did you mean " + commandLine(replaceArg(l.args, l.at, near)) + "? Otherwise " + alone
	}
	return operr.NewUsage(next, "%q is one word too many: it is not a target, and not an argument of %s", word, t.name)
}

var version = lazyregexp.New(`^v?\d+(\.\d+)+`)

// `takes` returns the flag for which a word is probably meant, or nil. The flag's comment has the word, or it has "version" and the word is a
// version.
func (t *target) takes(word string) *flag {
	named := regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(word) + `([^\w-]|$)`)
	for i, f := range t.flags {
		if f.kind == "string" && (named.MatchString(f.comment) || version().MatchString(word) && strings.Contains(f.comment, "version")) {
			return &t.flags[i]
		}
	}
	return nil
}

func replaceArg(args []string, at int, word string) []string {
	args = slices.Clone(args)
	args[at] = word
	return args
}

var needsNoQuotes = lazyregexp.New(`^[\w@%+=:,./-]+$`)

// `commandLine` returns a command line as the user would type it, in backquotes.
func commandLine(args []string) string {
	words := []string{"mage"}
	for _, a := range args {
		if !needsNoQuotes().MatchString(a) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return "`" + strings.Join(words, " ") + "`"
}
