// Package dag sorts dependency graphs. A graph is a map from each node to the nodes that it needs:
//
//	order, err := dag.Order(map[string][]string{"app": {"lib"}, "lib": nil}) // lib, app
//
// Results depend only on the graph: among nodes that could come next, the smallest comes first. A graph that cannot be put
// in order gives a *CycleError with one cycle in it.
package dag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// CycleError is the error for a graph with a cycle.
type CycleError[K cmp.Ordered] struct {
	Path []K // each needs the next; the first is the smallest, and comes again as the last
}

// Error names the whole circle: "a cycle: a → b → a".
func (e *CycleError[K]) Error() string {
	parts := make([]string, len(e.Path))
	for i, k := range e.Path {
		parts[i] = fmt.Sprint(k)
	}
	return "a cycle: " + strings.Join(parts, " → ")
}

// Order returns all nodes so that each comes after those it needs. A needed node that is not a key of the map needs nothing. The error is a
// *CycleError[K].
func Order[K cmp.Ordered](needs map[K][]K) ([]K, error) {
	missing, dependents := count(needs)
	var ready, order []K
	for k, n := range missing {
		if n == 0 {
			ready = insert(ready, k)
		}
	}
	for len(ready) > 0 {
		k := ready[0]
		ready = ready[1:]
		order = append(order, k)
		for _, d := range dependents[k] {
			if missing[d]--; missing[d] == 0 {
				ready = insert(ready, d)
			}
		}
	}
	if len(order) < len(missing) {
		return nil, &CycleError[K]{Path: cycle(needs, missing)}
	}
	return order, nil
}

// Levels returns the nodes in groups. Each node needs only nodes of earlier groups, and at least one of the group just before, so a group may be
// worked on in parallel. Groups are sorted. The error is a *CycleError[K].
func Levels[K cmp.Ordered](needs map[K][]K) ([][]K, error) {
	order, err := Order(needs)
	if err != nil {
		return nil, err
	}
	var levels [][]K
	level := make(map[K]int, len(order))
	for _, k := range order {
		l := 0
		for _, n := range needs[k] {
			l = max(l, level[n]+1)
		}
		level[k] = l
		if l == len(levels) {
			levels = append(levels, nil)
		}
		levels[l] = append(levels[l], k)
	}
	for _, l := range levels {
		slices.Sort(l)
	}
	return levels, nil
}

// count returns for each node how many nodes it needs, and which nodes need it.
func count[K cmp.Ordered](needs map[K][]K) (missing map[K]int, dependents map[K][]K) {
	missing, dependents = make(map[K]int, len(needs)), make(map[K][]K, len(needs))
	for k, ns := range needs {
		missing[k] += 0
		for _, n := range ns {
			missing[n] += 0
			missing[k]++
			dependents[n] = append(dependents[n], k)
		}
	}
	return missing, dependents
}

func insert[K cmp.Ordered](sorted []K, k K) []K {
	i, _ := slices.BinarySearch(sorted, k)
	return slices.Insert(sorted, i, k)
}

// cycle walks from the smallest node that is left over to the smallest left-over node that it needs, and so on, until it meets a node again. A
// left-over node always needs another one.
func cycle[K cmp.Ordered](needs map[K][]K, missing map[K]int) []K {
	left := func(ns []K) []K {
		return slices.DeleteFunc(slices.Clone(ns), func(n K) bool { return missing[n] == 0 })
	}
	var start []K
	for k := range missing {
		start = append(start, k)
	}
	var path []K
	at := map[K]int{}
	for k := slices.Min(left(start)); ; k = slices.Min(left(needs[k])) {
		if i, seen := at[k]; seen {
			return rotate(path[i:])
		}
		at[k] = len(path)
		path = append(path, k)
	}
}

// rotate puts the smallest node first, and repeats it at the end.
func rotate[K cmp.Ordered](path []K) []K {
	i := slices.Index(path, slices.Min(path))
	return append(slices.Concat(path[i:], path[:i]), path[i])
}
