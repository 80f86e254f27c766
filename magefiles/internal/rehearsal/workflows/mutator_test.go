package workflows_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// mutate is for whoever asks for the table: it takes some minutes.
var mutate = flag.Bool("mutants", false, "make every mutant of release.yml, and print which of them a rehearsal finds")

// mutant is a file with one change.
type mutant struct{ what, text string }

// at is a place in a YAML document: positions in Content, from the top.
type at []int

func (a at) in(doc *yaml.Node) *yaml.Node {
	for _, i := range a {
		doc = doc.Content[i]
	}
	return doc
}

// mutants are a file without each of its keys, with each value replaced by those of its siblings, and with values of `needs`, `name`, `path` and `run` that
// stand elsewhere in the file in their places.
func mutants(t *testing.T, text string) (all []mutant) {
	t.Helper()
	read := func() *yaml.Node {
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
		return &doc
	}
	change := func(what string, do func(doc *yaml.Node)) {
		doc := read()
		do(doc)
		out, err := yaml.Marshal(doc)
		require.NoError(t, err)
		all = append(all, mutant{what, string(out)})
	}
	elsewhere := map[string][]string{}
	var visit func(n *yaml.Node, place at, path string)
	visit = func(n *yaml.Node, place at, path string) {
		for i, c := range n.Content {
			here := append(slices.Clone(place), i)
			if n.Kind != yaml.MappingNode {
				visit(c, here, fmt.Sprintf("%s[%d]", path, i))
				continue
			}
			if i%2 == 0 {
				change("delete "+path+"."+c.Value, func(doc *yaml.Node) {
					of := place.in(doc)
					of.Content = slices.Delete(of.Content, i, i+2)
				})
				continue
			}
			key := n.Content[i-1].Value
			if c.Kind == yaml.ScalarNode {
				var others []string
				for j := 1; j < len(n.Content); j += 2 {
					if o := n.Content[j]; o.Kind == yaml.ScalarNode && o.Value != c.Value {
						others = append(others, o.Value)
					}
				}
				if slices.Contains([]string{"needs", "name", "path", "run"}, key) {
					others = append(others, elsewhere[key]...)
					elsewhere[key] = append(elsewhere[key], c.Value)
				}
				slices.Sort(others)
				for _, o := range slices.Compact(others) {
					if o != c.Value {
						change(fmt.Sprintf("%s.%s = %.50q", path, key, o), func(doc *yaml.Node) { here.in(doc).SetString(o) })
					}
				}
			}
			visit(c, here, path+"."+key)
		}
	}
	visit(read(), nil, "")
	return all
}

// harmless are mutants after which a release goes as well, with the reason; by what they begin with.
var harmless = map[string]string{
	"delete [0].name":             "the name of the file is shown in its place",
	"[0].name = ":                 "it is shown to people alone",
	"delete [0].on.push":          "a release asks for the run by workflow_dispatch",
	"delete [0].on.workflow_":     "only needed where GitHub begins no run by itself",
	"delete [0].permissions":      "the restricted default grants the same",
	"delete [0].concurrency":      "a second run of one tag finds what the first has sent",
	".timeout-minutes":            "a time limit that is not reached; without one it is GitHub's",
	".persist-credentials":        "a token that reads what is public stays in the clone",
	".cache":                      "a cache that is empty",
	".overwrite":                  "matters where a job is run again",
	".if-no-files-found":          "matters where there are none",
	".jobs.rebuild":               "the second build is -full's",
	"delete [0].jobs.build.name":  "the id is shown in its place",
	"delete [0].jobs.import.name": "the id is shown in its place",
	"delete [0].jobs.upload.name": "the id is shown in its place",
	"delete [0].jobs.verify.name": "the id is shown in its place",
	".go-version-file":            "the magefile is compiled already",
	".with.python-version":        "another Python does as well",
}

// TestMutator makes the table, by hand: go test ./magefiles/internal/rehearsal/workflows -run TestMutator -mutants -v
func TestMutator(t *testing.T) {
	if !*mutate {
		t.Skip("say -mutants for the table of all mutants of release.yml")
	}
	var lived, found, harm int
	for _, m := range mutants(t, releaseFile(t)) {
		said := newLab(t).rehearse(m.text, map[string]string{"go.mod": ""}, "v1.0.0")
		why := ""
		for begin, reason := range harmless {
			if strings.HasPrefix(m.what, begin) || strings.HasPrefix(begin, ".") && strings.Contains(m.what, begin) {
				why = reason
			}
		}
		switch {
		case len(said) > 0:
			found++
			t.Logf("found     %s: %.150s", m.what, strings.ReplaceAll(said[0], "\n", " "))
		case why != "":
			harm++
			t.Logf("harmless  %s: %s", m.what, why)
		default:
			lived++
			t.Logf("LIVED     %s", m.what)
		}
	}
	t.Logf("%d found, %d harmless, %d lived", found, harm, lived)
}
