package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/protocol"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
)

// arch is this machine's processor, as GitHub spells it.
var arch = map[string]string{"amd64": "X64", "arm64": "ARM64", "386": "X86", "arm": "ARM"}[runtime.GOARCH]

// shells maps `shell:` to a command line, as documented by GitHub. {0} is the script file.
var shells = map[string]string{
	"":       "bash -e {0}", // no shell is set
	"bash":   "bash --noprofile --norc -eo pipefail {0}",
	"sh":     "sh -e {0}",
	"python": "python {0}",
	"pwsh":   "pwsh -command .'{0}'",
}

// script runs a `run:` script.
func (s *scope) script(ctx context.Context, n file.Node, out *output, env, contexts *expression.Object) error {
	e := s.evalIn(s.leg, contexts)
	text := func(n file.Node) (string, error) {
		v, err := n.Value(e)
		return expression.Text(v), err
	}
	body, err := text(n.At("run"))
	if err != nil {
		return err
	}
	shell, err := text(s.preset(n, "shell"))
	if err != nil {
		return err
	}
	folder, err := text(s.preset(n, "working-directory"))
	if err != nil {
		return err
	}
	dir := s.workspace
	if folder != "" {
		dir = resolve(s.workspace, folder)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		if folder == "" {
			return fmt.Errorf("the job's folder (GITHUB_WORKSPACE) no longer exists, because an earlier step removed the folder")
		}
		return fmt.Errorf("the folder %s of working-directory does not exist (is a checkout missing?)", folder)
	}
	s.scripts++
	name := filepath.Join(s.temp, fmt.Sprintf("step-%d%s", s.scripts, map[string]string{"python": ".py", "pwsh": ".ps1"}[shell]))
	if err := beneath.WriteFile(s.temp, filepath.Base(name), []byte(strings.ReplaceAll(body, "\r\n", "\n")+"\n"), 0o644); err != nil {
		return err
	}
	files, err := s.newFiles()
	if err != nil {
		return err
	}
	environ := append(s.childEnv(env), files.environ()...)
	words, err := shellLine(shell, name, environ)
	if err != nil {
		return err
	}
	out.say("$ %s", strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n$ "))
	err = s.Runner.Runner.Run(ctx, command.Cmd{
		Name:   words[0],
		Args:   words[1:],
		Dir:    dir,
		Env:    environ,
		Stdout: out,
		Stderr: out,
		Theirs: true,
	})
	out.end()
	s.take(files, out)
	return err
}

// preset returns the value of a step's key. It falls back to `defaults.run` of the job and then of the file. Steps of an action have no defaults.
func (s *scope) preset(n file.Node, key string) file.Node {
	own := n.At(key)
	if own.Is() || s.action != "" {
		return own
	}
	if of := s.node.At("defaults", "run", key); of.Is() {
		return of
	}
	return s.w.Top.At("defaults", "run", key)
}

// shellLine returns the command line that runs a script. The default shell is bash, or sh if there is no bash.
func shellLine(shell, script string, environ []string) ([]string, error) {
	line, known := shells[shell]
	if !known {
		line = shell
	}
	if !strings.Contains(line, "{0}") {
		return nil, fmt.Errorf("unknown shell %q: expected bash, sh, python, pwsh, or a command line with {0} for the script", shell)
	}
	words := strings.Fields(line)
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "{0}", script)
	}
	if _, err := command.LookPath(words[0], environ); err != nil {
		if shell != "" {
			return nil, fmt.Errorf("the shell %s is not installed", words[0])
		}
		return []string{"sh", "-e", script}, nil
	}
	return words, nil
}

// resolve resolves a path relative to the job's work folder.
func resolve(workspace, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(workspace, name)
}

// childEnv returns the environment of a script. A file cannot override GitHub's own variables.
func (s *scope) childEnv(env *expression.Object) []string {
	environ := slices.Clone(s.leg.environ)
	if s.action != "" {
		environ = append(environ, "GITHUB_ACTION_PATH="+s.action)
	}
	for _, k := range env.Keys() {
		fixed := strings.HasPrefix(k, "GITHUB_") || strings.HasPrefix(k, "RUNNER_")
		if _, there := command.Getenv(s.leg.environ, k); fixed && there {
			continue
		}
		v, _ := env.Get(k)
		environ = command.Setenv(environ, k+"="+expression.Text(v))
	}
	path, _ := command.Getenv(environ, "PATH")
	return command.Setenv(environ, "PATH="+strings.Join(append(slices.Clone(s.added), path), string(filepath.ListSeparator)))
}

// commandFiles lists the files through which a step talks to the runner, by the variable name without GITHUB_.
type commandFiles map[string]string

func (s *scope) newFiles() (commandFiles, error) {
	files := commandFiles{}
	for _, kind := range []string{"ENV", "OUTPUT", "PATH", "STATE", "STEP_SUMMARY"} {
		files[kind] = filepath.Join(s.temp, "_runner_file_commands", fmt.Sprintf("%s-%d", strings.ToLower(kind), s.scripts))
		if err := beneath.WriteFile(filepath.Dir(files[kind]), filepath.Base(files[kind]), nil, 0o644); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (f commandFiles) environ() (all []string) {
	for kind, name := range f {
		all = append(all, "GITHUB_"+kind+"="+name)
	}
	slices.Sort(all)
	return all
}

// maxFile is the maximum size in bytes of a file that a step writes for the runner.
const maxFile = 50 << 20

// maxSummary is GitHub's size limit in bytes for a step's GITHUB_STEP_SUMMARY.
const maxSummary = 1 << 20

// take reads the files that a step has written for the runner.
func (s *scope) take(files commandFiles, out *output) {
	read := func(kind string) string {
		info, err := os.Lstat(files[kind])
		switch {
		case err != nil:
			return "" // the step removed the file
		case !info.Mode().IsRegular(), info.Size() > maxFile:
			out.fail("GITHUB_%s must remain a file of at most %d MB", kind, maxFile>>20)
			return ""
		}
		data, err := beneath.ReadAtMost(files[kind], maxFile)
		if err != nil {
			out.fail("GITHUB_%s: %v", kind, err)
		}
		return string(data)
	}
	pairs := func(kind string, take func(p protocol.Pair)) {
		all, err := protocol.Pairs(read(kind))
		if err != nil {
			out.fail("unable to process file command '%s' successfully: %v", strings.ToLower(kind), err)
		}
		for _, p := range all {
			take(p)
		}
	}
	pairs("ENV", func(p protocol.Pair) {
		if strings.EqualFold(p.Name, "NODE_OPTIONS") {
			out.fail("GITHUB_ENV may not set NODE_OPTIONS")
			return
		}
		s.leg.env.Set(p.Name, p.Value)
	})
	pairs("OUTPUT", func(p protocol.Pair) { out.outputs(p.Name, p.Value) })
	pairs("STATE", func(protocol.Pair) {})
	for _, dir := range protocol.Paths(read("PATH")) {
		s.addPath(dir)
	}
	switch text := read("STEP_SUMMARY"); {
	case len(text) > maxSummary:
		out.fail("GITHUB_STEP_SUMMARY must have at most 1 MB, but has %d bytes", len(text))
	case text != "":
		s.leg.out.Summary += s.masks.Hide(text)
	}
}

// addPath prepends a folder to PATH for all later steps.
func (l *leg) addPath(dir string) {
	l.added = slices.DeleteFunc(l.added, func(d string) bool { return d == dir })
	l.added = append([]string{dir}, l.added...)
}
