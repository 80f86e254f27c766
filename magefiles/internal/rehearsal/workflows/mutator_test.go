package workflows_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Flags for the table of mutants. CONTRIBUTING has the command.
var (
	mutate = flag.Bool("mutants", false, "make every mutant of the five workflow files, and print which of them are found")
	only   = flag.String("mutant", "", "a regular expression: make those mutants alone whose file, line and change are like it")
	whole  = flag.String("whole", "", "a compiled magefile: what lives is run by its `mage rehearse` too, which takes minutes for each")
	lanes  = flag.Int("lanes", 2, "how many mutants are run at a time: each begins programs of its own")
)

// mutant is a workflow file with one change.
type mutant struct {
	what, text string
	line       int      // line of the change in the unchanged file
	lines      [2]int   // first and last line of the mutant that a message may name: the lines of the value, or of the block with the missing key
	words      []string // words of the change; a message may also name a line with one of these words
	order      int      // index among the mutants of the file
	do         func(doc *yaml.Node)
}

// `at` is a position in a YAML document, given by an index into Content for each level from the top.
type at []int

func (a at) in(doc *yaml.Node) *yaml.Node {
	for _, i := range a {
		doc = doc.Content[i]
	}
	return doc
}

// lastLine returns the last line of a value.
func lastLine(n *yaml.Node) int {
	last := n.Line
	if n.Kind == yaml.ScalarNode {
		last += strings.Count(strings.TrimRight(n.Value, "\n"), "\n")
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			last++
		}
	}
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}

// ordinary matches words that are common in workflow files, and so do not show that a line is related to a change.
var ordinary = regexp.MustCompile(`^(?:name|run|uses|with|env|if|needs|on|steps|jobs|path|push|outputs|permissions|true|false|ubuntu-24\.04|\d+|contents|read|write)$`)

func has(n *yaml.Node, keys ...string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if slices.Contains(keys, n.Content[i].Value) {
			return true
		}
	}
	return false
}

// lastName matches references to contexts in expressions and captures the last name, such as KEY in `secrets.KEY`.
var lastName = regexp.MustCompile(`\b(?:matrix|needs|steps|inputs|vars|secrets)(?:\.[\w-]+)*\.([\w-]+)`)

// wordsOf returns all strings in a value, and the names that its expressions refer to.
func wordsOf(n *yaml.Node) (words []string) {
	if n.Kind == yaml.ScalarNode {
		words = append(words, n.Value)
		for _, m := range lastName.FindAllStringSubmatch(n.Value, -1) {
			words = append(words, m[1])
		}
	}
	for _, c := range n.Content {
		words = append(words, wordsOf(c)...)
	}
	return words
}

// swapped lists the keys whose values are also replaced with the values of the same keys elsewhere in the file.
var swapped = []string{"needs", "name", "path", "run"}

// mutants returns variants of a file. Each lacks one key or item, or has one value replaced with the value of a sibling or, for the keys in swapped,
// with a value from elsewhere in the file.
func mutants(t *testing.T, text string) (all []mutant) {
	t.Helper()
	read := func(text string) *yaml.Node {
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
		return &doc
	}
	asItStands, err := yaml.Marshal(read(text))
	require.NoError(t, err)
	seen := map[string]bool{string(asItStands): true}
	// change adds a mutant. `place` is the position of the changed value, or of the block that now lacks a value.
	change := func(what string, line int, place at, words []string, do func(doc *yaml.Node)) {
		doc := read(text)
		do(doc)
		out, err := yaml.Marshal(doc)
		require.NoError(t, err)
		if seen[string(out)] {
			return
		}
		seen[string(out)] = true
		m := mutant{
			what:  what,
			text:  string(out),
			line:  line,
			do:    do,
			order: len(all),
		}
		n := read(string(out))
		for _, i := range place { // a problem in a step is reported for the step
			if n = n.Content[i]; n.Kind == yaml.MappingNode && has(n, "uses", "run") {
				break
			}
		}
		m.lines = [2]int{n.Line, lastLine(n)}
		for _, w := range words {
			if len(w) > 2 && !ordinary.MatchString(w) {
				m.words = append(m.words, w)
			}
		}
		all = append(all, m)
	}
	elsewhere := valuesOf(read(text))
	var visit func(n *yaml.Node, place at, path string)
	visit = func(n *yaml.Node, place at, path string) {
		for i, c := range n.Content {
			here := append(slices.Clone(place), i)
			if n.Kind == yaml.SequenceNode {
				change(fmt.Sprintf("delete %s[%d]", path, i), c.Line, place, wordsOf(c), func(doc *yaml.Node) {
					of := place.in(doc)
					of.Content = slices.Delete(of.Content, i, i+1)
				})
				for _, o := range n.Content {
					if o.Kind == yaml.ScalarNode && c.Kind == yaml.ScalarNode {
						change(fmt.Sprintf("%s[%d] = %.50q", path, i, o.Value), c.Line, here, []string{c.Value, o.Value}, func(doc *yaml.Node) { here.in(doc).SetString(o.Value) })
					}
				}
				visit(c, here, fmt.Sprintf("%s[%d]", path, i))
				continue
			}
			if n.Kind != yaml.MappingNode {
				visit(c, here, path)
				continue
			}
			if i%2 == 0 {
				change("delete "+path+"."+c.Value, c.Line, place, append(wordsOf(n.Content[i+1]), c.Value), func(doc *yaml.Node) {
					of := place.in(doc)
					of.Content = slices.Delete(of.Content, i, i+2)
				})
				continue
			}
			key := n.Content[i-1].Value
			var others []string
			for j := 1; j < len(n.Content); j += 2 {
				switch o := n.Content[j]; {
				case o.Kind != c.Kind, j == i:
				case o.Kind == yaml.ScalarNode:
					others = append(others, o.Value)
				default:
					change(fmt.Sprintf("%s.%s = that of %s", path, key, n.Content[j-1].Value), c.Line, here, append(wordsOf(c), wordsOf(n.Content[j])...), func(doc *yaml.Node) {
						of := place.in(doc)
						of.Content[i] = of.Content[j]
					})
				}
			}
			if c.Kind == yaml.ScalarNode {
				others = append(others, elsewhere[kindOf(path, key)]...)
				for _, o := range others {
					change(fmt.Sprintf("%s.%s = %.50q", path, key, o), c.Line, here, []string{c.Value, o, key}, func(doc *yaml.Node) { here.in(doc).SetString(o) })
				}
			}
			visit(c, here, path+"."+key)
		}
	}
	visit(read(text).Content[0], at{0}, "")
	return all
}

var index = regexp.MustCompile(`\[\d+\]|^\.jobs\.[\w-]+`)

// kindOf returns the same string for all positions of a file whose values may be swapped.
func kindOf(path, key string) string {
	if !slices.Contains(swapped, key) {
		return ""
	}
	return index.ReplaceAllString(path, "") + "." + key
}

// valuesOf returns the values of a file that may be swapped, by their kindOf.
func valuesOf(doc *yaml.Node) map[string][]string {
	values := map[string][]string{}
	var visit func(n *yaml.Node, path string)
	visit = func(n *yaml.Node, path string) {
		for i, c := range n.Content {
			switch {
			case n.Kind != yaml.MappingNode:
				visit(c, path)
			case i%2 == 1:
				key := n.Content[i-1].Value
				if kind := kindOf(path, key); kind != "" && c.Kind == yaml.ScalarNode && !slices.Contains(values[kind], c.Value) {
					values[kind] = append(values[kind], c.Value)
				}
				visit(c, path+"."+key)
			}
		}
	}
	visit(doc.Content[0], "")
	return values
}

// harmless is a class of harmless changes: a regular expression that matches file and change, and the reason.
type harmless struct {
	What string
	Why  string
	what *regexp.Regexp
	met  map[string][]mutant // mutants by file
}

// maxHarmless is the maximum number of harmless classes.
const maxHarmless = 25

func readHarmless(t *testing.T) (all []*harmless) {
	t.Helper()
	data, err := os.ReadFile("testdata/harmless.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &all))
	require.LessOrEqual(t, len(all), maxHarmless)
	for _, h := range all {
		require.NotEmpty(t, h.Why, h.What)
		h.what, h.met = regexp.MustCompile(h.What), map[string][]mutant{}
	}
	return all
}

// points reports whether a message names the changed line, a line of the block that lacks a key, or a line with a word of the change.
func (m mutant) points(name, said string) bool {
	lines := strings.Split(m.text, "\n")
	for _, match := range regexp.MustCompile(regexp.QuoteMeta(name)+`:(\d+)|\bline (\d+)`).FindAllStringSubmatch(said, -1) {
		n, _ := strconv.Atoi(match[1] + match[2]) // digits only
		if n >= m.lines[0]-1 && n <= m.lines[1]+1 {
			return true
		}
		if n < 1 || n > len(lines) {
			continue
		}
		for _, w := range m.words {
			if w != "" && strings.Contains(lines[n-1], w) {
				return true
			}
		}
	}
	return false
}

// The list of harmless changes is well-formed. TestMutator prints the number of mutants for each entry.
func TestHarmless(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, readHarmless(t))
}

// TestMutator prints the table. It is run manually: CONTRIBUTING has the command.
func TestMutator(t *testing.T) {
	if !*mutate {
		t.Skip("say -mutants for the table of all mutants of the workflow files")
	}
	known := readHarmless(t)
	wanted := regexp.MustCompile(*only)
	var ran []*bench
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t, s)
			ran = append(ran, b)
			all := slices.DeleteFunc(mutants(t, b.text), func(m mutant) bool { return !wanted.MatchString(m.title(s)) })
			counts := map[string]int{}
			var mu sync.Mutex
			var running sync.WaitGroup
			queue := make(chan mutant)
			for range *lanes {
				lane := b.lane(t)
				running.Go(func() {
					for m := range queue {
						f := lane.find(m)
						mu.Lock()
						how, line := m.judge(s, f, known)
						if *whole != "" && (how == lived || how == astray) {
							if said := m.runWhole(t, s); said != "" {
								how, line = "whole", said
							}
						}
						counts[how]++
						if how == lived || how == astray {
							t.Errorf("%-9s %s: %s", how, m.title(s), line)
						} else {
							t.Logf("%-9s %s: %s", how, m.title(s), line)
						}
						mu.Unlock()
					}
				})
			}
			for _, m := range all {
				queue <- m
			}
			close(queue)
			running.Wait()
			t.Logf("TABLE %s: %d mutants: %v", s.name, len(all), counts)
		})
	}
	for _, h := range known {
		all := 0
		for _, met := range h.met {
			all += len(met)
		}
		t.Logf("HARMLESS %4d  %s: %s", all, h.What, h.Why)
		if all == 0 && *only == "" && len(ran) == len(scenarios) {
			t.Errorf("no change is like %s: the list of harmless ones has it for nothing", h.What)
		}
	}
	if *whole != "" {
		runHarmless(t, ran, known)
	}
}

// runHarmless applies one change per file of each harmless class, all in one commit, and runs the real rehearsal, which must pass.
func runHarmless(t *testing.T, ran []*bench, known []*harmless) {
	files := map[string]string{}
	for _, b := range ran {
		var some []mutant
		for _, h := range known {
			i := slices.IndexFunc(h.met[b.name], func(m mutant) bool {
				return !slices.ContainsFunc(some, func(o mutant) bool {
					return strings.HasPrefix(m.path(), o.path()) || strings.HasPrefix(o.path(), m.path())
				})
			})
			if i >= 0 {
				some = append(some, h.met[b.name][i])
				t.Logf("WHOLE %s", h.met[b.name][i].title(b.scenario))
			}
		}
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal([]byte(b.text), &doc))
		slices.SortFunc(some, func(a, b mutant) int { return b.order - a.order }) // last first, so that the earlier positions stay valid
		for _, m := range some {
			m.do(&doc)
		}
		out, err := yaml.Marshal(&doc)
		require.NoError(t, err)
		files[b.name] = string(out)
	}
	out, err := rehearse(t, files, "-full")
	require.NoError(t, err, out)
	t.Log(out)
	for line := range strings.Lines(out) {
		if strings.Contains(line, "look at") {
			t.Errorf("what is called harmless is doubted: %s", line)
		}
	}
}

// path returns the position of a change as text.
func (m mutant) path() string {
	path, _, _ := strings.Cut(strings.TrimPrefix(m.what, "delete "), " = ")
	return path + "."
}

func (m mutant) title(s scenario) string { return fmt.Sprintf("%s:%d %s", s.name, m.line, m.what) }

// These are the outcomes of a mutant that no check reports at the right line.
const (
	lived      = "LIVED"
	astray     = "ASTRAY" // a message reports the mutant, but at an unrelated line
	isHarmless = "harmless"
)

// judge returns the outcome of a mutant and a line that describes it.
func (m mutant) judge(s scenario, f finding, known []*harmless) (how, line string) {
	short := func(text string) string { return fmt.Sprintf("%.220s", strings.ReplaceAll(text, "\n", " ")) }
	for _, said := range f.said {
		if m.points(s.name, said) {
			return f.by, short(said)
		}
	}
	for _, h := range known {
		if h.what.MatchString(s.name + " " + m.what) {
			h.met[s.name] = append(h.met[s.name], m)
			return isHarmless, h.Why
		}
	}
	if len(f.said) > 0 {
		return astray, fmt.Sprintf("(lines %v) ", m.lines) + short(strings.Join(f.said, " | "))
	}
	return lived, short(f.differs)
}

// runWhole runs the real rehearsal with a mutant and returns its output if it reports the mutant, otherwise "". Workflow files that a tag does not
// start are run with `rehearse -full`.
func (m mutant) runWhole(t *testing.T, s scenario) string {
	var args []string
	if s.name != "release.yml" {
		args = append(args, "-full")
	}
	out, err := rehearse(t, map[string]string{s.name: m.text}, args...)
	if err != nil || m.points(s.name, out) {
		return out
	}
	return ""
}

// rehearse runs the real rehearsal in a clone of this repository with modified workflow files, and returns the output.
func rehearse(t *testing.T, files map[string]string, args ...string) (string, error) {
	top, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
	require.NoError(t, err)
	clone := filepath.Join(t.TempDir(), "clone")
	run := func(dir, name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("", "git", "clone", "-q", "--shared", top, clone)
	require.NoError(t, err, out)
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(clone, ".github", "workflows", name), []byte(text), 0o644))
	}
	out, err = run(clone, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "mutant")
	require.NoError(t, err, out)
	return run(clone, *whole, append([]string{"rehearse"}, args...)...)
}
