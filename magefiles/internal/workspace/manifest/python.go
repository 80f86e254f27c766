package manifest

import "github.com/foopack/foopack/magefiles/internal/tomledit"

// The tables that Dependency.Table names for what a pyproject.toml asks of the interpreter.
const (
	RequiresPythonTable = "project.requires-python"
	PoetryPythonTable   = "tool.poetry.dependencies"
)

// PythonSpecs are what a pyproject.toml asks of the interpreter, as entries for "python": [project] requires-python, in
// the words of PEP 440, and the `python` of poetry's own table, in poetry's.
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
