package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Files runs the pinned linters over files that other programs run: workflows, the repository's shell scripts, and the scripts in Dockerfiles.
func (l Linter) Files(ctx context.Context) error {
	if !l.has(programsFile) {
		return nil
	}
	return l.Job(ctx, "workflows and scripts", "the lines above name each place and its fix", func(out io.Writer) error {
		return l.files(ctx, out)
	})
}

func (l Linter) files(ctx context.Context, out io.Writer) error {
	root := l.Workspace.Root
	pins, err := beneath.Read(filepath.Join(root, programsFile))
	if err != nil {
		return err
	}
	bin, err := l.Programs(ctx, "zizmor and shellcheck", string(pins))
	if err != nil {
		return err
	}
	files, err := gitrepo.TrackedFiles(ctx, l.Runner, root)
	if err != nil {
		return err
	}
	p := programs{Linter: l, bin: bin, out: out}
	if workflows := slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !imagepin.IsWorkflow(f) }); len(workflows) > 0 {
		p.run(ctx, nil, filepath.Join(bin, "zizmor"), append([]string{"--offline", "--pedantic", "--no-progress", "--quiet", "--"}, workflows...)...)
		p.actionlint(ctx, workflows)
	}
	p.scripts(ctx, files)
	return errors.Join(p.errs...)
}

// programs runs linters, and continues after a finding.
type programs struct {
	Linter
	bin  string // folder of the pinned programs
	out  io.Writer
	errs []error
}

func (p *programs) run(ctx context.Context, input []byte, name string, args ...string) {
	err := p.Runner.Run(ctx, command.Cmd{
		Name:   name,
		Args:   args,
		Dir:    p.Workspace.Root,
		Stdin:  bytes.NewReader(input),
		Stdout: p.out,
		Stderr: p.out,
		Env:    append(command.Unset(p.goEnv(), "SHELLCHECK_OPTS"), "ZIZMOR_OFFLINE=true"),
	})
	if err != nil {
		p.errs = append(p.errs, err)
	}
}

// actionlint checks workflows, and passes their scripts to the pinned shellcheck.
func (p *programs) actionlint(ctx context.Context, files []string) {
	if !p.has(moduleFile) {
		return
	}
	args := []string{"tool", "-modfile=" + moduleFile, "actionlint", "-pyflakes=", "-shellcheck=" + p.shellcheck()}
	for _, f := range files {
		if path.Dir(f) == ".github/workflows" {
			args = append(args, f)
		}
	}
	if strings.HasPrefix(args[len(args)-1], "-") {
		return // there is no workflow among the files
	}
	p.run(ctx, nil, "go", args...)
}

// shellcheck returns the path of the pinned program, or "" if PyPI has none for this machine.
func (p *programs) shellcheck() string {
	file := filepath.Join(p.bin, "shellcheck")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// shebang matches the shells that shellcheck knows.
var shebang = regexp.MustCompile(`^#!\s*\S*(/|env (-S )?)(sh|bash|dash|ksh)\b`)

// scripts checks every shell script, and each script of every Dockerfile.
func (p *programs) scripts(ctx context.Context, files []string) {
	program := p.shellcheck()
	if program == "" {
		fmt.Fprintln(p.out, "shellcheck is not run, because PyPI has no shellcheck for this machine")
		return
	}
	var scripts []string
	for _, f := range files {
		text, err := beneath.Read(filepath.Join(p.Workspace.Root, filepath.FromSlash(f)))
		if err != nil {
			p.errs = append(p.errs, err)
			continue
		}
		switch ext := path.Ext(f); {
		case dockerfile.IsName(f):
			p.dockerfile(ctx, program, f, text)
		case ext == ".sh" || ext == ".bash" || shebang.Match(text[:min(len(text), 100)]):
			scripts = append(scripts, f)
		}
	}
	if len(scripts) > 0 {
		p.run(ctx, nil, program, append([]string{"--norc", "--external-sources", "--"}, scripts...)...)
	}
}

// dockerfile checks the scripts of a Dockerfile, with the line numbers of the file. An ARG of a stage may have any name, so variables that are never
// assigned are not reported.
func (p *programs) dockerfile(ctx context.Context, program, file string, text []byte) {
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
		before := len(p.errs)
		if p.run(ctx, []byte(script), program, args...); len(p.errs) > before {
			p.errs[before] = operr.New("fix the errors in the lines above, where `-` is "+file, "%s, line %d: %w", file, i.Line, p.errs[before])
		}
	}
}
