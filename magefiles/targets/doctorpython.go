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

// pythonFindings has a line for each Python, with what runs on it, and one for each reason why there is none, with those
// environments and packages. A package that cannot be built is in the way of every release; an environment is where it is
// asked for.
func pythonFindings(uses []embedded.Use, needed bool) []view.Finding {
	var order []string
	users := map[string][]embedded.Use{}
	for _, u := range uses {
		key := u.Python.Path
		if u.Err != nil {
			key = strings.TrimPrefix(u.Err.Error(), u.String()+": ")
		}
		if users[key] == nil {
			order = append(order, key)
		}
		users[key] = append(users[key], u)
	}
	var findings []view.Finding
	for _, key := range order {
		of := users[key]
		if of[0].Err == nil {
			findings = append(findings, view.Finding{What: "Python " + of[0].Python.Version, Found: key + ", for " + grouped(of)})
			continue
		}
		f := view.Finding{
			What:     "a Python for " + grouped(of),
			For:      "the embedded toolchain (" + key + ")",
			Required: needed && slices.ContainsFunc(of, func(u embedded.Use) bool { return u.Environment == "" }),
		}
		var told *operr.Error
		if errors.As(of[0].Err, &told) {
			f.Get = told.Next
		}
		findings = append(findings, f)
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
