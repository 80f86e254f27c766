package targets

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// examinePythons looks for the Python of the embedded toolchain's own tools, and for those of the environments and packages.
func (a *app) examinePythons(ctx context.Context) (embedded.Interpreter, []embedded.Use, error) {
	cache, err := a.cache()
	if err != nil {
		return embedded.Interpreter{}, nil, err
	}
	w, err := a.workspace()
	if err != nil {
		w = nil // is said elsewhere
	}
	tools := a.embedded(w, cache, "")
	python, err := tools.Python(ctx)
	if err != nil || w == nil {
		return python, nil, err
	}
	uses, err := tools.Uses(ctx)
	return python, uses, err
}

// pythonFindings has a line for each Python, with what runs on it, and one for each environment and package that none fits.
// A package that cannot be built is in the way of every release; an environment is where it is asked for.
func pythonFindings(uses []embedded.Use, needed bool) []view.Finding {
	var findings []view.Finding
	users := map[embedded.Interpreter][]embedded.Use{}
	for _, u := range uses {
		if u.Err != nil {
			f := view.Finding{What: "a Python for " + u.String(), For: "the embedded toolchain (" + u.Err.Error() + ")", Required: needed && u.Environment == ""}
			var told *operr.Error
			if errors.As(u.Err, &told) {
				f.Get = told.Next
			}
			findings = append(findings, f)
			continue
		}
		if users[u.Python] == nil {
			findings = append(findings, view.Finding{What: "Python " + u.Python.Version, Found: u.Python.Path})
		}
		users[u.Python] = append(users[u.Python], u)
	}
	for python, of := range users {
		i := slices.IndexFunc(findings, func(f view.Finding) bool { return f.Found == python.Path })
		findings[i].Found += ", for " + grouped(of)
	}
	return findings
}

// grouped names several uses: what is of one manifest together.
func grouped(uses []embedded.Use) string {
	var groups []string
	var last, names string
	for i, u := range uses {
		of, name := u.Parts()
		if of == last && i > 0 {
			names += ", " + name
			groups[len(groups)-1] = of + names
			continue
		}
		last, names = of, " "+name
		groups = append(groups, of+names)
	}
	return strings.Join(groups, "; ")
}
