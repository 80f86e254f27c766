package embedded

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// Install implements toolchain.Toolchain. There is no conda solver here: the artifacts' own files are unpacked into a
// new virtual environment, after what they depend on was installed from PyPI. That every pin among the artifacts is met
// by one of them is checked.
func (e *Toolchain) Install(ctx context.Context, i toolchain.Install) (toolchain.Environment, error) {
	archives, closeAll, err := openAll(i.Artifacts)
	if err != nil {
		return toolchain.Environment{}, err
	}
	defer closeAll()
	n := &needs{}
	if err := e.addThirdParty(n, archives); err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.refused(n.refusals); err != nil {
		return toolchain.Environment{}, err
	}
	t, err := e.findTools(ctx)
	if err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.showPrograms(ctx, n.programs); err != nil {
		return toolchain.Environment{}, err
	}
	asks, err := archiveAsks(nil, archives)
	if err != nil {
		return toolchain.Environment{}, err
	}
	python, err := e.choose(ctx, "installing what is published", asks)
	if err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.tool(ctx, io.Discard, t.uv, "venv", "--quiet", "--no-config", "--python="+python.Path, "--", i.Dir); err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.installForeign(ctx, t, i.Dir, n); err != nil {
		return toolchain.Environment{}, err
	}
	prefix := newPrefix(i.Dir, python)
	return toolchain.Environment{Dir: i.Dir, Python: prefix.python()}, prefix.linkAll(archives)
}

// openAll opens archives; what it returns closes them.
func openAll(paths []string) (archives []*condapkg.Archive, closeAll func(), err error) {
	closeAll = func() {
		for _, a := range archives {
			a.Close()
		}
	}
	for _, path := range paths {
		a, err := condapkg.Open(path)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		archives = append(archives, a)
	}
	return archives, closeAll, nil
}

// prefix is the environment that a package is linked into, by the rules for noarch python packages: site-packages and
// scripts go to where this Python has them, entry points become scripts.
type prefix struct {
	dir  string
	site string // relative to dir
}

func newPrefix(dir string, python Interpreter) prefix {
	return prefix{dir: dir, site: filepath.Join("lib", "python"+python.minor(), "site-packages")}
}

func (p prefix) linkAll(archives []*condapkg.Archive) error {
	for _, a := range archives {
		if err := p.link(a); err != nil {
			return fmt.Errorf("installing %s: %w", a.Stem(), err)
		}
	}
	return nil
}

func (p prefix) python() string { return filepath.Join(p.dir, "bin", "python") }

func (p prefix) link(a *condapkg.Archive) error {
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	prefixes := map[string]string{}
	for _, path := range paths {
		prefixes[path.Path] = path.PrefixPlaceholder
	}
	err = a.Walk(func(h *tar.Header, r io.Reader) error {
		if h.Typeflag != tar.TypeReg {
			return nil // noarch python packages hold files; links among them are left out by conda's builders
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if old := prefixes[h.Name]; old != "" {
			data = []byte(strings.ReplaceAll(string(data), old, p.dir))
		}
		return p.write(p.target(h.Name), data, h.FileInfo().Mode().Perm())
	})
	if err != nil {
		return err
	}
	link, err := a.Link()
	if err != nil {
		return err
	}
	for _, point := range link.Noarch.EntryPoints {
		if err := p.entryPoint(point); err != nil {
			return err
		}
	}
	return nil
}

func (p prefix) target(path string) string {
	switch first, rest, _ := strings.Cut(path, "/"); first {
	case "site-packages":
		return filepath.Join(p.site, filepath.FromSlash(rest))
	case "python-scripts":
		return filepath.Join("bin", filepath.FromSlash(rest))
	}
	return filepath.FromSlash(path)
}

func (p prefix) write(path string, data []byte, mode os.FileMode) error {
	path = filepath.Join(p.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, mode)
}

// entryPoint writes the script of "command = module:function", as conda's installers do.
func (p prefix) entryPoint(point string) error {
	command, target, ok := strings.Cut(point, "=")
	module, function, ok2 := strings.Cut(strings.TrimSpace(target), ":")
	if !ok || !ok2 {
		return fmt.Errorf("%q is no entry point", point)
	}
	root, _, _ := strings.Cut(function, ".")
	script := fmt.Sprintf("#!%s\nimport sys\n\nfrom %s import %s\n\nif __name__ == \"__main__\":\n    sys.exit(%s())\n", p.python(), module, root, function)
	return p.write(filepath.Join("bin", strings.TrimSpace(command)), []byte(script), 0o755)
}
