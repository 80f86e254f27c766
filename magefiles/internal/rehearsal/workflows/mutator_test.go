package workflows_test

import (
	"flag"
	"fmt"
	"regexp"
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
			if n.Kind == yaml.SequenceNode {
				change(fmt.Sprintf("delete %s[%d]", path, i), func(doc *yaml.Node) {
					of := place.in(doc)
					of.Content = slices.Delete(of.Content, i, i+1)
				})
			}
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
	visit(read().Content[0], at{0}, "")
	return all
}

// harmless are mutants after which a release goes as well, with the reason; by a regular expression of what they are.
var harmless = []struct{ what, why string }{
	{`name$|^\.name = |jobs\.\w+\.name = |delete .*\.with\.name$`, "a name that people are shown"},
	{`^delete \.on\.workflow_dispatch`, "it is for a tag for which GitHub begins no run by itself"},
	{`^delete \.permissions`, "the restricted default grants the same"},
	{`^delete \.concurrency$`, "a second run of one tag finds what the first has sent"},
	{`^delete \.concurrency\.cancel-in-progress$`, "false is what GitHub takes without it"},
	{`\.timeout-minutes`, "a time limit that is not reached"},
	{`\.persist-credentials`, "a token that reads what everybody may read stays in the clone"},
	{`\.cache\b`, "a cache, which is empty"},
	{`\.overwrite`, "it matters where a job is run again"},
	{`\.if-no-files-found`, "it matters where there are none, and a later step finds them missing"},
	{`\.jobs\.rebuild`, "the second build is that of -full"},
	{`\.go-version-file|delete .*steps\[\d\]\.with$`, "the setup of a tool without its version takes the one of this machine"},
	{`\.python-version`, "another Python does as well"},
	{`\.run = "go tool mage build:all`, "a job that builds in place of what it is for: rules.TestTheRehearsalRunsTheJobsOfTheWorkflow has the command lines"},
	{`^delete \.jobs\.verify$|^delete \.jobs\.(?:import|verify)\.steps\[\d\]$`, "a job that nothing waits for, or its target: the same test has the jobs"},
	{`^\.jobs\.upload\.permissions\.contents = "write"`, "a right that is not used: rules.TestHostileCodeHasNoRightInTheReleaseWorkflow"},
	{`^delete \.on\.push\.tags\[1\]`, "the other form of tags, which this release does not have"},
	{`^delete \.jobs\.\w+\.steps\[2\]$`, "the image has a Python"},
	{`\.runs-on`, "another machine of GitHub's"},
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
		for _, h := range harmless {
			if regexp.MustCompile(h.what).MatchString(m.what) {
				why = h.why
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
			t.Errorf("LIVED     %s", m.what)
		}
	}
	t.Logf("%d found, %d harmless, %d lived", found, harm, lived)
}
