package embedded

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// toolRequirements pins uv and py-rattler-build by hash, for every platform that they are published for. It is made by
// `uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate`.
//
//go:embed tools.txt
var toolRequirements string

// backendConstraints pins, by hash, the build backends that Python packages name in [build-system], so that the same
// sources give the same bytes on another day. Made like tools.txt, from the names alone.
//
//go:embed backends.txt
var backendConstraints string

// tools are the programs of the private virtual environment.
type tools struct {
	python string // its python, which has py-rattler-build
	uv     string
}

// findTools returns the private environment's programs and installs them at the first call on a machine.
func (e *Toolchain) findTools(ctx context.Context) (tools, error) {
	e.once.Do(func() { e.tools, e.toolsErr = e.installTools(ctx) })
	return e.tools, e.toolsErr
}

func (e *Toolchain) installTools(ctx context.Context) (tools, error) {
	bin, err := e.pinned(ctx, "tools", "uv and py-rattler-build", toolRequirements)
	return tools{python: filepath.Join(bin, "python"), uv: filepath.Join(bin, "uv")}, err
}

// Programs is the folder of the programs that requirements bring, which pin all they name by hash. what names them for people.
func (e *Toolchain) Programs(ctx context.Context, what, requirements string) (bin string, err error) {
	return e.pinned(ctx, "programs", what, requirements)
}

// pinned installs requirements that are pinned by hash, from wheels alone, once on a machine, into an environment of their own on
// the Python of our tools; it returns the folder of its programs.
func (e *Toolchain) pinned(ctx context.Context, kind, what, requirements string) (bin string, err error) {
	interpreter, err := e.Python(ctx)
	if err != nil {
		return "", err
	}
	dir, err := e.cached(ctx, kind, digest(requirements, interpreter.Path, interpreter.Version), func(dir string) error {
		e.say("installing %s for Python %s (once on this machine)", what, interpreter.Version)
		if err := e.tool(ctx, io.Discard, interpreter.Path, "-I", "-m", "venv", "--", dir); err != nil {
			return operr.New("on Debian: apt-get install python3-venv", "making a virtual environment with %s: %w", interpreter.Path, err)
		}
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
			return err
		}
		// Isolated, so that no module of the folder that we were started in is taken for pip.
		err := e.tool(ctx, io.Discard, filepath.Join(dir, "bin", "python"), "-I", "-m", "pip", "install", "--quiet",
			"--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "--no-deps", "--requirement="+list)
		return network(err, "installing "+what+" from PyPI")
	})
	return filepath.Join(dir, "bin"), err
}

// buildPython returns the interpreter of an environment of base that has the build backends which a package's requires name: the
// pinned ones, by hash, which all packages share. Where the package asks for others, it has an environment of its own.
func (e *Toolchain) buildPython(ctx context.Context, t tools, base pythons.Interpreter, w *workspace.Workspace, p *workspace.Package) (string, error) {
	requires := buildRequires(p)
	if err := askable(p, requires); err != nil {
		return "", err
	}
	what := append([]string{backendConstraints, toolRequirements, base.Path, base.Version}, requires...)
	unmet := unpinned(requires)
	if unmet != nil {
		what = append(what, w.Root, p.Name)
	}
	dir, err := e.cached(ctx, "backends", digest(what...), func(dir string) error {
		if err := e.venv(ctx, t, base, dir); err != nil {
			return err
		}
		args := append([]string{"--python=" + filepath.Join(dir, "bin", "python")}, e.uvConfig()...)
		if unmet == nil {
			constraints := filepath.Join(dir, "constraints.txt")
			if err := os.WriteFile(constraints, []byte(backendConstraints), 0o644); err != nil {
				return err
			}
			args = append(args, "--constraint="+constraints)
		}
		return network(e.pipOrCache(ctx, t, args, requires...), fmt.Sprintf("installing the build backend (%v) from PyPI", requires))
	})
	if unmet != nil && err == nil {
		e.say("%s is built by what is not pinned (%s): the same sources may give other bytes on another day", p.Name, strings.Join(unmet, ", "))
	}
	return filepath.Join(dir, "bin", "python"), err
}

// uvConfig are the flags by which uv reads the configuration of the person, or of the machine, and none of the project: what is
// installed by them builds other projects too.
func (e *Toolchain) uvConfig() []string {
	if file, set := command.Getenv(e.env, "UV_CONFIG_FILE"); set && file != "" {
		return nil // it is read in place of all others
	}
	if file := e.uvConfigFile(); file != "" {
		return []string{"--config-file=" + file}
	}
	return []string{"--no-config"}
}

// uvConfigFile is the configuration that uv reads: the person's, or the machine's; "" where there is none.
func (e *Toolchain) uvConfigFile() string {
	if file, _ := command.Getenv(e.env, "UV_CONFIG_FILE"); file != "" {
		return file
	}
	config, _ := command.Getenv(e.env, "XDG_CONFIG_HOME")
	if home, set := command.Getenv(e.env, "HOME"); config == "" && set {
		config = filepath.Join(home, ".config")
	}
	for _, dir := range []string{config, "/etc"} {
		file := filepath.Join(dir, "uv", "uv.toml")
		if st, err := os.Stat(file); dir != "" && err == nil && st.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// pip runs `uv pip install`. uv trusts a list of authorities of its own; where that does not know the one of a proxy in
// between, the system's may. What is installed stands behind all options, and is none itself.
func (e *Toolchain) pip(ctx context.Context, t tools, options []string, what ...string) error {
	env := e.uvEnv(ctx, t)
	install := func(more ...string) error {
		args := slices.Concat([]string{"pip", "install", "--quiet"}, options, more, []string{"--"}, what)
		return e.runner.Run(ctx, command.Cmd{Name: t.uv, Args: args, Env: env, Stdout: io.Discard, Stderr: io.Discard})
	}
	err := install()
	var exit *command.ExitError
	if errors.As(err, &exit) && strings.Contains(exit.Tail, "certificate") {
		return install("--system-certs")
	}
	return err
}

// venv makes an empty environment of an interpreter.
func (e *Toolchain) venv(ctx context.Context, t tools, python pythons.Interpreter, dir string) error {
	err := e.tool(ctx, io.Discard, t.uv, "venv", "--quiet", "--no-config", "--python="+python.Path, "--", dir)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return operr.New("see what uv says above", "making an environment in %s: %w", dir, atFault(exit)).WithDetail(exit.Tail)
	}
	return err
}

// tool runs a program of the toolchain's own, with what it says kept for the error.
func (e *Toolchain) tool(ctx context.Context, out io.Writer, name string, args ...string) error {
	return e.runner.Run(ctx, command.Cmd{Name: name, Args: args, Env: e.toolEnv(), Stdout: out, Stderr: out})
}

// toolEnv is the environment of the toolchain's own tools, and so of the build backends that uv runs: without what would change
// what they make of the sources, and without credentials, but for those by which uv and pip fetch packages. A file of conda channels'
// keys, which may be able to write, is none of these.
func (e *Toolchain) toolEnv() []string { return e.without(fetchingByUV...) }

// fetchingByUV are those of command.Fetching that uv and pip read.
var fetchingByUV = slices.DeleteFunc(slices.Clone(command.Fetching), func(name string) bool { return name == "RATTLER_AUTH_FILE" })

// buildEnv is the environment of a build, which runs code of the package and of its build backend: with the credentials alone
// that the manifest names for it.
func (e *Toolchain) buildEnv(p *workspace.Package) []string { return e.without(p.Build.Secrets...) }

// without is our environment without what has no place in an installation or a build. Without being asked, uv downloads no
// interpreter.
func (e *Toolchain) without(pass ...string) []string {
	const downloads = "UV_PYTHON_DOWNLOADS"
	if e.workspace != nil {
		pass = slices.Concat(pass, e.workspace.Config.Pass)
	}
	env, _ := command.Withhold(toolchain.WithoutOutside(e.env), pass...)
	if _, set := command.Getenv(env, downloads); set {
		return env
	}
	return command.Setenv(env, downloads+"=never")
}
