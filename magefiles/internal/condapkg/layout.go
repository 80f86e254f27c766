package condapkg

import (
	"archive/tar"
	"path"
	"strings"
)

// mostLinks limits the number of symlinks to follow when resolving a path.
const mostLinks = 40

// layout tracks the members of an archive as if they were unpacked, because a member below a symlink would be written to the link's target.
type layout struct {
	kinds map[string]byte   // type by path; tar.TypeDir for a folder that contains members
	links map[string]string // unresolved targets of symlinks
}

// add adds a member, whose own name and link target have already been validated.
func (l *layout) add(h *tar.Header) error {
	for i, c := range h.Name {
		if c != '/' {
			continue
		}
		if kind, ok := l.kinds[h.Name[:i]]; ok && kind != tar.TypeDir {
			return bad("%.120q is below %.120q, which is not a folder", h.Name, h.Name[:i])
		}
		l.kinds[h.Name[:i]] = tar.TypeDir
	}
	if kind, ok := l.kinds[h.Name]; ok && (kind != tar.TypeDir || h.Typeflag != tar.TypeDir) {
		return bad("the path %.120q occurs twice in the archive", h.Name)
	}
	l.kinds[h.Name] = h.Typeflag
	switch h.Typeflag {
	case tar.TypeSymlink:
		l.links[h.Name] = h.Linkname
	case tar.TypeLink:
		if to := strings.TrimPrefix(h.Linkname, "./"); l.kinds[to] != tar.TypeReg {
			return bad("%.120q is a hard link to %.120q, which is not an earlier file of the archive", h.Name, h.Linkname)
		}
	}
	return nil
}

// checkLinks resolves symlinks whose target has ".." after a name. If that name is itself a symlink, its parent folder is elsewhere, so the target
// may leave the package even though its text does not. For other targets, checking the text is sufficient.
func (l *layout) checkLinks() error {
	for name, target := range l.links {
		if _, behind, _ := strings.Cut(strings.TrimLeft(target, "./"), "/"); !strings.Contains("/"+behind+"/", "/../") {
			continue
		}
		if !l.stays(path.Dir(name), target) {
			return bad("the link %.120q points out of the package, to %.120q", name, target)
		}
	}
	return nil
}

// `stays` reports whether a path, relative to a folder, remains inside the package when all symlinks are followed.
func (l *layout) stays(at, rest string) bool {
	for links := 0; rest != ""; {
		var step string
		step, rest, _ = strings.Cut(rest, "/")
		switch {
		case step == "" || step == ".":
			continue
		case step == ".." && at == ".":
			return false
		case step == "..":
			at = path.Dir(at)
			continue
		}
		at = path.Join(at, step)
		target, ok := l.links[at]
		if !ok {
			continue
		}
		if links++; links > mostLinks {
			return false
		}
		at, rest = path.Dir(at), target+"/"+rest
	}
	return true
}
