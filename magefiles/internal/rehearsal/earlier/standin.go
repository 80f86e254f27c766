package earlier

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// standIn makes an empty package, with the manifest's metadata, for each package of a past release that could not be built, so that the channel has
// its version. It reports these packages as missing. `w` is the workspace at the tag. If `w` is nil, because it cannot be read, today's manifests are
// used.
func (m Maker) standIn(p *past, w *workspace.Workspace, why error, dir string, files []string) ([]string, error) {
	from, of := w, "the manifest in the tagged commit"
	if len(p.packages(w)) == 0 {
		from, of = m.Workspace, "the current manifest"
	}
	reason := "the tagged commit does not have this package"
	if why != nil {
		reason, _, _ = strings.Cut(why.Error(), "\n")
	}
	for _, pkg := range from.Order() {
		v, ok := p.versions[pkg.Name]
		built := slices.ContainsFunc(files, func(f string) bool { return packageOf(f) == pkg.Name })
		if !ok || built || w != nil && from == w && !slices.Contains(p.packages(w), pkg) {
			continue
		}
		file, err := writeStandIn(pkg, v, m.Today, dir)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		m.Missing(fmt.Sprintf("%s %s as it was released", pkg.Name, v),
			fmt.Sprintf("this package could not be built from %s (%s); an empty package with the metadata of %s replaces it on the embedded channel", strings.Join(p.tags, ", "), reason, of))
	}
	return files, nil
}

// writeStandIn writes an empty noarch package. A release cannot mistake it for a built package: it is not in an artifacts folder, has no record, and
// its build string marks it as a stand-in.
func writeStandIn(pkg *workspace.Package, version string, when time.Time, dir string) (string, error) {
	x := condapkg.Index{
		Name:        pkg.Name,
		Version:     version,
		Build:       fmt.Sprintf("%s%d", toolchain.StandIn, pkg.Build.Number),
		BuildNumber: pkg.Build.Number,
		Noarch:      condapkg.NoarchGeneric,
		Subdir:      condapkg.NoarchSubdir,
	}
	for _, d := range toolchain.ExpectedDepends(pkg, workspace.HostPlatform()) {
		x.Depends = append(x.Depends, d.Spec)
	}
	index, err := x.MarshalJSON()
	if err != nil {
		return "", err
	}
	file, err := os.Create(filepath.Join(dir, x.FileName()))
	if err != nil {
		return "", err
	}
	err = condapkg.Write(file, condapkg.Container{
		Stem: x.Stem(),
		Time: when,
		Info: []condapkg.Member{
			{Path: "info/index.json", Mode: 0o644, Data: index},
			{Path: "info/paths.json", Mode: 0o644, Data: condapkg.PathsJSON(nil)},
		},
	})
	return file.Name(), errors.Join(err, file.Close())
}
