// Package beneath keeps a path whose name comes from elsewhere (an archive, a record, a link, a manifest) in the folder that it is
// used in.
//
// [Follow] and [Leads] say where a path ends, before anything is read there. [OpenFile], [Read] and [ReadAtMost] read files, and nothing that would not
// end. A [Folder] writes: whatever a name says, what is written is a new file below the folder, and never one that a link leads to, or that has another
// name elsewhere.
package beneath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mostLinks is how many links are followed for one path: as many as Linux follows.
const mostLinks = 40

// ErrLoop is wrapped by the error of a path whose links lead on and on.
var ErrLoop = errors.New("its links lead to one another")

// Follow says where a path ends once all links on the way are followed, be there something or not: what is not there now may be
// there when it is read. A step that may not be looked at counts as one that is no link.
func Follow(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return follow(unclean(path, abs))
}

// unclean is the absolute form of a path whose ".." are still to be taken step by step, behind links.
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
		if err != nil { // not a link, not there, or not to be looked at
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

// Leads says where a path ends, and whether that is top or below it. A path whose links lead to one another ends nowhere, and is
// not below. top may have links of its own.
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

// LinkError says that a path is not used, because a link is on the way.
type LinkError struct {
	Name  string // the path that was named
	Link  string // the link
	Leads string // where it leads, as it says
}

func (e *LinkError) Error() string {
	if e.Link == e.Name {
		return fmt.Sprintf("%q is a link, to %q", e.Link, e.Leads)
	}
	return fmt.Sprintf("%q is behind %q, a link to %q", e.Name, e.Link, e.Leads)
}

// NoLink returns a *LinkError where dir has a link at name, or on the way to it, and nothing where it does not, or has nothing there.
// The name is relative, with slashes; one that leaves dir is an error too. dir itself may be reached by links.
func NoLink(dir, name string) error {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("%q leaves the folder %s", name, dir)
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
			leads, _ := os.Readlink(filepath.Join(dir, filepath.FromSlash(at))) // it only tells
			return &LinkError{Name: name, Link: at, Leads: leads}
		}
	}
	return nil
}
