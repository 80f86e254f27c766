// Package imagepin finds the images that Dockerfiles, workflows and actions use, and pins them to the digests that registries return. A pin is
// inserted after the image's name, and the rest of the file does not change.
package imagepin

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
)

// Place is a position in a file where an image is named by a tag, or without one.
type Place struct {
	Ref  string // reference as written, without docker://
	End  int    // byte offset after Ref
	Line int    // from 1
}

// Open is a place that cannot be pinned.
type Open struct {
	Ref  string
	Line int
	Why  string
}

// Dockerfile returns the places in a Dockerfile.
func Dockerfile(text []byte) (places []Place, open []Open) {
	images, unclear := dockerfile.Parse(text).Images()
	for _, i := range images {
		places = append(places, Place(i))
	}
	for _, u := range unclear {
		open = append(open, Open{
			Ref:  u.Ref,
			Line: u.Line,
			Why:  "the name is composed of several parts: put the whole name into one ARG, and use only this ARG",
		})
	}
	return unpinned(places), open
}

// unpinned returns the places that do not have a digest.
func unpinned(places []Place) []Place {
	return slices.DeleteFunc(places, func(p Place) bool { return strings.Contains(p.Ref, "@") })
}

// latest is the default tag.
const latest = "latest"

// tagged reports whether a reference has a tag.
func tagged(ref string) bool { return strings.Contains(path.Base(ref), ":") }

// Pin inserts a digest after each name for which `digest` returns one. If a name has no tag, Pin also inserts the tag latest, so that readers and
// Renovate know which tag the digest belongs to.
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
