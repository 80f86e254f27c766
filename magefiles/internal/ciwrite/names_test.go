package ciwrite

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// odds holds names that mean something else if they are written without quotes.
var odds = []string{
	"main", "on", "true", "1.0", "0x1", "1e3", "~", "null", "a: b", "a #b", "#a", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "-", "- a", "? a", "a:", " a", "a ", "[a]", "{a}", "a, b",
	"'a'", `"a"`, `a\b`, "a'b", "$HOME", "$(id)", "a;b", "a&&b", "a|b", "a>b", "a b", "é", "日本", "\u2028", "a\u00a0b", "2026-01-02", "=", "<<", "yes", ".", "..", "a/b", "a+b?", "v[1-2]*", "a\u200bb",
}

// `names` returns the names in odds, and a thousand names made of the same characters.
func names() (all []string) {
	r := rand.New(rand.NewPCG(24, 24))
	signs := []rune(strings.Join(odds, ""))
	all = append(all, odds...)
	for range 1000 {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			b.WriteRune(signs[r.IntN(len(signs))])
		}
		all = append(all, b.String())
	}
	return all
}

// YAML reads every name as the same text, in a mapping and in a list.
func TestNamesInYAML(t *testing.T) {
	for _, name := range names() {
		var got struct {
			A any
			B []any
		}
		text := "a: " + scalar(name) + " # why\nb: [" + word(name) + ", " + quote(name) + "]\n"
		require.NoError(t, yaml.Unmarshal([]byte(text), &got), text)
		require.Equal(t, name, got.A, text)
		require.Equal(t, []any{name, name}, got.B, text)
	}
}

// A shell reads every name as one word.
func TestNamesInAShell(t *testing.T) {
	var script, want strings.Builder
	script.WriteString("printf '%s\\n'")
	for _, name := range names() {
		script.WriteString(" " + operr.Quote(name))
		want.WriteString(name + "\n")
	}
	out, err := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script.String()).Output()
	require.NoError(t, err)
	require.Equal(t, want.String(), string(out))
}

// As a GitHub pattern, a name matches only the branch with this name.
func TestNamesInPatterns(t *testing.T) {
	for _, name := range names() {
		text := "on: {push: {branches: [" + quote(glob(name)) + "]}}\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: make}]}}\n"
		w, err := file.Read("x.yml", []byte(text))
		require.NoError(t, err, text)
		starts := func(branch string) bool {
			is, _ := w.Starts(file.Occurrence{
				Event: "push",
				Ref:   "refs/heads/" + branch,
			})
			return is
		}
		require.True(t, starts(name), text)
		for _, other := range []string{name + "x", "x" + name, strings.Repeat(name, 2), name[:len(name)-1]} {
			require.False(t, starts(other), "%s takes %q", text, other)
		}
	}
}

func TestFileNames(t *testing.T) {
	taken := map[string]string{"deploy.yml": "", "publish-a.yml": "x", "publish-a-2.yml": "y"}
	require.Equal(t, "publish-b.yml", free(taken, "publish-b", "publish-x-b"))
	require.Equal(t, "publish-x-a.yml", free(taken, "publish-a", "publish-x-a"))
	require.Equal(t, "publish-a-3.yml", free(taken, "publish-a", "publish-a"))
	for name, want := range map[string]string{"App": "app", "a_b.c": "a-b-c", "日本": "image", "-x-": "x"} {
		require.Equal(t, want, slug(name))
	}
}
