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

// Origin describes the commit that artifacts are built from.
type Origin struct {
	Commit string // hash; "" outside of git, or if there are uncommitted edits
	Tree   string // hash of the commit's tree

	// Same reports whether a package's sources are the same at this commit and at another one: its folder, its sources elsewhere, and what it
	// inherits. It returns false if the other commit is not known.
	Same func(ctx context.Context, p *workspace.Package, commit string) (bool, error)
}

// Record writes a build record for each artifact, so that Ready accepts the artifact later. If the artifacts were not built from a commit, Record
// only adds them to the list of generated files, which may be removed.
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

// recordOf returns the build record for a file of a package, or the reason why there is none. All code in this package that reads build records
// calls recordOf: if old records lack a new field, this is the place to reject them with a reason.
func (p *Publisher) recordOf(pkg, sha256 string) (r provenance.BuildRecord, why string, err error) {
	r, known, err := p.Builds.Of(sha256)
	if err == nil && (!known || r.Package != pkg) {
		why = "has no build record in this clone, because it was built elsewhere or with uncommitted edits"
	}
	return r, why, err
}

// OfRecords fills in a folder's digests from the build records. It returns an error if this clone did not build a file from the commit that is
// checked out. It does not compare the tools, because a clone that only uploads does not have them.
func (p *Publisher) OfRecords(d Digests) (Digests, error) {
	const next = "build the packages in this clone, from the committed files: `mage build:all`"
	d.Reproducible = true // decided by the records, not by the digests in the folder
	d.Files = slices.Clone(d.Files)
	for i, f := range d.Files {
		r, why, err := p.recordOf(f.Package, f.SHA256)
		switch {
		case err != nil:
			return d, err
		case why == "" && r.File != f.File:
			why = "was built under another name, " + r.File
		case why == "" && r.Commit != p.Origin.Commit:
			why = fmt.Sprintf("was built from the commit %.12s, but %.12s is checked out", r.Commit, p.Origin.Commit)
		}
		if why != "" {
			return d, operr.NewStopped(next, "%s %s; nothing was sent", f.File, why)
		}
		d.Files[i].Tools, d.Reproducible = r.Tools, d.Reproducible && r.Reproducible
	}
	return d, nil
}

// explainUnrecorded returns the reason why the file with this sha256 is not a ready artifact of a package, or "" if it is ready.
func (p *Publisher) explainUnrecorded(ctx context.Context, pkg *workspace.Package, sha256 string) (why string, err error) {
	r, why, err := p.recordOf(pkg.Name, sha256)
	if why != "" || err != nil {
		return why, err
	}
	if p.Origin.Commit == "" {
		return "was built from a commit, but the sources here are not committed", nil
	}
	tools, err := p.Tools.BuiltWith(ctx, pkg)
	if err != nil {
		return "", err
	}
	if r.Tools != tools {
		return "was built with other tools (" + r.Tools + ")", nil
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
	return "was built from other sources", nil
}
