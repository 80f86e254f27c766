package view

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/image"
)

// ImagePlan shows the image that would be built, the tags that would move if any, and warnings.
func (v *View) ImagePlan(p *image.Plan, tags bool) {
	v.Heading("%s %s of %s, for %s", p.Repository, p.Version, p.Revision[:min(12, len(p.Revision))], strings.Join(p.Platforms, " and "))
	var rows [][]string
	for _, t := range p.Tags {
		rows = append(rows, []string{"  " + t.Name, t.Why})
	}
	if tags && len(rows) > 0 {
		v.Table([]string{"  TAG", ""}, rows)
	}
	for _, warning := range p.Warnings {
		v.Text("  ○ %s", warning)
	}
}

// Image shows the image that was built, and its location.
func (v *View) Image(r image.Result) {
	where := r.Repository + "@" + r.Digest
	if !r.Pushed {
		where = r.Kept + " (" + r.Digest + "); nothing was pushed"
	}
	v.Heading("\n%s: %s", r.Name, where)
	v.AddMade(r.Name, where)
	for _, one := range r.Images {
		v.Text("  %s  %s  %s", one.Platform, columns.Digest(one.Digest), columns.Size(one.Size))
	}
}

// Images shows several images that were built.
func (v *View) Images(all []image.Result) {
	for _, r := range all {
		v.Image(r)
	}
}
