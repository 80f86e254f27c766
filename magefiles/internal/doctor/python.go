package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// pythons looks for the Python of the embedded toolchain's own tools, and for the Pythons of environments and packages. `needed` reports whether the
// embedded toolchain does the work.
func (d Doctor) pythons(ctx context.Context, needed bool) []Finding {
	f := Finding{
		What:     "Python",
		For:      "the tools of the embedded toolchain, which works without pixi",
		Get:      "apt-get install python3 python3-venv",
		Required: needed,
	}
	python, uses, err := d.interpreters(ctx)
	if err == nil {
		f.Found = python.Version + " at " + python.Path
	} else {
		f.For += " (" + err.Error() + ")"
	}
	return append([]Finding{f}, pythonFindings(uses, needed)...)
}

func (d Doctor) interpreters(ctx context.Context) (python pythons.Interpreter, uses []embedded.Use, err error) {
	if d.Pythons == nil {
		return python, nil, d.NoPythons
	}
	if python, err = d.Pythons.Python(ctx); err != nil || d.Workspace == nil {
		return python, nil, err
	}
	uses, err = d.Pythons.Uses(ctx)
	return python, uses, err
}

// pythonFindings returns a finding for each Python, with everything that runs on it, and one for each reason why a Python is missing, with the
// environments and packages that need it. A package that cannot be built blocks every release. An environment without a Python fails only when
// someone uses it.
func pythonFindings(uses []embedded.Use, needed bool) []Finding {
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
	var findings []Finding
	for _, key := range order {
		of := users[key]
		if of[0].Err == nil {
			findings = append(findings, Finding{What: "Python " + of[0].Python.Version, Found: key + ", for " + describeUses(of)})
			continue
		}
		f := Finding{
			What:     "a Python for " + describeUses(of),
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

// describeUses formats several uses, grouped by manifest.
func describeUses(uses []embedded.Use) string {
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
