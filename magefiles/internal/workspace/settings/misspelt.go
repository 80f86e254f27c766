package settings

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// refuseMisspelt rejects tables whose name is almost one of ours, because they would be silently ignored. `names` lists our tables
// below [tool] that this manifest may have. It does not affect the tables of other tools.
func refuseMisspelt(s *manifest.File, names ...string) {
	for _, top := range s.Doc.Root.Children {
		if !top.Is(tomledit.Table) || !manifest.IsNear(top.Key, "tool") {
			continue
		}
		for _, table := range top.Children {
			for _, name := range names {
				if table.Is(tomledit.Table) && manifest.IsNear(table.Key, name) && (top.Key != "tool" || table.Key != name) {
					s.FailAt(s.Pos(table), "did you mean [tool."+name+"]?", "nothing reads the table [%s]", tomledit.JoinKey(top.Key, table.Key))
				}
			}
		}
	}
}
