package settings

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// refuseMisspelt refuses a table that is called almost as one of ours: nobody would read what it says. names are those of ours that this manifest
// may have below [tool]. Tables of other tools have names of their own.
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
