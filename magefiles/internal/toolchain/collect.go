package toolchain

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Collect checks freshly built archives against their manifests, in the order of b.Packages. It then moves each into b.Dir, replacing earlier
// archives of the same package.
func Collect(b Build, built []string) ([]Artifact, error) {
	var artifacts []Artifact
	check := Check
	if b.AnyWheel {
		check = checkAny
	}
	for i, p := range b.Packages {
		a, err := check(b.Workspace, p, built[i])
		if err != nil {
			return nil, err
		}
		artifacts = append(artifacts, a)
	}
	if err := atomicfile.MakeIgnored(b.Dir); err != nil {
		return nil, err
	}
	for i, a := range artifacts {
		path, err := place(b.Dir, a)
		if err != nil {
			return nil, err
		}
		artifacts[i].Path = path
	}
	return artifacts, nil
}

// place atomically moves an artifact into dir, and removes archives of the same package that earlier builds left there.
func place(dir string, a Artifact) (string, error) {
	path := filepath.Join(dir, filepath.Base(a.Path))
	if err := move(a.Path, path); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		name, err := condapkg.ParseFileName(e.Name())
		if err != nil || name.Name != a.Package || e.Name() == filepath.Base(path) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return "", err
		}
	}
	return path, nil
}

// move renames a file, or copies it if the target is on another file system.
func move(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	in, err := beneath.OpenFile(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), strings.TrimSuffix(filepath.Base(to), condapkg.Ext)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Chmod(0o644); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}
