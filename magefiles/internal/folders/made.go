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

// outputs tells what builds have made of what lies in the folder of outputs, which has a name that people use too.
type outputs struct {
	w       *workspace.Workspace
	tracked []string            // what git knows, relative to the root
	listed  map[string][]string // what builds say that they made, by name: see provenance.Made
}

const ignoreFile = ".gitignore"

// split returns the names in the folder that were made here, and those that stay.
func (o outputs) split(entries []os.DirEntry) (made, stay []string) {
	for _, e := range entries {
		file := path.Join(workspace.OutputDir, e.Name())
		if e.Name() == provenance.MadeFile && !o.isTracked(file) {
			continue // it goes with what it lists
		}
		if !o.isTracked(file) && (e.IsDir() && o.isOwnFolder(file) || !e.IsDir() && o.isOwnFile(file)) {
			made = append(made, e.Name())
			continue
		}
		stay = append(stay, e.Name())
	}
	if !slices.ContainsFunc(made, func(name string) bool { return name != ignoreFile }) && len(stay) > 0 {
		return nil, append(made, stay...) // a person's files may be ignored by it
	}
	if i := slices.Index(made, ignoreFile); i >= 0 && len(stay) > 0 {
		made, stay = slices.Delete(made, i, i+1), append(stay, ignoreFile)
	}
	return made, stay
}

// isTracked reports whether git knows a file, or something in a folder.
func (o outputs) isTracked(file string) bool {
	return slices.ContainsFunc(o.tracked, func(t string) bool { return t == file || strings.HasPrefix(t, file+"/") })
}

// isOwnFile reports whether a file is listed as made here, with the bytes that it has, or is the .gitignore that we put there.
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

// isOwnFolder reports whether a folder is one of our making: by its name, and by what only we put there. An empty one is nobody's loss.
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

// ignoresAll reports whether a file is the .gitignore that we put into a folder of ours.
func (o outputs) ignoresAll(file string) bool {
	text, err := beneath.Read(o.at(file))
	return err == nil && (len(text) == 0 || string(text) == "*\n")
}

func (o outputs) at(file string) string { return filepath.Join(o.w.Root, filepath.FromSlash(file)) }
