package toolchain

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// distribution is what an archive holds of a wheel that was installed into it: the metadata that importlib.metadata reads.
type distribution struct {
	site    string // the site-packages folder that it lies in
	file    string // its path in the archive
	name    string // as PyPI compares names
	version string // "" where it says none
}

// metadataFile is the metadata of a project right in a site-packages folder, where noarch packages, Unix and Windows have it.
// What a package has vendored lies deeper.
var metadataFile = regexp.MustCompile(`^((?:lib/python[0-9.]+t?/|Lib/)?site-packages)/([^/]+)\.(?:dist-info/METADATA|egg-info(?:/PKG-INFO)?)$`)

// mostMetadata is how much of such a file is read: the fields that matter stand in front of the long description.
const mostMetadata = 1 << 20

// readDistribution reads a member of an archive; ok is false for one that is not metadata.
func readDistribution(h *tar.Header, r io.Reader) (d distribution, ok bool, err error) {
	m := metadataFile.FindStringSubmatch(h.Name)
	if m == nil || h.Typeflag != tar.TypeReg {
		return d, false, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, mostMetadata))
	folder, _, _ := strings.Cut(m[2], "-")
	d = distribution{site: m[1], file: h.Name, name: manifest.PyPIName(folder), version: field(data, "Version")}
	if name := field(data, "Name"); name != "" {
		d.name = manifest.PyPIName(name)
	}
	return d, true, err
}

// field returns the first header of a name, as Python reads it; "" where there is none before the description, which begins below
// the first line that is not a header. A line that begins with a blank goes on with the one above.
func field(data []byte, name string) string {
	for line := range strings.SplitSeq(ends.Replace(string(data)), "\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(key, " \t") {
			break
		}
		if strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ends are the ends of lines that Python knows.
var ends = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// pickOwn picks the distributions that are the package's own. Where nothing says what it is called on PyPI, it is the one of the
// conda name, or, where the build installs just one project, that one.
func pickOwn(p *workspace.Package, all []distribution) (mine []distribution) {
	name := p.PyPIName
	if name == "" {
		name = p.Name
	}
	for _, d := range all {
		if d.name == manifest.PyPIName(name) {
			mine = append(mine, d)
		}
	}
	if len(mine) == 0 && len(all) == 1 && p.PyPIName == "" && p.Build.Backend == PythonBackend {
		return all
	}
	return mine
}

// WheelError says that the wheel inside an artifact is of another version than the artifact.
type WheelError struct {
	File    string // base name of the artifact
	Inside  string // path of the metadata in the archive
	Name    string // of the package
	Says    string // the wheel's version; "" where it says none
	Version string // the artifact's
}

func (e *WheelError) Error() string {
	says := "is " + e.Says
	if e.Says == "" {
		says = "has no version"
	}
	return fmt.Sprintf("the wheel in %s says that it %s, and the package is %s %s (%s)", e.File, says, e.Name, e.Version, e.Inside)
}

// checkWheel compares the version of the wheel in an artifact with the artifact's, and returns what the wheel says; "" where
// there is none in it. The error is a *WheelError where they differ.
func checkWheel(p *workspace.Package, file, want string, all []distribution) (says string, err error) {
	mine := pickOwn(p, all)
	for i, d := range mine {
		for _, e := range mine[:i] {
			if d.site == e.site {
				return "", operr.New("build it again from sources without what an earlier build has left; the file was not used", "%s has the metadata of %s twice, %s and %s: Python takes whichever it comes by first",
					file, d.name, path.Base(path.Dir(e.file)), path.Base(path.Dir(d.file)))
			}
		}
		if !version.Equivalent(d.version, want) {
			return d.version, &WheelError{File: file, Inside: d.file, Name: p.Name, Says: d.version, Version: want}
		}
		says = d.version
	}
	return says, nil
}
