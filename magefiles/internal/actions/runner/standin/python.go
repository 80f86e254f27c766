package standin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
)

// installPython gives the job its own Python: a virtual environment based on an interpreter of this machine, which is found by name or given as a
// path. Packages that a job installs are not visible to other jobs or the user. The environment's programs are on PATH, as on GitHub.
func installPython(ctx context.Context, c *runner.Call, version, found string) error {
	if found == "" {
		var err error
		if found, err = command.LookPath("python3", standInEnviron(c)); err != nil {
			return fmt.Errorf("this machine has no python3 to use instead of the Python that %s installs", c.Uses)
		}
		if version != "" {
			c.Note("the python3 of this machine stands in for python %s", version)
		}
	}
	dir := toolDir(c, "python", version)
	bin := filepath.Join(dir, "bin")
	python := filepath.Join(bin, "python")
	if _, err := os.Lstat(python); errors.Is(err, os.ErrNotExist) {
		if err := makeEnvironment(ctx, c, found, dir); err != nil {
			return err
		}
	}
	c.Output("python-path", python)
	if !c.Bool("update-environment", true) {
		return nil
	}
	c.Setenv("pythonLocation", dir)
	c.AddPath(bin)
	return nil
}

// makeEnvironment creates a virtual environment with a copy of the interpreter's pip, because unpacking Python's bundled pip takes seconds.
func makeEnvironment(ctx context.Context, c *runner.Call, found, dir string) error {
	ask := func(args ...string) (string, error) {
		return command.Output(ctx, c.Runner, command.Cmd{
			Name:   found,
			Args:   append([]string{"-I"}, args...),
			Dir:    c.Temp,
			Env:    c.Environ,
			Stderr: c,
		})
	}
	if _, err := ask("-m", "venv", "--without-pip", "--", dir); err != nil {
		return fmt.Errorf("cannot make a Python for the job from %s: %w", found, err)
	}
	pip, err := ask("-c", "import importlib.util as u; s = u.find_spec('pip'); print(s.origin if s else '')")
	if err != nil {
		return err
	}
	sites, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages"))
	if err != nil || len(sites) != 1 {
		return fmt.Errorf("the Python that was made from %s has no site-packages", found)
	}
	if pip == "" {
		c.Note("%s of this machine has no pip, so the Python that the job gets from %s has no pip either", found, c.Uses)
		return nil
	}
	parts, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(pip)), "pip-*.dist-info"))
	if err != nil {
		return err
	}
	for _, from := range append(parts, filepath.Dir(pip)) {
		if err := copySources(filepath.Join(sites[0], filepath.Base(from)), from); err != nil {
			return err
		}
	}
	for _, p := range []string{"pip", "pip3"} {
		text := "#!/bin/sh\nexec '" + strings.ReplaceAll(filepath.Join(dir, "bin", "python"), "'", `'\''`) + "' -m pip \"$@\"\n"
		if err := writeProgram(filepath.Join(dir, "bin", p), text); err != nil {
			return err
		}
	}
	return nil
}

// copySources copies a folder of Python files, without byte code.
func copySources(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(from, path)
		if err = errors.Join(err, relErr); err != nil {
			return err
		}
		switch {
		case d.IsDir() && d.Name() == "__pycache__":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		data, err := beneath.Read(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
}
