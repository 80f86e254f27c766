package condapkg

import (
	"archive/tar"
	"io"
	"maps"
	"slices"
)

// Check reads the whole archive and returns an error if it is invalid: the payload is damaged, a path leaves the package, the stem does not match
// the index, the list of paths is missing, or a listed file is not in the payload.
func (a *Archive) Check() error {
	return a.CheckAnd(func(*tar.Header, io.Reader) error { return nil })
}

// CheckAnd is like Check, but also calls `see` for each member of the payload, like Walk, so that the archive is read only once. The reader is only
// valid during the call, and `see` need not read it.
func (a *Archive) CheckAnd(see func(h *tar.Header, r io.Reader) error) error {
	if err := a.index.Validate(); err != nil {
		return bad("%v", err)
	}
	if stem := a.index.Stem(); a.stem != stem {
		return bad("the tar archives inside are named for %.120q, but info/index.json is for %.120q", a.stem, stem)
	}
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	_, listed := a.info["info/paths.json"]
	if _, old := a.info["info/files"]; !listed && !old {
		return bad("info/paths.json is missing, so pixi would install no file of the package")
	}
	if _, err := a.Link(); err != nil {
		return err
	}
	return a.checkPayload(paths, see)
}

// checkPayload reads every file in the payload, and checks that all listed paths exist.
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

// NeedsV3 reports whether the package uses a feature that requires repodata v3 (CEP 48): flags, extra dependencies, or an explicit revision.
// Channels may reject these packages, and older clients cannot read them.
func (x *Index) NeedsV3() bool {
	asked, ok := x.Extra["repodata_revision"]
	return len(x.Flags) > 0 || len(x.ExtraDepends) > 0 || ok && string(asked) != "0"
}
