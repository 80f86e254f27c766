package folders

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// outputs determines which files in the output folder were made by builds. The user may also keep files there.
type outputs struct {
	w       *workspace.Workspace
	tracked []string            // tracked files, relative to the root
	listed  map[string][]string // digests of the files that builds recorded, keyed by name (see provenance.Made)
}

const ignoreFile = ".gitignore"

// split divides the names in the folder into names that were made here, and names to keep.
func (o outputs) split(entries []os.DirEntry) (made, stay []string) {
	for _, e := range entries {
		file := path.Join(workspace.OutputDir, e.Name())
		if e.Name() == provenance.MadeFile && !o.isTracked(file) {
			continue // the record is removed together with the files that it lists
		}
		if !o.isTracked(file) && (e.IsDir() && o.isOwnFolder(file) || !e.IsDir() && o.isOwnFile(file)) {
			made = append(made, e.Name())
			continue
		}
		stay = append(stay, e.Name())
	}
	if !slices.ContainsFunc(made, func(name string) bool { return name != ignoreFile }) && len(stay) > 0 {
		return nil, append(made, stay...) // the .gitignore may be for the user's files
	}
	if i := slices.Index(made, ignoreFile); i >= 0 && len(stay) > 0 {
		made, stay = slices.Delete(made, i, i+1), append(stay, ignoreFile)
	}
	return made, stay
}

// isTracked reports whether git tracks a file, or any file in a folder.
func (o outputs) isTracked(file string) bool {
	return slices.ContainsFunc(o.tracked, func(t string) bool { return t == file || strings.HasPrefix(t, file+"/") })
}

// isOwnFile reports whether a file was recorded as made here, with its current content, or is our own .gitignore.
func (o outputs) isOwnFile(file string) bool {
	name := path.Base(file)
	if name == ignoreFile {
		return o.ignoresAll(file)
	}
	if len(o.listed[name]) == 0 {
		return false
	}
	f, err := beneath.OpenFile(o.at(file))
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return err == nil && slices.Contains(o.listed[name], hex.EncodeToString(sum.Sum(nil)))
}

// isOwnFolder reports whether we made a folder. It checks the name, and files that only we create. An empty folder counts as ours, because nothing is
// lost when it is removed.
func (o outputs) isOwnFolder(dir string) bool {
	entries, err := os.ReadDir(o.at(dir))
	if err != nil {
		return false
	}
	switch path.Base(dir) {
	case "rehearsal", "release":
		return len(entries) == 0 || o.ignoresAll(path.Join(dir, ignoreFile))
	case Channels:
		return len(entries) == 0 || store.IsStore(o.at(dir))
	case "images":
		return !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
			return !slices.ContainsFunc(o.w.Downstreams, func(d *workspace.Downstream) bool { return strings.SplitN(d.Dir, "/", 2)[0] == e.Name() })
		})
	}
	return false
}

// ignoresAll reports whether a file has the content of the .gitignore that we write to our folders.
func (o outputs) ignoresAll(file string) bool {
	text, err := beneath.Read(o.at(file))
	return err == nil && (len(text) == 0 || string(text) == "*\n")
}

func (o outputs) at(file string) string { return filepath.Join(o.w.Root, filepath.FromSlash(file)) }
