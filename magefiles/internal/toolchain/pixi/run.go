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

// Run implements toolchain.Toolchain with `pixi run`. It first checks that the task exists, because pixi falls back to a program on PATH: without
// a task called fmt, `pixi run fmt` runs the system's fmt and succeeds.
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
	if slices.ContainsFunc(withheld, forBuilds) { // create the environment with these variables, then run the task without them
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

// escape escapes an argument for pixi, which puts it in single quotes unchanged and passes it to its shell.
func escape(arg string) string { return strings.ReplaceAll(arg, "'", `'"'"'`) }

// listed is one environment in the output of `pixi task list --json`.
type listed struct {
	Environment string `json:"environment"`
	Features    []struct {
		Tasks []struct {
			Name string `json:"name"`
		} `json:"tasks"`
	} `json:"features"`
}

// checkKnown returns an error if the environment or the task is not in the manifest. The error lists the existing ones.
func (p *Pixi) checkKnown(ctx context.Context, t toolchain.Task) error {
	var out strings.Builder
	if err := p.callWith(ctx, command.Cmd{Dir: t.Dir, Args: []string{"task", "list", "--json"}, Env: p.installEnviron(), Stdout: &out, Answers: true}); err != nil {
		return addContext(err, "asking pixi for the tasks of %s", t.Dir)
	}
	var list []listed
	if err := json.Unmarshal([]byte(out.String()), &list); err != nil {
		return addContext(err, "reading the answer of `pixi task list --json` in %s", t.Dir)
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
		return operr.NewUsage("rename the task", "cannot run the task %q, because pixi would read this name as an option", t.Name)
	case slices.Contains(tasks, t.Name):
		return nil
	case t.Environment != "":
		return operr.NewUsage("", "no task named %q in environment %s; there are %s", t.Name, t.Environment, listNames(tasks))
	}
	return operr.NewUsage("", "no task named %q; there are %s", t.Name, listNames(tasks))
}

// listNames formats names for output, sorted, without those that start with an underscore.
func listNames(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasPrefix(n, "_") })
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Lock updates the pixi.lock in dir. With check, it only reports whether the file is up to date. In this case it also passes --dry-run, because
// `pixi lock --check` alone would write the file before failing.
func (p *Pixi) Lock(ctx context.Context, dir string, check bool, log io.Writer) error {
	args := []string{"lock"}
	if check {
		args = append(args, "--check", "--dry-run")
	}
	if err := p.call(ctx, dir, log, log, args...); err != nil {
		return addContext(err, "locking %s", dir)
	}
	return nil
}
