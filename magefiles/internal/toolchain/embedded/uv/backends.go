package uv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// MakeBackends returns the interpreter of an environment, based on base, with the build backends that a package requires. If the pinned backends
// satisfy its requirements, only those are installed, and packages with the same requirements share the environment. Otherwise the package gets
// its own environment.
func (i *Installer) MakeBackends(ctx context.Context, base pythons.Interpreter, w *workspace.Workspace, p *workspace.Package) (python string, err error) {
	requires := Requirements(p)
	if err := checkRequirements(p, requires); err != nil {
		return "", err
	}
	what := append([]string{backendPins, ToolPins, base.Path, base.Version}, requires...)
	unmet := FindUnpinned(requires)
	if unmet != nil {
		what = append(what, w.Root, p.Name)
	}
	dir, err := i.fillOnce(ctx, "backends", Digest(what...), func(dir string) error {
		if err := i.MakeEnvironment(ctx, base, dir); err != nil {
			return err
		}
		args := i.readConfig()
		if unmet == nil {
			constraints := filepath.Join(dir, "constraints.txt")
			if err := os.WriteFile(constraints, []byte(backendPins), 0o644); err != nil {
				return err
			}
			args = append(args, "--constraint="+constraints)
		}
		return i.Install(ctx, dir, fmt.Sprintf("installing the build backend (%v) from PyPI", requires), args, requires...)
	})
	if unmet != nil && err == nil {
		i.say("%s is built by backends that are not pinned (%s), so the same sources may give different bytes on another day", p.Name, strings.Join(unmet, ", "))
	}
	return filepath.Join(dir, "bin", "python"), err
}

// SourceOptions returns the options for building sources and installing them into an environment without their requirements, which are already
// installed. If all packages require only pinned backends, only those are allowed.
func (i *Installer) SourceOptions(dir string, packages []*workspace.Package) ([]string, error) {
	constraints := filepath.Join(dir, "build-constraints.txt")
	if err := beneath.WriteFile(dir, filepath.Base(constraints), []byte(backendPins), 0o644); err != nil {
		return nil, err
	}
	options := append([]string{"--no-deps", "--reinstall"}, i.readConfig()...) // --reinstall implies --refresh, which conflicts with --offline
	if !slices.ContainsFunc(packages, func(p *workspace.Package) bool { return p.Project != nil && FindUnpinned(Requirements(p)) != nil }) {
		options = append(options, "--build-constraint="+constraints)
	}
	return options, nil
}

// Requirements returns the build requirements of a package. Without a [build-system] table, it returns the default of PEP 517.
func Requirements(p *workspace.Package) []string {
	if len(p.Project.BuildRequires) == 0 {
		return []string{"setuptools>=40.8.0"}
	}
	return p.Project.BuildRequires
}
