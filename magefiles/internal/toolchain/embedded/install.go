package embedded

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// Install implements toolchain.Toolchain. There is no conda solver here. The artifacts' dependencies are installed from PyPI into a new virtual
// environment, and the artifacts' files are then unpacked into it. Install checks that all pins on the artifacts are satisfied.
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
	if err := e.refuse(n.refusals); err != nil {
		return toolchain.Environment{}, err
	}
	if _, err := e.uv.FindTools(ctx); err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.showPrograms(ctx, n.programs); err != nil {
		return toolchain.Environment{}, err
	}
	asks, err := pythons.ReadArchives(nil, archives)
	if err != nil {
		return toolchain.Environment{}, err
	}
	python, err := e.pythons.Choose(ctx, "installing the published packages", asks)
	if err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.uv.MakeEnvironment(ctx, python, i.Dir); err != nil {
		return toolchain.Environment{}, err
	}
	if err := e.installForeign(ctx, i.Dir, n); err != nil {
		return toolchain.Environment{}, err
	}
	prefix := newPrefix(i.Dir, python)
	return toolchain.Environment{Dir: i.Dir, Python: prefix.python()}, prefix.linkAll(archives)
}

// openAll opens archives, and returns a function that closes them.
func openAll(paths []string) (archives []*condapkg.Archive, closeAll func(), err error) {
	closeAll = func() {
		for _, a := range archives {
			a.Close()
		}
	}
	for _, file := range paths {
		a, err := condapkg.Open(file)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		archives = append(archives, a)
	}
	return archives, closeAll, nil
}

// prefix is an environment into which packages are linked according to the rules for noarch python packages: site-packages and scripts are placed
// where this Python expects them, and entry points become scripts.
type prefix struct {
	dir  string
	site string // relative to dir
	into *beneath.Folder
}

func newPrefix(dir string, python pythons.Interpreter) prefix {
	return prefix{dir: dir, site: path.Join("lib", "python"+python.Minor(), "site-packages")}
}

// linkAll writes the files of archives into the prefix. The environment contains symlinks to its interpreter and hard links into uv's cache.
// linkAll never writes through them.
func (p prefix) linkAll(archives []*condapkg.Archive) error {
	if len(archives) == 0 {
		return nil
	}
	var err error
	if p.into, err = beneath.Open(p.dir); err != nil {
		return err
	}
	defer p.into.Close()
	for _, a := range archives {
		if err := p.link(a); err != nil {
			return fmt.Errorf("installing %s: %w", a.Stem(), err)
		}
	}
	return nil
}

func (p prefix) python() string { return filepath.Join(p.dir, "bin", "python") }

// mostFile limits the size of an installed file, in bytes, because the whole file is read into memory.
const mostFile = 1 << 30

func (p prefix) link(a *condapkg.Archive) error {
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	prefixes := map[string]string{}
	for _, listed := range paths {
		prefixes[listed.Path] = listed.PrefixPlaceholder
	}
	err = a.Walk(func(h *tar.Header, r io.Reader) error {
		if h.Typeflag != tar.TypeReg {
			return nil // noarch python packages contain only regular files, because conda builders omit links
		}
		if h.Size > mostFile {
			return fmt.Errorf("its file %.120q has %d bytes, which is more than the limit", h.Name, h.Size)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if old := prefixes[h.Name]; old != "" {
			data = move(data, old, p.dir)
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
		if err := p.writeEntryPoint(point); err != nil {
			return err
		}
	}
	return nil
}

func (p prefix) target(name string) string {
	switch first, rest, _ := strings.Cut(name, "/"); first {
	case "site-packages":
		return path.Join(p.site, rest)
	case "python-scripts":
		return path.Join("bin", rest)
	}
	return name
}

// isOfInterpreter reports whether a file or symlink in an environment belongs to its interpreter.
func isOfInterpreter(name string) bool {
	switch path.Base(name) {
	case "pyvenv.cfg":
		return path.Dir(name) == "."
	case "python", "python3":
		return path.Dir(name) == "bin"
	}
	return false
}

func (p prefix) write(name string, data []byte, mode os.FileMode) error {
	var link *beneath.LinkError
	refused := isOfInterpreter(name)
	var err error
	if !refused {
		err = p.into.Write(name, data, mode)
	}
	if refused || errors.As(err, &link) {
		return operr.New("remove this file from the package, or install the package with pixi: PIPELINE_TOOLCHAIN=pixi",
			"the package has the file %q, but in the environment this path is a link or belongs to the interpreter", name)
	}
	return err
}

// writeEntryPoint writes the script for "command = module:function" in the same form as conda installers.
func (p prefix) writeEntryPoint(text string) error {
	point, err := condapkg.ParseEntryPoint(text)
	if err != nil {
		return err
	}
	root, _, _ := strings.Cut(point.Function, ".")
	script := fmt.Sprintf("%s\nimport sys\n\nfrom %s import %s\n\nif __name__ == \"__main__\":\n    sys.exit(%s())\n", writePythonShebang(p.python()), point.Module, root, point.Function)
	return p.write(path.Join("bin", point.Command), []byte(script), 0o755)
}
