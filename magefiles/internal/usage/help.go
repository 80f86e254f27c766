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

// group are targets that belong together, in the order in which a newcomer needs them; README has the same.
type group struct {
	title   string
	targets []string // a name that ends with a colon stands for what else is in that namespace
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

// others is the title of what a magefile has of its own.
const others = "Of this repository"

// statuses is what each target ends with.
const statuses = "Exit statuses: 0 done, 1 failed, 2 the command line is wrong and nothing was done, 3 stopped for a person, 130 Ctrl-C."

// section is a group with the targets that a magefile has of it.
type section struct {
	title   string
	targets []listed
}

// sections puts targets into their groups. A group of which there is no target is left out.
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

// Help writes all targets in their groups, no wider than width columns.
func (p Program) Help(ctx context.Context, width int) (string, error) {
	all, err := p.list(ctx)
	if err != nil {
		return "", operr.New("`mage -l` lists the targets", "asking the magefile for its targets: %w", err)
	}
	var text strings.Builder
	for _, g := range sections(all) {
		text.WriteString(g.title + "\n" + rows(g.targets, width) + "\n")
	}
	text.WriteString(columns.Wrap("`mage help TARGET` explains one. Flags stand behind the target and its arguments: -name=value, or -name alone for yes.", width, 0))
	return text.String() + "\n" + columns.Wrap(statuses, width, 0), nil
}

// rows are targets, each with what it does behind it, or below it where the terminal is narrow.
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
			synopsis += " (where no target is named)"
		}
		text.WriteString(strings.TrimRight(columns.Wrap(name+synopsis, width, min(wide+2, width/2)), " ") + "\n")
	}
	return text.String()
}

// HelpOf writes what one target does and takes, or the targets of a namespace. The exit status of its error is operr.Usage.
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
	_, about, _ := strings.Cut(t.about, " ") // the first word is what the function is called
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

// example is a command line that a comment shows. Mage writes other quotes than the comment has.
var example = lazyregexp.New("[`'](mage [^`']*)[`']")

// flagRows are a target's flags, each with what it means and how its value is written.
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
