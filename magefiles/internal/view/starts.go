package view

import (
	"github.com/foopack/foopack/magefiles/internal/actions/starts"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Starts shows which workflow files a push would trigger, and why it would not trigger the others.
func (v *View) Starts(a starts.Answer) {
	for _, ref := range a.Refs {
		what := ""
		switch {
		case ref.First:
			what = ", new on the remote: " + operr.Count(ref.Commits, "commit") + ", " + operr.Count(len(ref.Files), "changed file")
		case ref.Since != "":
			what = ": " + operr.Count(ref.Commits, "commit") + ", " + operr.Count(len(ref.Files), "changed file") + " since " + ref.Since[:12]
		}
		v.Heading("%s at %.12s%s", ref.Ref, ref.Commit, what)
		var rows [][]string
		for _, w := range ref.Workflows {
			says := "starts"
			if !w.Starts {
				says = "no: " + w.Why
			}
			rows = append(rows, []string{w.File, says})
		}
		if len(rows) == 0 {
			v.Line("there is no workflow file")
			continue
		}
		v.Table([]string{"workflow", "push"}, rows)
	}
}
