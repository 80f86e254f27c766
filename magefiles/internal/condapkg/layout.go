package condapkg

import (
	"archive/tar"
	"path"
	"strings"
)

// mostLinks is how many links of an archive may lead to one another.
const mostLinks = 40

// layout is what the members of an archive are to one another, once they are unpacked: a member behind a link would be written to
// wherever that leads.
type layout struct {
	kinds map[string]byte   // by path: its type, or tar.TypeDir for a folder that members lie in
	links map[string]string // targets of symlinks, as they are written
}

// add takes a member in, whose name and link were checked by themselves.
func (l *layout) add(h *tar.Header) error {
	for i, c := range h.Name {
		if c != '/' {
			continue
		}
		if kind, ok := l.kinds[h.Name[:i]]; ok && kind != tar.TypeDir {
			return bad("%.120q is behind %.120q, which is not a folder", h.Name, h.Name[:i])
		}
		l.kinds[h.Name[:i]] = tar.TypeDir
	}
	if kind, ok := l.kinds[h.Name]; ok && (kind != tar.TypeDir || h.Typeflag != tar.TypeDir) {
		return bad("the path %.120q stands twice in the archive", h.Name)
	}
	l.kinds[h.Name] = h.Typeflag
	switch h.Typeflag {
	case tar.TypeSymlink:
		l.links[h.Name] = h.Linkname
	case tar.TypeLink:
		if to := strings.TrimPrefix(h.Linkname, "./"); l.kinds[to] != tar.TypeReg {
			return bad("%.120q is a link to %.120q, which is not a file before it", h.Name, h.Linkname)
		}
	}
	return nil
}

// checkLinks follows the links that step back behind a name: read as text such a path may stay in the package, while the name is
// itself a link, and one up from there is elsewhere. All others lead where they say.
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

// stays reports whether a path, from a folder, is in the package with all links on the way followed.
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
