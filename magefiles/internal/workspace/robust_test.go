package workspace

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/stretchr/testify/require"
)

// If a value has an unexpected type, Load returns either a workspace whose methods do not panic, or an error with a position. The test replaces
// every value in two complete manifests with a value of each type.
func TestEveryTypeEverywhere(t *testing.T) {
	for _, archive := range []string{environments + "-- a/pixi.toml --\n" + pkg("a", ""), fullPackage, two("[package.run-dependencies]\ncore = \"==0.1.0\"\n", "dependencies = [\"core==0.1.0\"]\n[tool.hatch.version]\npath = \"x\"\n[tool.poetry.group.x.dependencies]\ncore = \"1\"\n")} {
		root := repo(t, archive)
		w, err := Load(root)
		require.NoError(t, err)
		for _, doc := range w.Files {
			file := filepath.Join(root, doc.Name)
			for _, n := range values(doc.Root) {
				for _, v := range []string{"1", `"x"`, "true", "[]", "{}", "[1]", `["x"]`, "{ a = 1 }", `{ a = "b" }`, "[{}]", `[{ task = 1 }]`, "1.5", "2024-01-01"} {
					src := slices.Concat(doc.Src[:n.Start], []byte(v), doc.Src[n.End:])
					require.NoError(t, os.WriteFile(file, src, 0o644))
					ask(t, root)
				}
			}
			require.NoError(t, os.WriteFile(file, doc.Src, 0o644))
		}
	}
}

func values(n *tomledit.Node) []*tomledit.Node {
	var out []*tomledit.Node
	for _, c := range n.Children {
		if c.End > 0 {
			out = append(out, c)
		}
		out = append(out, values(c)...)
	}
	return out
}

func ask(t *testing.T, root string) {
	w, err := Load(root)
	if err != nil {
		var e *operr.Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Next, err)
		return
	}
	w.Disagreements()
	for _, e := range w.Manifest.Environments {
		r, err := w.Manifest.Resolve(e.Name, "linux-64")
		require.NoError(t, err)
		for _, task := range r.Tasks {
			_, _, err := w.Manifest.Task(task.Name, e.Name, "linux-64")
			require.NoError(t, err)
		}
	}
}
