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

// Artifacts maps the name of each built package to its artifact.
type Artifacts map[string]toolchain.Artifact

// Ready returns the artifacts in the output folder that can be published: their versions match the manifests, and this clone built them from the
// current sources with the current tools. Each is checked against its manifest. Every other file is skipped and its package must be rebuilt: a file
// that this clone has no record of, a file built from other sources, or a file whose wheel was built between two tags (which `build:all` may
// produce if a tool derives the version from tags). passed has one sentence for each skipped file.
func (p *Publisher) Ready(ctx context.Context) (ready Artifacts, passed []string, err error) {
	ready = Artifacts{}
	found, err := p.inOutput()
	if err != nil {
		return nil, nil, err
	}
	for _, f := range found {
		a, why, err := p.ready(ctx, f.pkg, f.path)
		if err != nil {
			return nil, nil, err
		}
		if why != "" {
			passed = append(passed, filepath.Base(f.path)+" "+why)
			continue
		}
		if twice, ok := ready[f.pkg.Name]; ok {
			return nil, nil, operr.New("remove the file that should not be published", "there are two built packages of %s: %s and %s",
				f.pkg.Name, filepath.Base(twice.Path), filepath.Base(f.path))
		}
		ready[f.pkg.Name] = a
	}
	return ready, passed, nil
}

// candidate is a file that is named like an artifact of a package at its current version.
type candidate struct {
	pkg  *workspace.Package
	path string
}

func (p *Publisher) inOutput() (found []candidate, err error) {
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
		found = append(found, candidate{pkg: pkg, path: filepath.Join(p.Output, e.Name())})
	}
	return found, nil
}

// `ready` returns the artifact in a file, or the reason why the file is not ready to be published.
func (p *Publisher) ready(ctx context.Context, pkg *workspace.Package, path string) (a toolchain.Artifact, why string, err error) {
	have, err := condapkg.Identify(path)
	if err != nil {
		//lint:ignore nilerr the reason is returned as a text
		return a, "cannot be read: " + err.Error(), nil
	}
	if why, err = p.explainUnrecorded(ctx, pkg, have.SHA256); why != "" || err != nil {
		return a, why, err
	}
	a, err = toolchain.Check(p.Workspace, pkg, path)
	if other := (*toolchain.WheelError)(nil); errors.As(err, &other) && pkg.FromTags() != nil {
		return a, "contains a wheel of another version, as happens between two tags", nil
	}
	if err == nil && a.SHA256 != have.SHA256 {
		return a, "", operr.NewStopped("find out who changes this file", "%s changed while it was read; nothing was sent", filepath.Base(path))
	}
	if err != nil {
		return a, "", operr.New("build the package again: `mage build:package "+pkg.Name+"`", "%s cannot be published: %w", filepath.Base(path), err)
	}
	return a, "", nil
}

// Missing returns the packages, dependencies first, that have no ready artifact and whose version is not on the channel.
func (p *Publisher) Missing(h Holdings, ready Artifacts) (missing []*workspace.Package) {
	for _, pkg := range p.Workspace.Order() {
		if _, ok := ready[pkg.Name]; !ok && (pkg.Version.Text == "" || len(h.Of(pkg.Name, pkg.Version.Text)) == 0) {
			missing = append(missing, pkg)
		}
	}
	return missing
}

// Build builds packages and adds their artifacts to ready.
func (p *Publisher) Build(ctx context.Context, missing []*workspace.Package, ready Artifacts) error {
	if len(missing) == 0 {
		return nil
	}
	built, err := p.Tools.Build(ctx, toolchain.Build{
		Workspace:  p.Workspace,
		Packages:   missing,
		Dir:        p.Output,
		SourceDate: p.Date,
		Log:        p.Log,
		Sources:    p.From,
	})
	if err != nil {
		return err
	}
	for _, a := range built {
		ready[a.Package] = a
	}
	return p.Record(ctx, built...)
}

// placeholders are the versions that tools (setuptools_scm, versioneer, hatch-vcs) and people fill in when the real version is not known.
var placeholders = []string{"dynamic", "unknown", "0+unknown", "0+untagged", "0.0.0"}

// checkPlaceholder returns an error if the version of an artifact is a placeholder. "0.0.0" is allowed if the manifest contains it.
func checkPlaceholder(pkg *workspace.Package, x condapkg.Index) error {
	for _, text := range placeholders {
		if x.Version == text && (text != "0.0.0" || pkg.Version.Text == "") || strings.HasPrefix(x.Version, "0+u") {
			return operr.New("write the version of the package into its manifest, and build the package again",
				"%s cannot be published: its version is the placeholder %q", x.FileName(), x.Version)
		}
	}
	return nil
}

// sameIndex compares the fields that a solver reads. It ignores other fields, because channels may add some to a record.
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
			return fmt.Errorf("the field %s is %q, but %q was expected", c.what, c.got, c.want)
		}
	}
	return nil
}
