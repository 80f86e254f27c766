// Package imagepin finds the images that Dockerfiles, workflows and actions name, and pins them by the digests that a registry says:
// each pin is an insertion behind the name, and no other byte of a file changes.
package imagepin

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
)

// Place is where a file names an image by a tag, or by no more than its name.
type Place struct {
	Ref  string // as it is written, without docker://
	End  int    // byte offset behind it
	Line int    // from 1
}

// Open is a place that cannot be pinned, with the reason.
type Open struct {
	Ref  string
	Line int
	Why  string
}

// Dockerfile returns the places of a Dockerfile.
func Dockerfile(text []byte) (places []Place, open []Open) {
	images, unclear := dockerfile.Parse(text).Images()
	for _, i := range images {
		places = append(places, Place(i))
	}
	for _, u := range unclear {
		open = append(open, Open{
			Ref:  u.Ref,
			Line: u.Line,
			Why:  "it is put together of variables: give the whole name to one ARG, and use that",
		})
	}
	return unpinned(places), open
}

// unpinned leaves out what has a digest.
func unpinned(places []Place) []Place {
	return slices.DeleteFunc(places, func(p Place) bool { return strings.Contains(p.Ref, "@") })
}

// latest is the tag that a name without one stands for.
const latest = "latest"

// tagged reports whether a name has a tag.
func tagged(ref string) bool { return strings.Contains(path.Base(ref), ":") }

// Pin writes digests behind the names that have one. A name without a tag gets the one that it stands for, so that a reader,
// and Renovate, know what the digest is of.
func Pin(text []byte, places []Place, digest func(ref string) string) []byte {
	places = slices.Clone(places)
	slices.SortFunc(places, func(a, b Place) int { return b.End - a.End })
	for _, p := range places {
		pin := digest(p.Ref)
		if pin == "" {
			continue
		}
		pin = "@" + pin
		if !tagged(p.Ref) {
			pin = ":" + latest + pin
		}
		text = slices.Insert(slices.Clone(text), p.End, []byte(pin)...)
	}
	return text
}
