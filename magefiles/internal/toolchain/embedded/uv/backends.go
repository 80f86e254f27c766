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

// MakeBackends returns the interpreter of an environment of base that has the build backends which a package's requires name: the
// pinned ones, by hash, which all packages share. Where the package asks for others, it has an environment of its own.
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
		i.say("%s is built by what is not pinned (%s): the same sources may give other bytes on another day", p.Name, strings.Join(unmet, ", "))
	}
	return filepath.Join(dir, "bin", "python"), err
}

// SourceOptions returns the options by which sources are built and installed into an environment without what they require, which is there: from the
// pinned backends alone, where all of the packages ask for these.
func (i *Installer) SourceOptions(dir string, packages []*workspace.Package) ([]string, error) {
	constraints := filepath.Join(dir, "build-constraints.txt")
	if err := beneath.WriteFile(dir, filepath.Base(constraints), []byte(backendPins), 0o644); err != nil {
		return nil, err
	}
	options := append([]string{"--no-deps", "--reinstall"}, i.readConfig()...) // which implies --refresh; said, it is refused with --offline
	if !slices.ContainsFunc(packages, func(p *workspace.Package) bool { return p.Project != nil && FindUnpinned(Requirements(p)) != nil }) {
		options = append(options, "--build-constraint="+constraints)
	}
	return options, nil
}

// Requirements lists what the environment that a package is built in asks for; without a [build-system] table, what PEP 517 says.
func Requirements(p *workspace.Package) []string {
	if len(p.Project.BuildRequires) == 0 {
		return []string{"setuptools>=40.8.0"}
	}
	return p.Project.BuildRequires
}
