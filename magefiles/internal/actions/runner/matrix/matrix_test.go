package matrix_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/matrix"
)

// The cases are the examples in GitHub's documentation ("Running variations of jobs in a workflow"), plus cases for the rules that it states only in
// prose.
func TestExpand(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat("1,", 17), ",")
	for _, c := range []struct{ name, matrix, want, problem string }{
		{
			name:   "two lists",
			matrix: `{"version": [10, 12, 14], "os": ["ubuntu", "windows"]}`,
			want:   `10/ubuntu 10/windows 12/ubuntu 12/windows 14/ubuntu 14/windows`,
		},
		{
			name: "fruit and animals",
			matrix: `{"fruit": ["apple", "pear"], "animal": ["cat", "dog"], "include": [{"color": "green"}, {"color": "pink", "animal": "cat"},
				{"fruit": "apple", "shape": "circle"}, {"fruit": "banana"}, {"fruit": "banana", "animal": "cat"}]}`,
			want: `apple/cat/pink/circle apple/dog/green/circle pear/cat/pink pear/dog/green banana banana/cat`,
		},
		{
			name:   "include alone",
			matrix: `{"include": [{"site": "production", "datacenter": "site-a"}, {"site": "staging"}]}`,
			want:   `production/site-a staging`,
		},
		{
			name: "exclude",
			matrix: `{"os": ["macos", "windows"], "version": [12, 14, 16], "environment": ["staging", "production"],
				"exclude": [{"os": "macos", "version": 12, "environment": "production"}, {"os": "windows", "version": 16}]}`,
			want: `macos/12/staging macos/14/staging macos/14/production macos/16/staging macos/16/production windows/12/staging windows/12/production windows/14/staging windows/14/production`,
		},
		{
			name:   "what was excluded can be included",
			matrix: `{"a": [1, 2], "exclude": [{"a": 2}], "include": [{"a": 2, "b": 3}]}`,
			want:   `1 2/3`,
		},
		{
			name:   "values that are objects",
			matrix: `{"node": [{"v": 14}, {"v": 20, "env": "x"}], "exclude": [{"node": {"v": 14}}]}`,
			want:   `20/x`,
		},
		{
			name:   "an excluded key that is in no list takes nothing away",
			matrix: `{"a": [1], "exclude": [{"b": 1}]}`,
			want:   `1`,
		},
		{
			name:    "a list without values",
			matrix:  `{"a": []}`,
			problem: `the list "a" of the matrix has no values`,
		},
		{
			name:    "nothing is left",
			matrix:  `{"a": [1], "exclude": [{"a": 1}]}`,
			problem: "the matrix is empty",
		},
		{
			name:    "too many",
			matrix:  `{"a": [` + many + `], "b": [` + many + `]}`,
			problem: "the matrix has 289 jobs, but GitHub makes at most 256",
		},
		{
			name:    "no object",
			matrix:  `"[1]"`,
			problem: "a matrix must be an object of lists",
		},
		{
			name:    "include is no list",
			matrix:  `{"a": [1], "include": 3}`,
			problem: "include of the matrix must be a list",
		},
	} {
		v, err := expression.FromJSON(c.matrix)
		require.NoError(t, err, c.name)
		legs, err := matrix.Expand(v)
		if c.problem != "" {
			require.ErrorContains(t, err, c.problem, c.name)
			continue
		}
		require.NoError(t, err, c.name)
		var got []string
		for _, l := range legs {
			name := strings.TrimSuffix(strings.TrimPrefix(matrix.Name("", l), " ("), ")")
			got = append(got, strings.ReplaceAll(name, ", ", "/"))
		}
		require.Equal(t, c.want, strings.Join(got, " "), c.name)
	}
	require.Equal(t, "test", matrix.Name("test", &expression.Object{}))
}

func BenchmarkExpand(b *testing.B) {
	var items []string
	for i := range 16 {
		items = append(items, fmt.Sprint(i))
	}
	list := "[" + strings.Join(items, ",") + "]"
	v, err := expression.FromJSON(`{"a": ` + list + `, "b": ` + list + `}`)
	require.NoError(b, err)
	for b.Loop() {
		_, err := matrix.Expand(v)
		require.NoError(b, err)
	}
}
