package embedded

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Programs is the folder of the programs that requirements bring, which pin all they name by hash. They are installed once
// on a machine into an environment of their own, from wheels alone. what names them for people.
func (e *Toolchain) Programs(ctx context.Context, what, requirements string) (bin string, err error) {
	interpreter, err := e.Python(ctx)
	if err != nil {
		return "", err
	}
	dir, err := e.cached(ctx, "programs", digest(requirements, interpreter.Path, interpreter.Version), func(dir string) error {
		e.say("installing %s for Python %s (once on this machine)", what, interpreter.Version)
		if err := e.tool(ctx, io.Discard, interpreter.Path, "-I", "-m", "venv", dir); err != nil {
			return operr.New("on Debian: apt-get install python3-venv", "making a virtual environment with %s: %w", interpreter.Path, err)
		}
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
			return err
		}
		// Isolated, so that no module of the folder that we were started in is taken for pip.
		err := e.tool(ctx, io.Discard, filepath.Join(dir, "bin", "python"), "-I", "-m", "pip", "install", "--quiet",
			"--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "--no-deps", "--requirement", list)
		return network(err, "installing "+what+" from PyPI")
	})
	return filepath.Join(dir, "bin"), err
}
