package release

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// Tried are the artifacts that were installed and imported before there was a tag.
type Tried struct {
	Artifacts []publish.Digest `json:"artifacts"`
	Imports   []string         `json:"imports"`             // packages of which something was imported
	Installed string           `json:"installed,omitempty"` // how; "" where nothing was to be tried
}

func (t Tried) String() string {
	switch {
	case t.Installed == "":
		return "nothing that is to be sent was built"
	case len(t.Imports) == 0:
		return "installed in " + t.Installed + " (no Python modules)"
	}
	return strings.Join(t.Imports, ", ") + " in " + t.Installed
}

// isTried takes the journal's word, which is bound to the digests.
func (r *Release) isTried(_ context.Context, before *Tried) (Tried, bool, error) {
	if before == nil || !slices.Equal(before.Artifacts, r.built.Get().Artifacts) {
		return Tried{}, false, nil
	}
	return *before, true, nil
}

// try installs what was built into a clean environment, and imports it: what lacks a module, or a dependency, is found out while all can
// be taken back.
func (r *Release) try(ctx context.Context) (Tried, error) {
	t := Tried{Artifacts: r.built.Get().Artifacts, Imports: []string{}}
	s, _, err := r.openSequence(ctx)
	if err != nil {
		return t, err
	}
	ready, err := r.artifacts(ctx, r.built.Get())
	if err != nil {
		return t, err
	}
	if err := s.Look(ctx, ready); err != nil {
		return t, err
	}
	if err := s.Decide(ctx); err != nil {
		return t, r.raise(err)
	}
	var log tail
	s.Log = &log
	v, err := s.Try(ctx)
	if err != nil {
		if !r.isOut() {
			err = operr.New("correct it and commit that, and the release takes it along; or `mage undo`", "%w; nothing was tagged or sent", err).WithWayOn()
		}
		return t, withDetail(err, log.text())
	}
	if v.Files == nil {
		return t, nil
	}
	t.Installed = v.How()
	for _, i := range s.Plan.Items {
		if len(v.Imports[i.Package]) > 0 {
			t.Imports = append(t.Imports, i.Package)
		}
	}
	return t, nil
}
