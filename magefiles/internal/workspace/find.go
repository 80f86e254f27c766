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
	manifest  *manifest.File // the one that shadows the others
	linked    bool           // it is behind a symlink
	pyproject *manifest.File // nil where there is none; the manifest itself where that is a pyproject.toml
}

// finder walks through a workspace. Every file is read and parsed once.
type finder struct {
	root     string
	folders  []*folder                     // in the order of the walk: parents first, names sorted
	docs     map[string]*tomledit.Document // by real path relative to the root
	visited  map[string]bool               // real paths of the directories that were walked through
	ignore   ignore.Rules                  // [tool.release] ignore
	projects []string                      // every pyproject.toml that is nothing to pixi and has a [project]
	recipes  []string                      // every recipe.yaml and meta.yaml
	copies   map[string]bool               // files of other tools that have a copy of a version, relative to the root
	python   modules.Modules               // the Python files
	links    []link                        // directories behind symlinks, for later
}

// link is a symlink to a directory.
type link struct{ dir, real string }

// Root returns the folder of the workspace that dir belongs to, as Load finds it: absolute, symlinks resolved.
func Root(dir string) (string, error) { return findRoot(dir) }

// findRoot walks up from dir to the directory whose manifest has a [workspace] table, as pixi does. A manifest without
// one on the way is a package of the workspace that is looked for.
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
		entries, _ := os.ReadDir(at) // a folder above that may not be read has no manifest for us
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

// find returns all folders with manifests, the root's first. Below a nested workspace nothing is looked for.
func find(root string) (*finder, error) {
	f := &finder{root: root, docs: map[string]*tomledit.Document{}, visited: map[string]bool{}}
	outer := ignore.Outer(root)
	if err := f.walk(".", root, outer); err != nil {
		return nil, err
	}
	// What is behind a symlink comes last, so that a folder is known by its own path and not by the link's.
	for i := 0; i < len(f.links); i++ {
		if err := f.walk(f.links[i].dir, f.links[i].real, outer); err != nil {
			return nil, err
		}
	}
	f.once()
	return f, nil
}

// walk looks into a directory and those below it. real is its path without symlinks.
func (f *finder) walk(dir, real string, above *ignore.Folder) error {
	if f.visited[real] {
		return nil
	}
	f.visited[real] = true
	entries, err := os.ReadDir(real)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil // pixi, too, passes over what it may not read
		}
		return operr.New("make the folder readable, or ignore it", "looking for packages: %w", err)
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
			// What is wrong with them is said where the table is read.
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

// enter walks through a directory, or puts off one that is behind a symlink. A link out of the workspace is not
// followed: it leads to what a release of ours must not change.
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

// manifests returns the real paths of the manifest files among a directory's entries, by name. Behind a symlink a file
// counts only if it is in the workspace.
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

// read parses the manifests of a folder: the one that counts for pixi, and the pyproject.toml beside it. It returns nil
// for a folder that is nothing to pixi.
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
			return nil, nil // a pyproject.toml that is nothing to pixi hides a mojoproject.toml from it
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

// parse reads one file. With onlyPixi it returns nil for one that never names pixi: other people's broken files do not
// matter.
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
		return nil, operr.New("correct the file there: it is not valid TOML", "%w", err)
	}
	f.docs[file] = doc
	return doc, nil
}

// relative is the name of a file in the workspace, relative to the root.
func (f *finder) relative(abs string) string {
	return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(abs, f.root), string(filepath.Separator)))
}

// once drops the folders whose manifest is a symlink to one that is known already: as the root's, by its own path, or by
// another link.
func (f *finder) once() {
	owner := map[string]*folder{}
	for _, found := range f.folders {
		if at := owner[found.manifest.Path]; at == nil || at.dir != "." && at.linked && !found.linked {
			owner[found.manifest.Path] = found
		}
	}
	f.folders = slices.DeleteFunc(f.folders, func(found *folder) bool { return owner[found.manifest.Path] != found })
}
