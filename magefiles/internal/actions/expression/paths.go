package expression

// Path is a value that an expression takes from a context: the context's name, and the properties after it, up to the first that is not written as a
// literal text. For `needs.build.outputs[x]` it is needs, build, outputs.
type Path []string

// Paths returns all paths in the expression, in its order.
func (e *Expr) Paths() []Path { return pathsOf(e.root) }

// Paths returns the paths in all expressions of the value.
func (t *Template) Paths() (all []Path) {
	for _, p := range t.parts {
		if p.expr != nil {
			all = append(all, p.expr.Paths()...)
		}
	}
	return all
}

func pathsOf(n node) (all []Path) {
	switch n := n.(type) {
	case *context:
		all = append(all, Path{n.name})
	case *index:
		all = pathsOf(n.of)
		if word, is := n.at.(*literal); is && len(all) > 0 && !n.all {
			if text, is := word.value.(string); is && endsIn(n.of, len(all[len(all)-1])) {
				all[len(all)-1] = append(all[len(all)-1], text)
			}
		} else if n.at != nil {
			all = append(all, pathsOf(n.at)...)
		}
	case *negation:
		all = pathsOf(n.of)
	case *logical:
		for _, o := range n.operands {
			all = append(all, pathsOf(o)...)
		}
	case *comparing:
		all = append(pathsOf(n.left), pathsOf(n.right)...)
	case *call:
		for _, a := range n.arguments {
			all = append(all, pathsOf(a)...)
		}
	}
	return all
}

// endsIn reports whether a value is a context followed by literal properties only.
func endsIn(n node, words int) bool {
	for {
		switch of := n.(type) {
		case *context:
			return words == 1
		case *index:
			if _, word := of.at.(*literal); !word || of.all {
				return false
			}
			n, words = of.of, words-1
		default:
			return false
		}
	}
}
