package usage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// group holds related targets, in the order in which a new user needs them. docs/targets.md has the same order.
type group struct {
	title   string
	targets []string // a name that ends with a colon means all other targets of that namespace
}

var groups = []group{
	{
		title:   "Start",
		targets: []string{"help", "doctor", "rehearse", "graph"},
	},
	{
		title:   "Version",
		targets: []string{"version:show", "version:plan", "version:bump", "version:"},
	},
	{
		title:   "Release",
		targets: []string{"release", "status", "undo", "publish"},
	},
	{
		title:   "Channel",
		targets: []string{"channel:show", "channel:serve", "channel:"},
	},
	{
		title:   "Application",
		targets: []string{"app:upgrade", "app:check", "app:run", "app:dashboard", "app:"},
	},
	{
		title:   "Images",
		targets: []string{"docker:image", "docker:all", "docker:plan", "docker:merge", "docker:"},
	},
	{
		title:   "Deploy",
		targets: []string{"deploy:to", "deploy:rollback", "deploy:setup", "deploy:plan", "deploy:remove", "deploy:status", "deploy:logs", "deploy:", "deliver"},
	},
	{
		title:   "CI",
		targets: []string{"ci:write", "ci:matrix", "ci:triggers", "ci:run", "ci:"},
	},
	{
		title:   "Workshop",
		targets: []string{"check", "fmt", "lint", "test:all", "test:package", "test:", "qa:all", "qa:package", "qa:", "build:all", "build:package", "build:", "lock", "schema", "clean"},
	},
}

// `others` is the heading of targets that are not ours.
const others = "Of this repository"

// statuses explains the exit statuses, which all targets share.
const statuses = "Exit statuses: 0 done, 1 failed, 2 the command line is wrong and nothing was done, 3 stopped for a person, or a person said no, 130 Ctrl-C."

// section holds those targets of a group that a magefile has.
type section struct {
	title   string
	targets []listed
}

// sections puts targets into their groups, and leaves out empty groups.
func sections(all []listed) (sorted []section) {
	left := slices.Clone(all)
	for _, g := range groups {
		s := section{title: g.title}
		for _, name := range g.targets {
			left = slices.DeleteFunc(left, func(t listed) bool {
				if t.name != name && !(strings.HasSuffix(name, ":") && strings.HasPrefix(t.name, name)) {
					return false
				}
				s.targets = append(s.targets, t)
				return true
			})
		}
		if len(s.targets) > 0 {
			sorted = append(sorted, s)
		}
	}
	if len(left) > 0 {
		sorted = append(sorted, section{
			title:   others,
			targets: left,
		})
	}
	return sorted
}

// Help writes all targets in their groups, wrapped at width columns.
func (p Program) Help(ctx context.Context, width int) (string, error) {
	all, err := p.list(ctx)
	if err != nil {
		return "", operr.New("run `mage -l` to list the targets", "reading the targets of the magefile: %w", err)
	}
	var text strings.Builder
	for _, g := range sections(all) {
		text.WriteString(g.title + "\n" + rows(g.targets, width) + "\n")
	}
	text.WriteString(columns.Wrap("`mage help TARGET` explains one. Write flags after the target and its arguments: -name=value, or only -name for yes.", width, 0))
	return text.String() + "\n" + columns.Wrap(statuses, width, 0), nil
}

// rows writes a row for each target: its name, and what it does after the name, or below it if the terminal is narrow.
func rows(targets []listed, width int) string {
	wide := 0
	for _, t := range targets {
		wide = max(wide, len(t.name)+2)
	}
	var text strings.Builder
	for _, t := range targets {
		name := fmt.Sprintf("  %-*s", wide, t.name)
		synopsis := strings.TrimSuffix(t.synopsis, ".")
		if t.standard {
			synopsis += " (if no target is named)"
		}
		text.WriteString(strings.TrimRight(columns.Wrap(name+synopsis, width, min(wide+2, width/2)), " ") + "\n")
	}
	return text.String()
}

// HelpOf writes the help of a target, or of all targets in a namespace. Its error has exit status operr.Usage.
func (p Program) HelpOf(ctx context.Context, name string, width int) (string, error) {
	t := p.explain(ctx, name)
	l := line{of: p, args: []string{"help", name}}
	if t == nil && l.listed(ctx) {
		t = p.alias(ctx, name, l.all)
		if t == nil && len(inGroup(l.all, name)) > 0 {
			of := slices.DeleteFunc(l.all, func(t listed) bool {
				return !strings.HasPrefix(t.name, strings.ToLower(strings.TrimSuffix(name, ":"))+":")
			})
			return strings.TrimRight(rows(of, width), "\n"), nil
		}
	}
	if t == nil {
		return "", l.unknown(1)
	}
	form := "mage " + strings.Join(append([]string{t.name}, t.required...), " ")
	if len(t.flags) > 0 {
		form += " [-flag …]"
	}
	_, about, _ := strings.Cut(t.about, " ") // the first word is the function's name
	about, examples, _ := strings.Cut(about, " For example: ")
	text := form + "\n\n" + t.name + " " + about + "\n"
	if len(t.flags) > 0 {
		text += "\n" + t.flagRows(width)
	}
	if all := example().FindAllStringSubmatch(examples, -1); len(all) > 0 {
		text += "\nFor example:\n"
		for _, e := range all {
			text += "  " + e[1] + "\n"
		}
	}
	return columns.Wrap(text, width, 0) + "\n" + columns.Wrap(statuses, width, 0), nil
}

// example matches a command line that a comment shows. Mage prints other quotes than the comment has.
var example = lazyregexp.New("[`'](mage [^`']*)[`']")

// flagRows writes a row for each flag of a target: its form, with an example of a value, and its meaning.
func (t *target) flagRows(width int) string {
	wide := 0
	forms := make([]string, len(t.flags))
	for i, f := range t.flags {
		forms[i] = "-" + f.name
		if !f.isBool() {
			forms[i] += "=" + f.value()
		}
		wide = max(wide, len(forms[i])+2)
	}
	var text strings.Builder
	for i, f := range t.flags {
		text.WriteString(columns.Wrap(strings.TrimRight(fmt.Sprintf("  %-*s%s", wide, forms[i], f.comment), " "), width, min(wide+2, width/2)) + "\n")
	}
	return text.String()
}
