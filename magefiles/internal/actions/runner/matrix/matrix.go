// Package matrix expands a job's matrix, as GitHub documents it.
package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
)

// maxLegs is the maximum number of jobs that GitHub creates from one matrix.
const maxLegs = 256

// EmptyError reports an empty list.
type EmptyError struct{ Key string }

func (e *EmptyError) Error() string {
	return fmt.Sprintf("the list %q of the matrix has no values", e.Key)
}

// Expand returns the combinations of a matrix in GitHub's order. The combinations of the lists' values come first, without the excluded ones; the
// last list varies fastest. Each item of `include` is then merged into all combinations whose list values it does not change. If there are none, the
// item is appended as a new combination.
func Expand(matrix expression.Value) ([]*expression.Object, error) {
	m, is := matrix.(*expression.Object)
	if !is {
		return nil, fmt.Errorf("a matrix must be an object of lists, but this matrix is %q", expression.Text(matrix))
	}
	var names []string
	var all []*expression.Object
	for _, name := range m.Keys() {
		if name == "include" || name == "exclude" {
			continue
		}
		v, _ := m.Get(name)
		list, is := v.(*expression.Array)
		if !is || len(list.Items) == 0 {
			return nil, &EmptyError{Key: name}
		}
		if names = append(names, name); len(names) == 1 {
			all = []*expression.Object{{}}
		}
		if len(all)*len(list.Items) > maxLegs*maxLegs {
			return nil, fmt.Errorf("the matrix has more than %d jobs", maxLegs)
		}
		var longer []*expression.Object
		for _, c := range all {
			for _, item := range list.Items {
				longer = append(longer, with(c, name, item))
			}
		}
		all = longer
	}
	excluded, err := filters(m, "exclude")
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c *expression.Object) bool {
		return slices.ContainsFunc(excluded, func(e *expression.Object) bool { return agrees(c, e, e.Keys()) })
	})
	included, err := filters(m, "include")
	if err != nil {
		return nil, err
	}
	all = include(all, names, included)
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("the matrix is empty, which GitHub refuses: add an `if` that skips the job in this case")
	case len(all) > maxLegs:
		return nil, fmt.Errorf("the matrix has %d jobs, but GitHub makes at most %d", len(all), maxLegs)
	}
	return all, nil
}

func include(all []*expression.Object, names []string, items []*expression.Object) []*expression.Object {
	originals := len(all)
	plain := make([]*expression.Object, originals) // only the values from the lists
	for i, c := range all {
		plain[i] = c
		all[i] = with(c, "", nil)
	}
	for _, item := range items {
		fixed := slices.DeleteFunc(item.Keys(), func(k string) bool {
			return !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, k) })
		})
		added := false
		for i := range originals {
			if agrees(plain[i], item, fixed) {
				added = true
				all[i].SetAll(item)
			}
		}
		if !added {
			all = append(all, with(item, "", nil))
		}
	}
	return all
}

// `with` returns a copy with one added pair, or just a copy if the name is "".
func with(c *expression.Object, name string, v expression.Value) *expression.Object {
	o := &expression.Object{}
	o.SetAll(c)
	if name != "" {
		o.Add(name, v)
	}
	return o
}

func filters(m *expression.Object, key string) (all []*expression.Object, err error) {
	v, _ := m.Get(key)
	if v == nil {
		return nil, nil
	}
	list, is := v.(*expression.Array)
	if !is {
		return nil, fmt.Errorf("%s of the matrix must be a list", key)
	}
	for _, item := range list.Items {
		o, is := item.(*expression.Object)
		if !is {
			return nil, fmt.Errorf("an item of %s must be an object", key)
		}
		all = append(all, o)
	}
	return all, nil
}

// agrees reports whether a combination and an item have equal values for the keys.
func agrees(c, item *expression.Object, keys []string) bool {
	for _, k := range keys {
		want, _ := item.Get(k)
		got, there := c.Get(k)
		if !there || !same(got, want) {
			return false
		}
	}
	return true
}

// `same` compares two matrix values deeply.
func same(a, b expression.Value) bool {
	switch a := a.(type) {
	case *expression.Array:
		other, is := b.(*expression.Array)
		return is && slices.EqualFunc(a.Items, other.Items, same)
	case *expression.Object:
		other, is := b.(*expression.Object)
		return is && len(a.Keys()) == len(other.Keys()) && agrees(a, other, other.Keys())
	}
	switch b.(type) {
	case *expression.Array, *expression.Object:
		return false
	}
	return expression.Text(a) == expression.Text(b)
}

// Name returns the display name of a leg, as on GitHub: "test (linux, 3.13)".
func Name(name string, matrix *expression.Object) string {
	var values []string
	var collect func(v expression.Value)
	collect = func(v expression.Value) {
		switch v := v.(type) {
		case nil:
		case *expression.Array:
			for _, item := range v.Items {
				collect(item)
			}
		case *expression.Object:
			for _, k := range v.Keys() {
				item, _ := v.Get(k)
				collect(item)
			}
		default:
			if text := expression.Text(v); text != "" {
				values = append(values, text)
			}
		}
	}
	collect(matrix)
	if len(values) == 0 {
		return name
	}
	return name + " (" + strings.Join(values, ", ") + ")"
}
