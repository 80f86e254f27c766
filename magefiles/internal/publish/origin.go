package publish

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Origin is what artifacts are built of.
type Origin struct {
	Commit string // hash; "" where it is not a commit: outside of git, or with edits
	Tree   string // hash of the commit's tree

	// Same says whether what a package is made of (its folder, its sources outside of it, what it inherits) is at another commit
	// what it is at this one. False where that commit is not known.
	Same func(ctx context.Context, p *workspace.Package, commit string) (bool, error)
}

// Record writes down what was built, so that it counts as ready later. What was not built of a commit is not recorded.
func (p *Publisher) Record(ctx context.Context, built ...toolchain.Artifact) error {
	if p.Origin.Commit == "" || p.Builds == nil {
		return nil
	}
	var records []provenance.Record
	for _, a := range built {
		d, err := p.digest(ctx, a)
		if err != nil {
			return err
		}
		records = append(records, provenance.Record{
			SHA256: d.SHA256, Package: d.Package, File: d.File, Commit: p.Origin.Commit, Tree: p.Origin.Tree, Tools: d.Tools, Reproducible: p.Tools.Reproducible(),
		})
	}
	return p.Builds.Keep(records...)
}

// unrecorded says why bytes do not count as an artifact of a package; "" where they do.
func (p *Publisher) unrecorded(ctx context.Context, pkg *workspace.Package, sha256 string) (why string, err error) {
	r, known, err := p.Builds.Of(sha256)
	if err != nil {
		return "", err
	}
	if !known || r.Package != pkg.Name {
		return "has no record here: it was built elsewhere, or with edits", nil
	}
	if p.Origin.Commit == "" {
		return "was built of a commit, and this is not one", nil
	}
	tools, err := p.Tools.BuiltWith(ctx, pkg)
	if err != nil {
		return "", err
	}
	if r.Tools != tools {
		return "was built by other tools (" + r.Tools + ")", nil
	}
	if r.Commit == p.Origin.Commit {
		return "", nil
	}
	if p.Origin.Same != nil {
		same, err := p.Origin.Same(ctx, pkg, r.Commit)
		if same || err != nil {
			return "", err
		}
	}
	return "was built of other sources", nil
}
