package view

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/touched"
)

// Work shows the packages that a change affects, and their tasks.
func (v *View) Work(w touched.Work) {
	switch {
	case w.All != "":
		v.Text("all packages: %s", w.All)
	case !w.Any:
		v.Line("no package is touched")
		return
	}
	var rows [][]string
	for _, leg := range w.Matrix.Include {
		rows = append(rows, []string{leg.Package, strings.Join(leg.Tasks, " ")})
	}
	v.Table([]string{operr.Count(len(rows), "package"), "tasks"}, rows)
}
