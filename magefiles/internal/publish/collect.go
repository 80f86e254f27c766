package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Artifacts are what was built, by package name.
type Artifacts map[string]toolchain.Artifact

// Ready returns the artifacts that lie in the folder of artifacts for the versions that the manifests name, each
// compared with its manifest. One that is older than its sources is left out: it is to be built again. So is one whose wheel
// was built between two tags, as `build:all` does it where a tool makes the version.
func (p *Publisher) Ready(ctx context.Context) (Artifacts, error) {
	ready := Artifacts{}
	entries, err := os.ReadDir(p.Output)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		name, err := condapkg.ParseFileName(e.Name())
		if err != nil {
			continue
		}
		pkg, err := p.Workspace.Package(name.Name)
		if err != nil || (pkg.Version.Text != "" && pkg.Version.Text != name.Version) {
			continue
		}
		a, err := toolchain.Check(p.Workspace, pkg, filepath.Join(p.Output, e.Name()))
		if other := (*toolchain.WheelError)(nil); errors.As(err, &other) && pkg.FromTags() != nil {
			continue
		}
		if err != nil {
			return nil, operr.New("build it again: `mage build:package "+pkg.Name+"`", "%s cannot be published: %w", e.Name(), err)
		}
		since, err := p.since(ctx, pkg)
		if err != nil {
			return nil, err
		}
		if older(a.Index, since) {
			continue
		}
		if twice, ok := ready[pkg.Name]; ok {
			return nil, operr.New("remove the one that is not meant", "there are two artifacts of %s: %s and %s",
				pkg.Name, filepath.Base(twice.Path), e.Name())
		}
		ready[pkg.Name] = a
	}
	return ready, nil
}

// Missing returns the packages, dependencies first, of which there is neither an artifact nor the version on the channel.
func (p *Publisher) Missing(h Holdings, ready Artifacts) (missing []*workspace.Package) {
	for _, pkg := range p.Workspace.Order() {
		if _, ok := ready[pkg.Name]; !ok && (pkg.Version.Text == "" || len(h.Of(pkg.Name, pkg.Version.Text)) == 0) {
			missing = append(missing, pkg)
		}
	}
	return missing
}

// Build builds packages and adds them to the artifacts that are ready.
func (p *Publisher) Build(ctx context.Context, missing []*workspace.Package, ready Artifacts) error {
	if len(missing) == 0 {
		return nil
	}
	built, err := p.Tools.Build(ctx, toolchain.Build{
		Workspace: p.Workspace, Packages: missing, Dir: p.Output, SourceDate: p.Date, Log: p.Log, Sources: p.From,
	})
	if err != nil {
		return err
	}
	for _, a := range built {
		ready[a.Package] = a
	}
	return nil
}

// placeholders are versions that tools write where they do not know one (setuptools_scm, versioneer, hatch-vcs and
// people who have to fill a field in).
var placeholders = []string{"dynamic", "unknown", "0+unknown", "0+untagged", "0.0.0"}

// checkPlaceholder refuses a version that stands for none. "0.0.0" is one only where a tool made it.
func checkPlaceholder(pkg *workspace.Package, x condapkg.Index) error {
	for _, text := range placeholders {
		if x.Version == text && (text != "0.0.0" || pkg.Version.Text == "") || strings.HasPrefix(x.Version, "0+u") {
			return operr.New("give the package a version, and build it again",
				"%s cannot be published: its version is the placeholder %q", x.FileName(), x.Version)
		}
	}
	return nil
}

// sameIndex compares what a solver takes from a package. Channels may add fields of their own to a record.
func sameIndex(want, got condapkg.Index) error {
	for _, c := range []struct {
		what      string
		want, got any
	}{
		{"name", want.Name, got.Name},
		{"version", want.Version, got.Version},
		{"build", want.Build, got.Build},
		{"build_number", want.BuildNumber, got.BuildNumber},
		{"subdir", want.Subdir, got.Subdir},
		{"noarch", want.Noarch, got.Noarch},
		{"depends", strings.Join(want.Depends, ", "), strings.Join(got.Depends, ", ")},
		{"constrains", strings.Join(want.Constrains, ", "), strings.Join(got.Constrains, ", ")},
	} {
		if c.want != c.got {
			return fmt.Errorf("its %s is %q and not %q", c.what, c.got, c.want)
		}
	}
	return nil
}
