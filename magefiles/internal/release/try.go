package release

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Tried lists the artifacts that were installed and imported before tagging.
type Tried struct {
	Artifacts []publish.Digest `json:"artifacts"`
	Imports   []string         `json:"imports"`             // packages with imported modules
	Installed string           `json:"installed,omitempty"` // how they were installed; "" if there was nothing to try
}

func (t Tried) String() string {
	switch {
	case t.Installed == "":
		return "no package that will be uploaded was built here"
	case len(t.Imports) == 0:
		return "installed in " + t.Installed + " (no Python modules)"
	}
	return strings.Join(t.Imports, ", ") + "; imported in " + t.Installed
}

// defineImport defines the step that installs and imports the built artifacts. It is skipped if nothing was built.
func (r *Release) defineImport(planned given[*plan.Plan], commit given[trace.Commit], built given[Artifacts], shop *workshop) workflow.Step[Tried] {
	return workflow.Step[Tried]{
		Name: trace.StepImport,
		Skip: func() string { return r.skipBuild(planned.Get(), commit.Get()) },
		Check: func(_ context.Context, before *Tried) (Tried, bool, error) { // the journal's record is valid only for the same digests
			if before == nil || !slices.Equal(before.Artifacts, built.Get().Artifacts) {
				return Tried{}, false, nil
			}
			return *before, true, nil
		},
		Do:  func(ctx context.Context) (Tried, error) { return try(ctx, commit.Get(), built.Get(), shop) },
		Say: Tried.String,
	}
}

// try installs the built artifacts into a clean environment and imports them, to find missing modules and dependencies while everything can still be
// undone.
func try(ctx context.Context, commit trace.Commit, built Artifacts, shop *workshop) (Tried, error) {
	t := Tried{Artifacts: built.Artifacts, Imports: []string{}}
	s, _, err := shop.openSequence(ctx)
	if err != nil {
		return t, err
	}
	ready, err := shop.artifacts(ctx, built)
	if err != nil {
		return t, err
	}
	if err := s.Look(ctx, ready); err != nil {
		return t, err
	}
	if err := s.Decide(ctx); err != nil {
		return t, raise(err, commit)
	}
	var log tail
	s.Log = &log
	v, err := s.Try(ctx)
	if err != nil {
		if !commit.IsOut() {
			err = operr.New("correct the error and commit your change, which the release then includes; or run `mage undo`", "%w; nothing was tagged or pushed", err).WithWayOn()
		}
		return t, withDetail(err, log.text())
	}
	if v.Files == nil {
		return t, nil
	}
	t.Installed = v.How()
	for _, i := range s.Delivery.Items {
		if len(v.Imports[i.Package]) > 0 {
			t.Imports = append(t.Imports, i.Package)
		}
	}
	return t, nil
}
