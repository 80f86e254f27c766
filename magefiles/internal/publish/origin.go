package publish

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Origin is what artifacts are built of.
type Origin struct {
	Commit string // hash; "" where it is not a commit: outside of git, or with edits
	Tree   string // hash of the commit's tree

	// Same reports whether what a package is made of (its folder, its sources outside of it, what it inherits) is at another commit
	// what it is at this one. False where that commit is not known.
	Same func(ctx context.Context, p *workspace.Package, commit string) (bool, error)
}

// Record writes down what was built, so that it counts as ready later. What was not built of a commit is not recorded, but for the list of what may
// be removed.
func (p *Publisher) Record(ctx context.Context, built ...toolchain.Artifact) error {
	made := map[string]string{}
	for _, a := range built {
		made[filepath.Base(a.Path)] = a.SHA256
	}
	if err := provenance.NoteMade(p.Output, made); err != nil {
		return err
	}
	if p.Origin.Commit == "" || p.Builds == nil {
		return nil
	}
	var records []provenance.BuildRecord
	for _, a := range built {
		d, err := p.digest(ctx, a)
		if err != nil {
			return err
		}
		records = append(records, provenance.BuildRecord{
			SHA256:       d.SHA256,
			Package:      d.Package,
			File:         d.File,
			Commit:       p.Origin.Commit,
			Tree:         p.Origin.Tree,
			Tools:        d.Tools,
			Reproducible: p.Tools.Reproducible(),
		})
	}
	return p.Builds.Keep(records...)
}

// recordOf returns the record of bytes, or why there is none that speaks for them as an artifact of a package. Whatever asks the records
// does it by this function: a record of before that lacks what a newer one has is passed over here, by a sentence.
func (p *Publisher) recordOf(pkg, sha256 string) (r provenance.BuildRecord, why string, err error) {
	r, known, err := p.Builds.Of(sha256)
	if err == nil && (!known || r.Package != pkg) {
		why = "has no record in this clone: it was built elsewhere, or with edits"
	}
	return r, why, err
}

// OfRecords completes what a folder says of its artifacts by the records of their builds, and refuses those that were not built in this
// clone, of the commit that is checked out. By which tools is not asked: what only uploads has none.
func (p *Publisher) OfRecords(d Digests) (Digests, error) {
	const next = "build it here, from what is committed: `mage build:all`"
	d.Reproducible = true // as far as the records say so: the folder is not asked
	d.Files = slices.Clone(d.Files)
	for i, f := range d.Files {
		r, why, err := p.recordOf(f.Package, f.SHA256)
		switch {
		case err != nil:
			return d, err
		case why == "" && r.File != f.File:
			why = "was built under another name, " + r.File
		case why == "" && r.Commit != p.Origin.Commit:
			why = fmt.Sprintf("was built of the commit %.12s, and %.12s is checked out", r.Commit, p.Origin.Commit)
		}
		if why != "" {
			return d, operr.NewStopped(next, "%s %s; nothing was sent", f.File, why)
		}
		d.Files[i].Tools, d.Reproducible = r.Tools, d.Reproducible && r.Reproducible
	}
	return d, nil
}

// unrecorded says why bytes do not count as an artifact of a package; "" where they do.
func (p *Publisher) unrecorded(ctx context.Context, pkg *workspace.Package, sha256 string) (why string, err error) {
	r, why, err := p.recordOf(pkg.Name, sha256)
	if why != "" || err != nil {
		return why, err
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
