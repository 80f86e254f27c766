package workspace

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/ignore"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/modules"
)

// folder is a directory with a manifest.
type folder struct {
	dir       string         // relative to the root, with slashes
	manifest  *manifest.File // the manifest that shadows the others
	linked    bool           // whether the manifest was reached through a symlink
	pyproject *manifest.File // nil if there is none; equal to manifest if that is a pyproject.toml
}

// finder walks through a workspace and reads and parses each file once.
type finder struct {
	root     string
	folders  []*folder                     // the folders with manifests, in walk order: parents first, names sorted
	docs     map[string]*tomledit.Document // parsed files, keyed by real path relative to the root
	visited  map[string]bool               // real paths of visited directories
	ignore   ignore.Rules                  // [tool.release] ignore
	projects []string                      // every pyproject.toml that has a [project] and does not mention pixi
	recipes  []string                      // every recipe.yaml and meta.yaml
	copies   map[string]bool               // files of other tools that may contain a copy of a version, relative to the root
	python   modules.Modules               // the Python files
	links    []link                        // symlinks to directories, to visit last
}

// link is a symlink to a directory.
type link struct{ dir, real string }

// Root returns the root folder of the workspace that Load would read for dir, as an absolute path without symlinks.
func Root(dir string) (string, error) { return findRoot(dir) }

// findRoot walks up from dir to the directory whose manifest has a [workspace] table, as pixi does. Manifests on the way that lack this
// table are packages of the workspace.
func findRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err == nil {
		start, err = filepath.EvalSymlinks(start)
	}
	if err != nil {
		return "", operr.New("name a folder that exists", "looking for a workspace: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		f := &finder{root: at, docs: map[string]*tomledit.Document{}}
		entries, _ := os.ReadDir(at) // an unreadable parent folder is treated as having no manifest
		found, err := f.read(".", at, f.manifests(at, entries))
		if err != nil {
			return "", err
		}
		if found != nil && found.manifest.IsWorkspace() {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", noWorkspace(start)
		}
	}
}

// find returns all folders with manifests, the root first. It does not descend into nested workspaces.
func find(root string) (*finder, error) {
	f := &finder{root: root, docs: map[string]*tomledit.Document{}, visited: map[string]bool{}}
	outer := ignore.Outer(root)
	if err := f.walk(".", root, outer); err != nil {
		return nil, err
	}
	// Symlinked folders are visited last, so that a folder inside the workspace is found under its own path.
	for i := 0; i < len(f.links); i++ {
		if err := f.walk(f.links[i].dir, f.links[i].real, outer); err != nil {
			return nil, err
		}
	}
	f.dropAliases()
	return f, nil
}

// walk visits a directory and its subdirectories. `real` is its path with symlinks resolved.
func (f *finder) walk(dir, real string, above *ignore.Folder) error {
	if f.visited[real] {
		return nil
	}
	f.visited[real] = true
	entries, err := os.ReadDir(real)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil // pixi also skips folders that it may not read
		}
		return operr.New("make the folder readable, or have git ignore it", "looking for packages: %w", err)
	}
	here := above.In(dir, real, entries)
	f.python.Keep(dir, f.relative(real), entries, here)
	f.keepCopies(dir, entries, here)
	manifests := f.manifests(real, entries)
	for name := range manifests {
		if dir != "." && (here.Ignores(path.Join(dir, name), false) || f.ignore.Match(path.Join(dir, name), false)) {
			delete(manifests, name)
		}
	}
	found, err := f.read(dir, real, manifests)
	if err != nil {
		return err
	}
	if found != nil {
		if dir == "." {
			// Invalid patterns are reported by package settings, which reads the same table.
			f.ignore = ignore.ReadRules(found.manifest.Doc.Root.Get("tool", "release", "ignore").Strings())
		}
		f.folders = append(f.folders, found)
		if dir != "." && found.manifest.IsWorkspace() {
			return nil
		}
	}
	for _, e := range entries {
		if err := f.enter(path.Join(dir, e.Name()), filepath.Join(real, e.Name()), e, here); err != nil {
			return err
		}
	}
	return nil
}

// enter visits a subdirectory. Symlinks to directories are queued for later. Links that point out of the workspace are not followed,
// because a release must not change anything there.
func (f *finder) enter(dir, abs string, e fs.DirEntry, here *ignore.Folder) error {
	switch {
	case e.IsDir():
		if here.Ignores(dir, true) || f.ignore.Match(dir, true) {
			return nil
		}
		return f.walk(dir, abs, here)
	case e.Type()&fs.ModeSymlink != 0 && !here.Ignores(dir, false) && !f.ignore.Match(dir, true):
		real, err := filepath.EvalSymlinks(abs)
		if err == nil && inside(f.root, real) {
			if info, err := os.Stat(real); err == nil && info.IsDir() {
				f.links = append(f.links, link{dir: dir, real: real})
			}
		}
	}
	return nil
}

// manifests returns the real paths of the manifests among a directory's entries, keyed by name. A symlink counts only if its target is
// in the workspace.
func (f *finder) manifests(real string, entries []fs.DirEntry) map[string]string {
	var out map[string]string
	for _, e := range entries {
		if !slices.Contains(manifest.FileNames[:], e.Name()) {
			continue
		}
		file := filepath.Join(real, e.Name())
		if !e.Type().IsRegular() {
			target, err := filepath.EvalSymlinks(file)
			if err != nil || !inside(f.root, target) {
				continue
			}
			if info, err := os.Stat(target); err != nil || !info.Mode().IsRegular() {
				continue
			}
			file = target
		}
		if out == nil {
			out = map[string]string{}
		}
		out[e.Name()] = file
	}
	return out
}

func inside(root, abs string) bool {
	return abs == root || strings.HasPrefix(abs, strings.TrimSuffix(root, "/")+"/")
}

// read parses the manifests in a folder: the one that pixi would read, and the pyproject.toml next to it. It returns nil if pixi would
// not read any.
func (f *finder) read(dir, real string, files map[string]string) (*folder, error) {
	found := &folder{dir: dir}
	for _, name := range manifest.FileNames {
		file, ok := files[name]
		if !ok || found.manifest != nil && name != manifest.PyprojectFile {
			continue
		}
		doc, err := f.parse(file, name == manifest.PyprojectFile && found.manifest == nil)
		if err != nil {
			return nil, err
		}
		if doc == nil {
			return nil, nil // a pyproject.toml that does not name pixi hides a mojoproject.toml from pixi
		}
		s := manifest.NewFile(doc, dir, name == manifest.PyprojectFile)
		if name == manifest.PyprojectFile {
			found.pyproject = s
		}
		if found.manifest == nil {
			found.manifest, found.linked = s, file != filepath.Join(real, name)
		}
	}
	if found.manifest == nil {
		return nil, nil
	}
	return found, nil
}

// parse reads one file. With onlyPixi it returns nil for a file that does not mention pixi, so that syntax errors in unrelated files
// are ignored.
func (f *finder) parse(abs string, onlyPixi bool) (*tomledit.Document, error) {
	file := f.relative(abs)
	if doc := f.docs[file]; doc != nil {
		return doc, nil
	}
	src, err := readFile(abs)
	if err != nil {
		return nil, operr.New("make the file readable", "reading %s: %w", file, err)
	}
	if onlyPixi && !bytes.Contains(src, []byte("pixi")) {
		if bytes.Contains(src, []byte("[project]")) {
			f.projects = append(f.projects, file)
		}
		return nil, nil
	}
	doc, err := tomledit.Parse(file, src)
	if err != nil {
		return nil, operr.New("correct the TOML syntax of the file at this position", "%w", err)
	}
	f.docs[file] = doc
	return doc, nil
}

// relative returns the path of a file relative to the root.
func (f *finder) relative(abs string) string {
	return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(abs, f.root), string(filepath.Separator)))
}

// `dropAliases` drops folders whose manifest is a symlink to a manifest that was already found in the root, under its own path, or
// through another link.
func (f *finder) dropAliases() {
	owner := map[string]*folder{}
	for _, found := range f.folders {
		if at := owner[found.manifest.Path]; at == nil || at.dir != "." && at.linked && !found.linked {
			owner[found.manifest.Path] = found
		}
	}
	f.folders = slices.DeleteFunc(f.folders, func(found *folder) bool { return owner[found.manifest.Path] != found })
}
