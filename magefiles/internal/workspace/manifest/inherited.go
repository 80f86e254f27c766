package manifest

import (
	"reflect"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// poolKey begins the name of what is inherited from [workspace.dependencies]; all else is a key of [workspace].
const poolKey = "dependencies."

// InheritedIn are what the table of a package takes from the root manifest: "version" is a key of [workspace], "dependencies.numpy" an
// entry of its pool.
func InheritedIn(pkg *tomledit.Node) []string { return inheritedIn(pkg, false) }

// inheritedIn is InheritedIn for the table of a package, or for one below it.
func inheritedIn(n *tomledit.Node, deep bool) (all []string) {
	for _, c := range n.Members() {
		switch {
		case !c.Get("workspace").True():
			all = append(all, inheritedIn(c, true)...)
		case !deep:
			all = append(all, c.Key)
		case c.Get("name").Is(tomledit.String): // a backend
			all = append(all, poolKey+CondaName(c.Get("name").Text()))
		default:
			all = append(all, poolKey+CondaName(c.Key))
		}
	}
	return all
}

// CompareInherited returns what packages inherit, as InheritedIn names it, that is not the same in two versions of a root manifest. One
// that is not there, or that cannot be read, has nothing.
func CompareInherited(file string, before, after []byte) (changed []string) {
	was, is := readInherited(file, before), readInherited(file, after)
	for name, value := range is {
		if old, ok := was[name]; !ok || !reflect.DeepEqual(old, value) {
			changed = append(changed, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}

func readInherited(file string, src []byte) map[string]any {
	doc, err := tomledit.Parse(file, src)
	if err != nil {
		return nil
	}
	all := map[string]any{}
	for _, n := range NewFile(doc, ".", file == PyprojectFile).Pixi.Get("workspace").Members() {
		if n.Key != "dependencies" {
			all[n.Key] = n.Plain()
			continue
		}
		for _, d := range n.Members() {
			all[poolKey+CondaName(d.Key)] = d.Plain()
		}
	}
	return all
}

// InheritsIn reports whether something in a table is taken from the workspace.
func InheritsIn(n *tomledit.Node) bool {
	if n == nil {
		return false
	}
	if n.Key == "workspace" && n.True() {
		return true
	}
	return slices.ContainsFunc(n.Children, InheritsIn)
}
