// Package building builds packages by the real rattler-build, from the recipe that pixi-build-python would generate. What only pixi can build
// is refused by name. It knows nothing of environments for tasks.
//
//	build.go       a build, from the sources to archives ([Builder])
//	recipe.go      the recipe, and what of a package only pixi can build
//	licenses.go    the license files that go into a package
//	everywhere.go  what is the same in every build, on whatever machine and whenever
//	repack.go      the archive once more, without what changes from one build to the next
//	builtwith.go   what an artifact is built with, in words
//
// build.py calls rattler-build; finish.py is run in each build's script, after the installation.
package building

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/condanames"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/uv"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

//go:embed build.py
var buildProgram string

//go:embed finish.py
var finishProgram string

// buildScript installs the sources into the prefix that rattler-build packs. The options are pixi-build-python's
// (build_script.j2), but for the interpreter, which is not in the prefix, and for the cache: uv's would take an edited
// source for an old wheel of it.
//
// Words in capitals stand for what is put there, quoted: a variable could be set by the manifest too, and rattler-build takes what
// has a dollar or a line in it for something else.
//
// What a build sees of this machine is the same on every one, as far as it can be: modes, and what sameEverywhere sets.
const buildScript = `set -eu
umask 022
UV pip install --python PYTHON --prefix "$PREFIX" --reinstall --no-deps --no-build-isolation --no-index --no-cache --link-mode copy ARGS SOURCE
PYTHON -I FINISH "$PREFIX" PYTHON NAMES
`

// Config is what a builder needs of its surroundings.
type Config struct {
	Runner  command.Runner
	Environ []string // its TMPDIR is where is built
	Cache   string   // folder of what is installed once on a machine: no artifact names it
	Pythons *pythons.Finder
	UV      *uv.Installer // has the tools, and installs what packages are built by
}

// Builder builds packages.
type Builder struct {
	runner  command.Runner
	env     []string
	cache   string
	pythons *pythons.Finder
	uv      *uv.Installer
}

// New returns a builder.
func New(c Config) *Builder {
	return &Builder{runner: c.Runner, env: c.Environ, cache: c.Cache, pythons: c.Pythons, uv: c.UV}
}

// FindPython returns the interpreter that a package is built with.
func (b *Builder) FindPython(ctx context.Context, p *workspace.Package) (pythons.Interpreter, error) {
	asks, err := pythons.ReadBuild(p)
	if err != nil {
		return pythons.Interpreter{}, err
	}
	return b.pythons.Choose(ctx, "building "+p.Name, asks)
}

// Build builds packages into the folder of the request, and checks each. Packages are built side by side: none needs another one to be built.
func (b *Builder) Build(ctx context.Context, request toolchain.Build) ([]toolchain.Artifact, error) {
	tools, err := b.uv.FindTools(ctx)
	if err != nil {
		return nil, err
	}
	temporary, _ := command.Getenv(b.env, "TMPDIR") // a rehearsal keeps everything in its own folder
	work, err := os.MkdirTemp(temporary, "build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if strings.ContainsAny(work, "\"$`\\\n\r") {
		return nil, operr.New("set TMPDIR to another folder, or, for a rehearsal, move the workspace to one", "nothing can be built below %s: rattler-build writes that path into its scripts, where a character of it means something else", filepath.Dir(work))
	}
	for name, program := range map[string]string{"build.py": buildProgram, "finish.py": finishProgram} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(program), 0o644); err != nil {
			return nil, err
		}
	}
	built, logs := make([]string, len(request.Packages)), make([]bytes.Buffer, len(request.Packages))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for i, p := range request.Packages {
		g.Go(func() error {
			dir := filepath.Join(work, p.Name)
			made, err := b.buildTaken(ctx, tools, work, dir, request, p, &logs[i])
			if err != nil {
				return err
			}
			built[i] = filepath.Join(dir, filepath.Base(made))
			return repack(made, built[i], request.SourceDate)
		})
	}
	err = g.Wait()
	for i := range logs { // one after the other, though they were built side by side
		if _, failed := logs[i].WriteTo(orDiscard(request.Log)); failed != nil {
			return nil, failed
		}
	}
	if err != nil {
		return nil, err
	}
	return toolchain.Collect(request, built)
}

// buildTaken builds one package from sources of its own. What cannot be built is refused before these are taken.
func (b *Builder) buildTaken(ctx context.Context, t uv.Tools, work, dir string, request toolchain.Build, p *workspace.Package, log io.Writer) (string, error) {
	if err := checkBuildable(p); err != nil {
		return "", err
	}
	if err := condanames.RefuseOwnBackend(request.Workspace, p); err != nil {
		return "", err
	}
	base, err := b.FindPython(ctx, p)
	if err != nil {
		return "", err
	}
	w, done, err := request.Take(ctx, p)
	if err != nil {
		return "", err
	}
	request.Workspace = w
	made, err := b.buildOne(ctx, t, base, work, dir, request, p, log)
	return made, done([]string{made}, err)
}

// buildOne lets rattler-build build one package and returns the archive's path.
func (b *Builder) buildOne(ctx context.Context, t uv.Tools, base pythons.Interpreter, work, dir string, request toolchain.Build, p *workspace.Package, log io.Writer) (string, error) {
	w := request.Workspace
	python, err := b.uv.MakeBackends(ctx, base, w, p)
	if err != nil {
		return "", err
	}
	source := toolchain.SourceFolder(w, p)
	names, err := json.Marshal(b.listFolderNames(work, source, python, p))
	if err != nil {
		return "", err
	}
	script := strings.NewReplacer("UV", quote(t.UV), "PYTHON", quote(python), "FINISH", quote(filepath.Join(work, "finish.py")),
		"NAMES", quote(string(names)), "SOURCE", quote(source), "ARGS", quote(p.Build.Python.ExtraArgs...)).Replace(buildScript)
	recipe, err := writeRecipe(w, p, filepath.Join(dir, "recipe"), script, listFixedVariables(request.SourceDate))
	if err != nil {
		return "", err
	}
	out, err := command.Output(ctx, b.runner, command.Cmd{
		Name:   t.Python,
		Args:   []string{"-I", filepath.Join(work, "build.py"), recipe, filepath.Join(dir, "out")},
		Env:    b.uv.BuildEnviron(p),
		Stderr: log,
	})
	if err != nil {
		return "", tellFailure(p, err)
	}
	return out[strings.LastIndexByte(out, '\n')+1:], nil
}

// writeRecipe writes the recipe and the license files beside it into a folder of their own and returns its path.
func writeRecipe(w *workspace.Workspace, p *workspace.Package, dir, content string, env map[string]string) (string, error) {
	for _, kv := range p.Build.Python.Env {
		env[kv.Key] = kv.Value
	}
	script := map[string]any{"content": content, "env": env}
	if len(p.Build.Secrets) > 0 {
		script["secrets"] = p.Build.Secrets
	}
	licenses, err := findLicenses(w, p)
	if err != nil {
		return "", err
	}
	for _, l := range licenses {
		data, err := beneath.ReadFile(findTop(w.Root), l.from)
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		if err == nil {
			err = beneath.WriteFile(dir, filepath.ToSlash(l.to), data, 0o644)
		}
		if err != nil {
			return "", operr.New("name a file of the repository", "packing the license %q of %s: %w", toolchain.Relative(w, l.from), p.Name, err)
		}
	}
	document, err := json.Marshal(newRecipe(p, script, licenses))
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, manifest.RecipeFile)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, document, 0o644)
}

// tellFailure says which package was not built, with the last lines of its build. One that was stopped has shown nothing to fix.
func tellFailure(p *workspace.Package, err error) error {
	next := "fix what the lines above show, then build again"
	if command.WasStopped(err) {
		next = ""
	}
	failed := operr.New(next, "building %s (%s): %w", p.Name, p.Dir, err)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		failed = failed.WithDetail(exit.Tail)
	}
	return failed
}

// quote writes words for the shell.
func quote(words ...string) string {
	var all []string
	for _, w := range words {
		all = append(all, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(all, " ")
}

// orDiscard returns a writer, which nil may stand for.
func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
