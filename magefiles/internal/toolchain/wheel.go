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

// distribution is the metadata of a wheel that was installed into an archive, as importlib.metadata would read it.
type distribution struct {
	site    string // site-packages folder that contains it
	file    string // path of the metadata file in the archive
	name    string // normalized PyPI name
	version string // "" if it has none
}

// metadataFile matches metadata files directly in a site-packages folder, in the layouts of noarch packages, Unix and Windows. Vendored projects
// are nested deeper and do not match.
var metadataFile = regexp.MustCompile(`^((?:lib/python[0-9.]+t?/|Lib/)?site-packages)/([^/]+)\.(?:dist-info/METADATA|egg-info(?:/PKG-INFO)?)$`)

// mostMetadata limits how many bytes of a metadata file are read. The fields that we need come before the long description.
const mostMetadata = 1 << 20

// readDistribution parses an archive member. `ok` is false if the member is not a metadata file.
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

// field returns the value of the first header called name, parsed as in Python, or "". The description starts after the first line that is not a
// header. A line that starts with whitespace continues the previous one.
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

// `ends` replaces all line endings that Python recognizes with "\n".
var ends = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// pickOwn returns the distributions that belong to the package itself. If the package's PyPI name is unknown, it returns the distribution with
// the conda name, or otherwise the only distribution that the build installs.
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

// WheelError reports that the version of the wheel inside an artifact differs from the artifact's version.
type WheelError struct {
	File    string // base name of the artifact
	Inside  string // path of the metadata in the archive
	Name    string // name of the package
	Says    string // the wheel's version; "" if it has none
	Version string // the artifact's version
}

func (e *WheelError) Error() string {
	says := "has version " + e.Says
	if e.Says == "" {
		says = "has no version"
	}
	return fmt.Sprintf("the wheel in %s %s, but the package is %s %s (%s)", e.File, says, e.Name, e.Version, e.Inside)
}

// checkWheel compares the version of the wheel in an artifact with the artifact's, and returns the wheel's version, or "" if there is no wheel. The
// error is a *WheelError if they differ.
func checkWheel(p *workspace.Package, file, want string, all []distribution) (says string, err error) {
	mine := pickOwn(p, all)
	for i, d := range mine {
		for _, e := range mine[:i] {
			if d.site == e.site {
				return "", operr.New("delete the files that an earlier build left in the sources, and build the package again", "%s has the metadata of %s twice, in %s and in %s, so Python could read the wrong metadata; the file was not used",
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
