package pixi

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// Run implements toolchain.Toolchain by `pixi run`. Pixi is first asked for its tasks: what is none it would look for
// on PATH, and `pixi run fmt` where there is no task fmt runs the fmt of the system and succeeds.
func (p *Pixi) Run(ctx context.Context, t toolchain.Task) error {
	if err := p.checkKnown(ctx, t); err != nil {
		return err
	}
	dir, err := overlay(t)
	if err != nil {
		return err
	}
	args := []string{"run"}
	if t.Environment != "" {
		args = append(args, "--environment="+t.Environment)
	}
	args = append(args, t.Name)
	for _, a := range t.Args {
		args = append(args, escape(a))
	}
	plain, withheld := command.Withhold(p.env, p.pass...)
	forBuilds := func(name string) bool { return command.Fetches(name) || slices.Contains(p.secrets, name) }
	if slices.ContainsFunc(withheld, forBuilds) { // the environment is made with it, and the task is run without
		install := []string{"install"}
		if t.Environment != "" {
			install = append(install, "--environment="+t.Environment)
		}
		if err := p.call(ctx, dir, t.Stderr, t.Stderr, install...); err != nil {
			return err
		}
	}
	err = p.callWith(ctx, command.Cmd{Dir: dir, Args: args, Env: plain, Stdout: t.Stdout, Stderr: t.Stderr})
	toolchain.TellWithheld(t.Stderr, err, withheld, p.pass)
	return err
}

// escape makes up for pixi, which puts an argument between single quotes as it is, for its shell to read.
func escape(arg string) string { return strings.ReplaceAll(arg, "'", `'"'"'`) }

// listed is one environment in the answer to `pixi task list --json`.
type listed struct {
	Environment string `json:"environment"`
	Features    []struct {
		Tasks []struct {
			Name string `json:"name"`
		} `json:"tasks"`
	} `json:"features"`
}

// checkKnown refuses an environment or a task that the manifest does not have, naming those that it has.
func (p *Pixi) checkKnown(ctx context.Context, t toolchain.Task) error {
	var out strings.Builder
	if err := p.callWith(ctx, command.Cmd{Dir: t.Dir, Args: []string{"task", "list", "--json"}, Env: p.installEnviron(), Stdout: &out, Answers: true}); err != nil {
		return about(err, "asking pixi for the tasks of %s", t.Dir)
	}
	var list []listed
	if err := json.Unmarshal([]byte(out.String()), &list); err != nil {
		return about(err, "reading the answer of `pixi task list --json` in %s", t.Dir)
	}
	var environments, tasks []string
	for _, e := range list {
		environments = append(environments, e.Environment)
		if t.Environment != "" && t.Environment != e.Environment {
			continue
		}
		for _, f := range e.Features {
			for _, task := range f.Tasks {
				tasks = append(tasks, task.Name)
			}
		}
	}
	switch {
	case t.Environment != "" && !slices.Contains(environments, t.Environment):
		return operr.NewUsage("", "no environment named %q; there are %s", t.Environment, listNames(environments))
	case slices.Contains(tasks, t.Name) && strings.HasPrefix(t.Name, "-"):
		return operr.NewUsage("give the task another name", "the task %q cannot be run: pixi would take its name for an option", t.Name)
	case slices.Contains(tasks, t.Name):
		return nil
	case t.Environment != "":
		return operr.NewUsage("", "no task named %q in environment %s; there are %s", t.Name, t.Environment, listNames(tasks))
	}
	return operr.NewUsage("", "no task named %q; there are %s", t.Name, listNames(tasks))
}

// listNames writes names for people, in order, without those that begin with an underscore.
func listNames(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasPrefix(n, "_") })
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Lock brings the pixi.lock in dir up to date; with check it changes nothing, and reports whether it is (`pixi lock
// --check` alone would write it before it fails).
func (p *Pixi) Lock(ctx context.Context, dir string, check bool, log io.Writer) error {
	args := []string{"lock"}
	if check {
		args = append(args, "--check", "--dry-run")
	}
	if err := p.call(ctx, dir, log, log, args...); err != nil {
		return about(err, "locking %s", dir)
	}
	return nil
}
