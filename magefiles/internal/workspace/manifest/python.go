package manifest

import "github.com/foopack/foopack/magefiles/internal/tomledit"

// Values of Dependency.Table for a pyproject.toml's requirements on the interpreter.
const (
	RequiresPythonTable = "project.requires-python"
	PoetryPythonTable   = "tool.poetry.dependencies"
)

// PythonSpecs returns a pyproject.toml's requirements on the interpreter as entries for "python": requires-python in [project], in PEP
// 440 syntax, and `python` in poetry's table, in poetry's syntax.
func PythonSpecs(doc *tomledit.Document) []Dependency {
	var out []Dependency
	for _, at := range []struct {
		table string
		keys  []string
	}{
		{RequiresPythonTable, []string{"project", "requires-python"}},
		{PoetryPythonTable, []string{"tool", "poetry", "dependencies", "python"}},
	} {
		n := doc.Root.Get(at.keys...)
		text, ok := n.Str()
		if !ok {
			continue
		}
		out = append(out, Dependency{
			Pos:   Pos{File: doc.Name, Line: n.Line, Col: n.Column},
			Name:  "python",
			Spec:  Spec{Text: text, Node: n},
			Kind:  PyPI,
			Role:  RoleRun,
			Table: at.table,
		})
	}
	return out
}
