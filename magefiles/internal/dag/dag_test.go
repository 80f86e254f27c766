package dag

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		needs  map[string][]string
		order  []string
		levels [][]string
	}{
		{"nothing", nil, nil, nil},
		{"alphabetical where nothing is needed", map[string][]string{"c": nil, "a": nil, "b": nil}, []string{"a", "b", "c"}, [][]string{{"a", "b", "c"}}},
		{"a chain against the alphabet", map[string][]string{"a": {"b"}, "b": {"c"}, "c": nil}, []string{"c", "b", "a"}, [][]string{{"c"}, {"b"}, {"a"}}},
		{"a diamond", map[string][]string{"top": {"l", "r"}, "l": {"base"}, "r": {"base"}, "base": nil}, []string{"base", "l", "r", "top"}, [][]string{{"base"}, {"l", "r"}, {"top"}}},
		{"the smallest that is ready", map[string][]string{"a": {"z"}, "b": nil, "z": nil}, []string{"b", "z", "a"}, [][]string{{"b", "z"}, {"a"}}},
		{"needed, but no key", map[string][]string{"a": {"x"}}, []string{"x", "a"}, [][]string{{"x"}, {"a"}}},
		{"needed twice", map[string][]string{"a": {"b", "b"}, "b": nil}, []string{"b", "a"}, [][]string{{"b"}, {"a"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			order, err := Order(c.needs)
			require.NoError(t, err)
			require.Equal(t, c.order, order)
			levels, err := Levels(c.needs)
			require.NoError(t, err)
			require.Equal(t, c.levels, levels)
		})
	}
}

func TestCycle(t *testing.T) {
	for _, c := range []struct {
		name  string
		needs map[string][]string
		path  string
	}{
		{"itself", map[string][]string{"a": {"a"}}, "a → a"},
		{"two", map[string][]string{"b": {"a"}, "a": {"b"}}, "a → b → a"},
		{
			name:  "what leads to it and what it leads to are no part of it",
			needs: map[string][]string{"a": {"m"}, "m": {"z", "k"}, "k": {"m", "base"}, "z": {"m"}, "base": nil},
			path:  "k → m → k",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Order(c.needs)
			var e *CycleError[string]
			require.ErrorAs(t, err, &e)
			require.EqualError(t, err, "a cycle: "+c.path)
			_, err = Levels(c.needs)
			require.EqualError(t, err, "a cycle: "+c.path)
		})
	}
}

func TestManyNodes(t *testing.T) {
	needs := map[int][]int{}
	for i := range 20000 {
		needs[i] = []int{i / 2}
	}
	needs[0] = nil
	start := time.Now()
	order, err := Order(needs)
	require.NoError(t, err)
	require.Len(t, order, 20000)
	require.Less(t, time.Since(start), 5*time.Second, fmt.Sprint(len(order)))
}
