package manifest

import (
	"reflect"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// poolKey is the prefix of names inherited from [workspace.dependencies]. All other names are keys of [workspace].
const poolKey = "dependencies."

// InheritedIn returns the names of the values that a package's table inherits from the root manifest. "version" is a key of
// [workspace], and "dependencies.numpy" is an entry in its pool.
func InheritedIn(pkg *tomledit.Node) []string { return inheritedIn(pkg, false) }

// inheritedIn implements InheritedIn. `deep` is set for tables nested below the package's.
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

// CompareInherited returns the names, as in InheritedIn, of values that differ between two versions of a root manifest. A missing or
// unreadable version has no values.
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

// InheritsIn reports whether a table inherits any value from the workspace.
func InheritsIn(n *tomledit.Node) bool {
	if n == nil {
		return false
	}
	if n.Key == "workspace" && n.True() {
		return true
	}
	return slices.ContainsFunc(n.Children, InheritsIn)
}
