package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/uv"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// prepare creates or updates the virtual environment for one of a manifest's environments and returns its folder. The folder contains two marker
// files: one for the interpreter and the packages from PyPI and the channel, and one with a digest of the workspace's own sources. Only changed
// parts are reinstalled.
func (e *Toolchain) prepare(ctx context.Context, m *manifest.Manifest, name string, n *needs) (string, error) {
	if _, err := e.uv.FindTools(ctx); err != nil {
		return "", err
	}
	if err := e.showPrograms(ctx, n.programs); err != nil {
		return "", err
	}
	asks, err := e.readEnvironment(m, n)
	if err != nil {
		return "", err
	}
	python, err := e.pythons.Choose(ctx, nameEnvironment(m, n.of), asks)
	if err != nil {
		return "", err
	}
	dir, err := e.folder(m, name+n.writeSuffix())
	if err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(dir + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()

	asked := uv.Digest(slices.Concat([]string{python.Path, python.Version, uv.ToolPins}, n.fromPyPI, n.archives)...)
	if !isMarked(dir, ".third-party", asked) {
		if err := e.makeEnvironment(ctx, python, dir, n); err != nil {
			return "", err
		}
		if err := mark(dir, ".third-party", asked); err != nil {
			return "", err
		}
	}
	own, err := e.digestOwn(n)
	if err != nil {
		return "", err
	}
	if !isMarked(dir, ".own", own) {
		if err := e.installOwn(ctx, dir, n); err != nil {
			return "", err
		}
		if err := mark(dir, ".own", own); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// writeSuffix returns a suffix that distinguishes environments with the same name that get the workspace's packages from different sources. It is
// "" or starts with a dot, which environment names never contain.
func (n *needs) writeSuffix() string {
	switch {
	case n.takesSources():
		return ".local"
	case n.takesChannel():
		return ".channel"
	}
	return ""
}

// folder returns the folder of an environment, and creates its parent, which git ignores.
func (e *Toolchain) folder(m *manifest.Manifest, name string) (string, error) {
	if e.envs != "" {
		dir := filepath.Join(e.envs, filepath.FromSlash(m.Dir), name)
		return dir, os.MkdirAll(filepath.Dir(dir), 0o755)
	}
	base := filepath.Join(e.workspace.Root, filepath.FromSlash(m.Dir), manifest.PixiDir)
	dir := filepath.Join(base, "embedded", name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	return dir, atomicfile.MakeIgnored(base, "config.toml")
}

// makeEnvironment recreates an environment with the given interpreter, and installs everything from PyPI and the channel.
func (e *Toolchain) makeEnvironment(ctx context.Context, python pythons.Interpreter, dir string, n *needs) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := e.uv.MakeEnvironment(ctx, python, dir); err != nil {
		return err
	}
	if len(n.fromPyPI) > 0 {
		e.say("installing %s into %s (Python %s)", operr.Count(len(n.fromPyPI), "requirement"), toolchain.Relative(e.workspace, dir), python.Version)
	}
	if err := e.installForeign(ctx, dir, n); err != nil {
		return err
	}
	archives, closeAll, err := openAll(n.archives)
	if err != nil {
		return err
	}
	defer closeAll()
	return newPrefix(dir, python).linkAll(archives)
}

// installForeign installs everything that comes from PyPI. If this fails, the error lists projects whose PyPI and conda names differ.
func (e *Toolchain) installForeign(ctx context.Context, dir string, n *needs) error {
	slices.Sort(n.fromPyPI)
	n.fromPyPI = slices.Compact(n.fromPyPI)
	if len(n.fromPyPI) == 0 {
		return nil
	}
	err := e.installInto(ctx, dir, nil, n.fromPyPI...)
	var told *operr.Error
	if len(n.renamed) > 0 && errors.As(err, &told) {
		return told.WithDetail(told.Detail + "\n" + strings.Join(n.renamed, "\n"))
	}
	return err
}

// installInto installs packages into an environment. Errors name the environment.
func (e *Toolchain) installInto(ctx context.Context, dir string, options []string, what ...string) error {
	return e.uv.Install(ctx, dir, "installing from PyPI into "+toolchain.Relative(e.workspace, dir), options, what...)
}

// installOwn installs the workspace's own packages without their requirements, which are already installed. Packages that are not editable are
// built first, without writing to the work tree.
func (e *Toolchain) installOwn(ctx context.Context, dir string, n *needs) error {
	options, err := e.uv.SourceOptions(dir, n.packages)
	if err != nil {
		return err
	}
	if len(n.packages)+len(n.plain) > 0 {
		from, err := e.take(ctx, n)
		if err != nil {
			return err
		}
		if err := from.giveBack(e.installInto(ctx, dir, options, from.folders...)); err != nil {
			return err
		}
	}
	for _, f := range n.editable {
		options = append(options, "--editable="+f)
	}
	if len(n.editable) == 0 {
		return nil
	}
	return e.installInto(ctx, dir, options)
}

// digestOwn hashes the contents of the folders of packages that are installed from source, and the git-ignored files that builds need. For an
// editable package it hashes only the metadata file.
func (e *Toolchain) digestOwn(n *needs) (string, error) {
	t := treeHash{h: sha256.New(), root: e.workspace.Root, seen: map[string]bool{}}
	for _, p := range n.packages {
		for _, dir := range p.Sources() {
			if err := t.add(filepath.Join(e.workspace.Root, filepath.FromSlash(dir))); err != nil {
				return "", err
			}
		}
	}
	for _, dir := range n.plain {
		if err := t.add(dir); err != nil {
			return "", err
		}
	}
	if len(n.packages)+len(n.plain) > 0 {
		for _, file := range e.workspace.Config.Include {
			if err := t.add(filepath.Join(e.workspace.Root, filepath.FromSlash(file))); err != nil {
				return "", err
			}
		}
	}
	for _, dir := range n.editable {
		data, err := beneath.Read(filepath.Join(dir, manifest.PyprojectFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		fmt.Fprintf(t.h, "%s %d\n%s", dir, len(data), data)
	}
	return hex.EncodeToString(t.h.Sum(nil)), nil
}

// treeHash hashes files and folders.
type treeHash struct {
	h    hash.Hash
	root string          // files outside of this folder are not hashed
	seen map[string]bool // folders and files already hashed, symlinks resolved
}

// add hashes a file, or all files below a folder, following symlinks. It skips files that tools create.
func (t treeHash) add(top string) error {
	real, _ := filepath.EvalSymlinks(top) // "" for a broken symlink, which is treated as outside
	below, _ := filepath.Rel(t.root, real)
	if !filepath.IsLocal(below) {
		fmt.Fprintf(t.h, "%s leads to %s\n", top, real)
		return nil
	}
	if t.seen[real] {
		return nil
	}
	return filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != real && (t.seen[path] || strings.HasPrefix(d.Name(), ".") || d.Name() == "__pycache__" || d.Name() == workspace.OutputDir) {
			return filepath.SkipDir
		}
		t.seen[path] = true
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			return t.add(path)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := beneath.Read(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.h, "%s %d\n", path, len(data))
		_, err = t.h.Write(data)
		return err
	})
}

// isMarked reports whether an environment's marker file called name contains value.
func isMarked(dir, name, value string) bool {
	got, err := beneath.Read(filepath.Join(dir, name))
	return err == nil && string(got) == value
}

func mark(dir, name, value string) error {
	return beneath.WriteFile(dir, name, []byte(value), 0o644)
}
