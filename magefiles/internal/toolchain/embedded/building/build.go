// Package building builds packages with the real rattler-build, from the recipe that pixi-build-python would generate. Packages that only pixi
// can build are rejected with the reason. Environments for tasks are not handled here.
//
//	build.go       builds archives from sources ([Builder])
//	recipe.go      writes the recipe, and finds the features of a package that only pixi can build
//	licenses.go    finds the license files that go into a package
//	everywhere.go  sets variables and paths that would otherwise vary between machines or over time
//	repack.go      repacks the archive without the parts that differ between builds
//	builtwith.go   describes the tools with which an artifact is built
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

// buildScript installs the sources into the prefix that rattler-build packs. The options are those of pixi-build-python (build_script.j2), except
// for the interpreter, which is not in the prefix, and the cache, because uv's cache would return an outdated wheel for edited sources.
//
// Words in capitals are replaced with quoted text. Shell variables are not used because the manifest could set the same variable, and because
// rattler-build misreads values that contain a dollar sign or a line break.
//
// File modes and variables (listFixedVariables) are the same on every machine as far as possible.
const buildScript = `set -eu
umask 022
UV pip install --python PYTHON --prefix "$PREFIX" --reinstall --no-deps --no-build-isolation --no-index --no-cache --link-mode copy ARGS SOURCE
PYTHON -I FINISH "$PREFIX" PYTHON NAMES
`

// Config holds the settings and services of a builder.
type Config struct {
	Runner  command.Runner
	Environ []string // environment of builds; its TMPDIR is the folder in which they run
	Cache   string   // folder for tools that are installed once per machine; artifacts never contain its path
	Pythons *pythons.Finder
	UV      *uv.Installer // provides the tools, and installs the packages' build backends
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

// FindPython returns the interpreter with which to build a package.
func (b *Builder) FindPython(ctx context.Context, p *workspace.Package) (pythons.Interpreter, error) {
	asks, err := pythons.ReadBuild(p)
	if err != nil {
		return pythons.Interpreter{}, err
	}
	return b.pythons.Choose(ctx, "building "+p.Name, asks)
}

// Build builds packages into the requested folder and checks each one. They are built in parallel, because no build depends on another package in
// the request.
func (b *Builder) Build(ctx context.Context, request toolchain.Build) ([]toolchain.Artifact, error) {
	tools, err := b.uv.FindTools(ctx)
	if err != nil {
		return nil, err
	}
	temporary, _ := command.Getenv(b.env, "TMPDIR") // a rehearsal sets TMPDIR to keep all files in its own folder
	work, err := os.MkdirTemp(temporary, "build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if strings.ContainsAny(work, "\"$`\\\n\r") {
		return nil, operr.New("set TMPDIR to a folder whose path has no quotes, dollar signs, backslashes or line breaks; a rehearsal also needs a workspace whose path has none of these characters", "cannot build below %s, because rattler-build writes this path into scripts, where one of the characters has a special meaning", filepath.Dir(work))
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
	for i := range logs { // logs are printed one after the other although the builds ran in parallel
		if _, failed := logs[i].WriteTo(orDiscard(request.Log)); failed != nil {
			return nil, failed
		}
	}
	if err != nil {
		return nil, err
	}
	return toolchain.Collect(request, built)
}

// buildTaken builds one package from a separate copy of its sources. Packages that cannot be built are rejected before the copy is made.
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

// buildOne builds one package with rattler-build and returns the archive's path.
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

// writeRecipe writes the recipe and the license files into a new folder and returns the recipe's path.
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
			return "", operr.New("move the license file into the repository, and name the new path in the manifest", "packing the license %q of %s: %w", toolchain.Relative(w, l.from), p.Name, err)
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

// tellFailure returns an error with the package's name and the last lines of its build output. If the build was interrupted, there is nothing to
// fix, so the error has no next step.
func tellFailure(p *workspace.Package, err error) error {
	next := "fix the errors in the lines above, then build the package again"
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

// quote quotes and joins words for the shell.
func quote(words ...string) string {
	var all []string
	for _, w := range words {
		all = append(all, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(all, " ")
}

// orDiscard returns w, or io.Discard if w is nil.
func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
