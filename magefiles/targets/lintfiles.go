package targets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// lintPrograms pins the linters of workflows and scripts that come from PyPI, by hash, beside lintModule. Without it, none of
// them is run.
const lintPrograms = "magefiles/lint.txt"

// lintFiles runs the pinned linters over what is run by others than us: workflows, the repository's shell scripts, and those in
// Dockerfiles.
func lintFiles(ctx context.Context) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		if !exists(w, lintPrograms) {
			return nil
		}
		return a.job(ctx, "workflows and scripts", "the lines above name each place, and what to do", func(g *group) error {
			return a.lintFilesOf(ctx, w, g)
		})
	})
}

func (a *app) lintFilesOf(ctx context.Context, w *workspace.Workspace, g *group) error {
	pins, err := os.ReadFile(filepath.Join(w.Root, lintPrograms))
	if err != nil {
		return err
	}
	cache, err := a.cache()
	if err != nil {
		return err
	}
	bin, err := a.embedded(w, cache, "").Programs(ctx, "zizmor and shellcheck", string(pins))
	if err != nil {
		return err
	}
	files, err := a.trackedFiles(ctx, w)
	if err != nil {
		return err
	}
	l := linter{a: a, root: w.Root, bin: bin, g: g}
	if workflows := slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !isWorkflow(f) }); len(workflows) > 0 {
		l.run(ctx, nil, filepath.Join(bin, "zizmor"), append([]string{"--offline", "--pedantic", "--no-progress", "--quiet", "--"}, workflows...)...)
		l.actionlint(ctx, w, workflows)
	}
	l.scripts(ctx, files)
	return errors.Join(l.errs...)
}

// trackedFiles are the regular files that git knows of the workspace. Where there is no repository, there are none.
func (a *app) trackedFiles(ctx context.Context, w *workspace.Workspace) ([]string, error) {
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	if errors.Is(err, gitrepo.ErrOutside) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := repo.Tracked(ctx, "")
	return slices.DeleteFunc(files, func(f string) bool {
		info, err := os.Lstat(filepath.Join(w.Root, filepath.FromSlash(f)))
		return err != nil || !info.Mode().IsRegular()
	}), err
}

var yamlFile = regexp.MustCompile(`\.ya?ml$`)

// isWorkflow says whether a file is one that GitHub runs: a workflow, an action, or what Dependabot goes by.
func isWorkflow(file string) bool {
	dir, name := path.Split(file)
	stem := yamlFile.ReplaceAllString(name, "")
	return stem != name && (dir == ".github/workflows/" || stem == "action" || dir == ".github/" && stem == "dependabot")
}

// isDockerfile says whether a file is named as Dockerfiles are.
func isDockerfile(file string) bool {
	name := path.Base(file)
	for _, known := range []string{"Dockerfile", "Containerfile"} {
		ours := name == known || name == strings.ToLower(known) || strings.HasPrefix(name, known+".") || strings.HasSuffix(name, "."+known)
		if ours && !strings.HasSuffix(name, "ignore") {
			return true
		}
	}
	return false
}

// linter runs linters, and goes on after a finding.
type linter struct {
	a    *app
	root string
	bin  string // where the pinned programs are
	g    *group
	errs []error
}

func (l *linter) run(ctx context.Context, input []byte, name string, args ...string) {
	plain, _ := command.Withhold(l.a.runner.Environ(), "NETRC") // by which go fetches modules
	err := l.a.runner.Run(ctx, command.Cmd{
		Name:   name,
		Args:   args,
		Dir:    l.root,
		Stdin:  bytes.NewReader(input),
		Stdout: l.g,
		Stderr: l.g,
		Env:    append(command.Unset(plain, "SHELLCHECK_OPTS"), "ZIZMOR_OFFLINE=true"),
	})
	if err != nil {
		l.errs = append(l.errs, err)
	}
}

// actionlint gives the scripts in workflows to the pinned shellcheck.
func (l *linter) actionlint(ctx context.Context, w *workspace.Workspace, files []string) {
	if !exists(w, lintModule) {
		return
	}
	args := []string{"tool", "-modfile=" + lintModule, "actionlint", "-pyflakes=", "-shellcheck=" + l.shellcheck()}
	for _, f := range files {
		if path.Dir(f) == ".github/workflows" {
			args = append(args, f)
		}
	}
	if strings.HasPrefix(args[len(args)-1], "-") {
		return // no workflow is among them
	}
	l.run(ctx, nil, "go", args...)
}

// shellcheck is the pinned program, or "" where PyPI has none for this machine.
func (l *linter) shellcheck() string {
	file := filepath.Join(l.bin, "shellcheck")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// shebang finds the shells that shellcheck knows.
var shebang = regexp.MustCompile(`^#!\s*\S*(/|env (-S )?)(sh|bash|dash|ksh)\b`)

// scripts checks every shell script, and each script of every Dockerfile.
func (l *linter) scripts(ctx context.Context, files []string) {
	program := l.shellcheck()
	if program == "" {
		fmt.Fprintln(l.g, "shellcheck is not run: PyPI has none for this machine")
		return
	}
	var scripts []string
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(l.root, filepath.FromSlash(f)))
		if err != nil {
			l.errs = append(l.errs, err)
			continue
		}
		switch ext := path.Ext(f); {
		case isDockerfile(f):
			l.dockerfile(ctx, program, f, text)
		case ext == ".sh" || ext == ".bash" || shebang.Match(text[:min(len(text), 100)]):
			scripts = append(scripts, f)
		}
	}
	if len(scripts) > 0 {
		l.run(ctx, nil, program, append([]string{"--norc", "--external-sources", "--"}, scripts...)...)
	}
}

// dockerfile checks the scripts of a Dockerfile in the lines where they stand. An ARG of a stage may have any name: what is not
// assigned is not told.
func (l *linter) dockerfile(ctx context.Context, program, file string, text []byte) {
	shell := "sh"
	for _, i := range dockerfile.Parse(text).Instructions {
		if i.Keyword == "FROM" {
			shell = "sh"
		}
		if i.Keyword == "SHELL" && len(i.Words) > 0 {
			shell = path.Base(strings.Trim(i.Words[0].Text, `[]",`))
		}
		if i.Keyword != "RUN" || i.Script == "" || !slices.Contains([]string{"sh", "bash", "dash", "ksh"}, shell) {
			continue
		}
		args := []string{"--norc", "--exclude=SC2154", "--shell=" + shell, "-"}
		script := strings.Repeat("\n", max(0, i.ScriptLine-1)) + i.Script
		if strings.HasPrefix(i.Script, "#!") {
			args = slices.Delete(args, 2, 3)
			script = i.Script
		}
		before := len(l.errs)
		if l.run(ctx, []byte(script), program, args...); len(l.errs) > before {
			l.errs[before] = operr.New("the lines above name it; `-` is "+file, "%s, line %d: %w", file, i.Line, l.errs[before])
		}
	}
}
