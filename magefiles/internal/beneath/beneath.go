// Package beneath confines untrusted paths, such as paths in an archive, a record, a symlink or a manifest, to the folder in which they are
// used.
//
// [Follow] and [Leads] resolve a path before it is read. [OpenFile], [Read] and [ReadAtMost] read only regular files, so that reading always ends. A
// [Folder] is for writing. It creates only new files below the folder, even for a hostile name. It never writes through a symlink, or into a file
// that also has another name (a hard link).
package beneath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mostLinks is the maximum number of symlinks that are followed for one path. Linux has the same limit.
const mostLinks = 40

// ErrLoop means that the symlinks in a path form a loop.
var ErrLoop = errors.New("the links in this path form a loop")

// Follow resolves all symlinks in a path. The target need not exist, because it may be created before the path is read. An element that cannot be
// examined is treated as if it were not a symlink.
func Follow(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return follow(unclean(path, abs))
}

// unclean returns the absolute form of a path, but keeps "..", which must be resolved after the symlinks that precede it.
func unclean(path, abs string) string {
	if filepath.IsAbs(path) {
		return path
	}
	if dir, err := os.Getwd(); err == nil {
		return dir + string(filepath.Separator) + path
	}
	return abs
}

func follow(path string) (string, error) {
	at, rest, links := string(filepath.Separator), path, 0
	for rest != "" {
		var step string
		step, rest, _ = strings.Cut(strings.TrimLeft(rest, string(filepath.Separator)), string(filepath.Separator))
		switch step {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, step)
		leads, err := os.Readlink(next)
		if err != nil { // next is not a symlink, does not exist, or cannot be read
			at = next
			continue
		}
		if links++; links > mostLinks {
			return "", &fs.PathError{Op: "follow", Path: path, Err: ErrLoop}
		}
		if filepath.IsAbs(leads) {
			at = string(filepath.Separator)
		}
		rest = leads + string(filepath.Separator) + rest
	}
	return at, nil
}

// Leads resolves a path, and reports whether the result is `top`, or is below `top`. For a symlink loop, `below` is false. `top` may contain symlinks
// too.
func Leads(top, path string) (at string, below bool) {
	real, err := Follow(top)
	if err != nil {
		return path, false
	}
	if at, err = Follow(path); err != nil {
		return path, false
	}
	rel, err := filepath.Rel(real, at)
	return at, err == nil && filepath.IsLocal(rel)
}

// LinkError is the error for a path that is refused because it contains a symlink.
type LinkError struct {
	Name  string // the path
	Link  string // the symlink
	Leads string // target of the symlink, unresolved
}

func (e *LinkError) Error() string {
	if e.Link == e.Name {
		return fmt.Sprintf("%q is a link to %q", e.Link, e.Leads)
	}
	return fmt.Sprintf("%q is below %q, which is a link to %q", e.Name, e.Link, e.Leads)
}

// NoLink returns a *LinkError if `name`, or one of its parents below `dir`, is a symlink. It returns nil if there is no symlink, or if `name` does
// not exist. `name` is relative, with slashes, and must not lead out of `dir`. `dir` itself may contain symlinks.
func NoLink(dir, name string) error {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("the path %q leads out of the folder %s", name, dir)
	}
	at := ""
	for step := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(filepath.FromSlash(name))), "/") {
		at = filepath.ToSlash(filepath.Join(at, step))
		st, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(at)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case st.Mode()&fs.ModeSymlink != 0:
			leads, _ := os.Readlink(filepath.Join(dir, filepath.FromSlash(at))) // only used in the error
			return &LinkError{Name: name, Link: at, Leads: leads}
		}
	}
	return nil
}
