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

// prepare makes, or brings up to date, the virtual environment of one of a manifest's environments and returns its
// folder. It holds two marks: the interpreter with what was asked of PyPI, and the digest of the
// workspace's own sources; only what changed is installed again.
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

// writeSuffix tells the environments of one name apart that take the workspace's packages from different places. No name of
// an environment has a dot.
func (n *needs) writeSuffix() string {
	switch {
	case n.takesSources():
		return ".local"
	case n.takesChannel():
		return ".channel"
	}
	return ""
}

// folder returns where an environment lies, and makes the folder above it, which no repository is to commit.
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

// makeEnvironment makes the environment new, of an interpreter, with what comes from PyPI and from the channel.
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

// installForeign installs what comes from PyPI. Where that fails, the projects that do not have their conda names are named.
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

// installInto installs into an environment, and says where.
func (e *Toolchain) installInto(ctx context.Context, dir string, options []string, what ...string) error {
	return e.uv.Install(ctx, dir, "installing from PyPI into "+toolchain.Relative(e.workspace, dir), options, what...)
}

// installOwn installs the workspace's own packages, without what they require, which is there. Those that are not editable are built
// for it, and leave nothing in the work tree.
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

// digestOwn goes over everything in the folders of the packages that are installed from sources, and over what builds need though git
// ignores it. Of an editable one only what its metadata is made of counts.
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

// treeHash is a digest of files and folders.
type treeHash struct {
	h    hash.Hash
	root string          // what is out of it has no part in a build
	seen map[string]bool // folders and files, without links
}

// add adds a file, or the files below a folder and behind links in it, but for what tools leave there.
func (t treeHash) add(top string) error {
	real, _ := filepath.EvalSymlinks(top) // "" where it leads nowhere, which is outside
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

// isMarked reports whether an environment has a mark of that value.
func isMarked(dir, name, value string) bool {
	got, err := beneath.Read(filepath.Join(dir, name))
	return err == nil && string(got) == value
}

func mark(dir, name, value string) error {
	return beneath.WriteFile(dir, name, []byte(value), 0o644)
}
