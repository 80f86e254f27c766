package uv

import (
	"context"
	_ "embed"
	"io"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ToolPins pins uv and py-rattler-build by hash, for every platform that they are published for. It is made by
// `uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate`.
//
//go:embed tools.txt
var ToolPins string

// backendPins pins, by hash, the build backends that Python packages name in [build-system], so that the same
// sources give the same bytes on another day. Made like tools.txt, from the names alone.
//
//go:embed backends.txt
var backendPins string

// Tools are the programs of the private virtual environment.
type Tools struct {
	Python string // its python, which has py-rattler-build
	UV     string
}

// FindTools returns the private environment's programs and installs them at the first call on a machine.
func (i *Installer) FindTools(ctx context.Context) (Tools, error) {
	i.once.Do(func() { i.tools, i.toolsErr = i.installTools(ctx) })
	return i.tools, i.toolsErr
}

func (i *Installer) installTools(ctx context.Context) (Tools, error) {
	bin, err := i.installPinned(ctx, "tools", "uv and py-rattler-build", ToolPins)
	return Tools{Python: filepath.Join(bin, "python"), UV: filepath.Join(bin, "uv")}, err
}

// InstallPrograms installs requirements that pin all they name by hash, once on a machine, and returns the folder of their programs. what
// names them for people.
func (i *Installer) InstallPrograms(ctx context.Context, what, requirements string) (bin string, err error) {
	return i.installPinned(ctx, "programs", what, requirements)
}

// installPinned installs requirements that are pinned by hash, from wheels alone, once on a machine, into an environment of their own on
// the Python of our tools; it returns the folder of its programs.
func (i *Installer) installPinned(ctx context.Context, kind, what, requirements string) (bin string, err error) {
	interpreter, err := i.pythons.ForTools(ctx)
	if err != nil {
		return "", err
	}
	dir, err := i.fillOnce(ctx, kind, Digest(requirements, interpreter.Path, interpreter.Version), func(dir string) error {
		i.say("installing %s for Python %s (once on this machine)", what, interpreter.Version)
		if err := i.run(ctx, io.Discard, interpreter.Path, "-I", "-m", "venv", "--", dir); err != nil {
			return operr.New("on Debian: apt-get install python3-venv", "making a virtual environment with %s: %w", interpreter.Path, err)
		}
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
			return err
		}
		// Isolated, so that no module of the folder that we were started in is taken for pip.
		err := i.run(ctx, io.Discard, filepath.Join(dir, "bin", "python"), "-I", "-m", "pip", "install", "--quiet",
			"--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "--no-deps", "--requirement="+list)
		return explain(err, "installing "+what+" from PyPI")
	})
	return filepath.Join(dir, "bin"), err
}
