package condapkg

import (
	"archive/tar"
	"io"
	"maps"
	"slices"
)

// Check reads the whole archive and says what is wrong with it: a damaged payload, a path that leaves the package, a
// stem that is not the index's, no list of paths, or a file that the list has and the payload has not.
func (a *Archive) Check() error {
	return a.CheckAnd(func(*tar.Header, io.Reader) error { return nil })
}

// CheckAnd is Check, and lets see look at every member of the payload on the way, as Walk does: who needs both reads the
// archive once. The reader is good until see returns, which need not read it.
func (a *Archive) CheckAnd(see func(h *tar.Header, r io.Reader) error) error {
	if err := a.index.Validate(); err != nil {
		return bad("%v", err)
	}
	if stem := a.index.Stem(); a.stem != stem {
		return bad("its parts are named after %.120q, and info/index.json says %.120q", a.stem, stem)
	}
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	_, listed := a.info["info/paths.json"]
	if _, old := a.info["info/files"]; !listed && !old {
		return bad("info/paths.json is missing, and without it nothing of the package is installed")
	}
	if _, err := a.Link(); err != nil {
		return err
	}
	return a.checkPayload(paths, see)
}

// checkPayload reads every file of the payload, and looks for each path of the list.
func (a *Archive) checkPayload(paths []Path, see func(h *tar.Header, r io.Reader) error) error {
	missing := map[string]bool{}
	for _, p := range paths {
		if p.Type != "directory" {
			missing[p.Path] = true
		}
	}
	err := a.Walk(func(h *tar.Header, r io.Reader) error {
		delete(missing, h.Name)
		if err := see(h, r); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return bad("%.120q: %v", h.Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return bad("info/paths.json lists %.120q, which is not in the payload", slices.Min(slices.Collect(maps.Keys(missing))))
	}
	return nil
}

// NeedsV3 reports whether the package uses what only repodata v3 can express (CEP 48): flags, extra dependencies, or a
// revision that it asks for itself. Channels may refuse such packages, and older clients cannot read them.
func (x *Index) NeedsV3() bool {
	asked, ok := x.Extra["repodata_revision"]
	return len(x.Flags) > 0 || len(x.ExtraDepends) > 0 || ok && string(asked) != "0"
}
