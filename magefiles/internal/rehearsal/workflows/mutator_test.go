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

// What whoever asks for the table may say. CONTRIBUTING has the command.
var (
	mutate = flag.Bool("mutants", false, "make every mutant of the five workflow files, and print which of them are found")
	only   = flag.String("mutant", "", "a regular expression: make those mutants alone whose file, line and change are like it")
	whole  = flag.String("whole", "", "a compiled magefile: what lives is run by its `mage rehearse` too, which takes minutes for each")
	lanes  = flag.Int("lanes", 2, "how many mutants are run at a time: each begins programs of its own")
)

// mutant is a file with one change.
type mutant struct {
	what, text string
	line       int      // of the file as it stands, where the change is
	lines      [2]int   // of the mutant: from and to where a message may point, which is the value, or the block that a key is missing in
	words      []string // of what was changed: a message may point at another line that has one of them
	order      int      // among those of the file
	do         func(doc *yaml.Node)
}

// at is a place in a YAML document: positions in Content, from the top.
type at []int

func (a at) in(doc *yaml.Node) *yaml.Node {
	for _, i := range a {
		doc = doc.Content[i]
	}
	return doc
}

// lastLine is where a value ends.
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

// ordinary are words that stand everywhere, so that a line which has one of them has nothing to do with a change of another.
var ordinary = regexp.MustCompile(`^(?:name|run|uses|with|env|if|needs|on|steps|jobs|path|push|outputs|permissions|true|false|ubuntu-24\.04|\d+|contents|read|write)$`)

func has(n *yaml.Node, keys ...string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if slices.Contains(keys, n.Content[i].Value) {
			return true
		}
	}
	return false
}

// lastName is what an expression asks a context for.
var lastName = regexp.MustCompile(`\b(?:matrix|needs|steps|inputs|vars|secrets)(?:\.[\w-]+)*\.([\w-]+)`)

// wordsOf are all texts of a value, and the names that its expressions ask for.
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

// swapped are the keys whose values are also replaced by those that stand elsewhere in the file at the same kind of place.
var swapped = []string{"needs", "name", "path", "run"}

// mutants are a file without each of its keys and items, with each value replaced by those of its siblings, and with values of `needs`, `name`, `path` and
// `run` that stand elsewhere in the file in their places.
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
	// change adds a mutant whose change is at a place: of a value that is there, or of the block that lacks it.
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
		for _, i := range place { // what is wrong with a step is told of the step
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

// kindOf is one text for all places of a file that are alike, where values may stand in each other's places.
func kindOf(path, key string) string {
	if !slices.Contains(swapped, key) {
		return ""
	}
	return index.ReplaceAllString(path, "") + "." + key
}

// valuesOf are the values of a file that are put into each other's places, by what kindOf says.
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

// harmless are changes after which all goes as well, by a regular expression of file and change, with the reason.
type harmless struct {
	What string
	Why  string
	what *regexp.Regexp
	met  map[string][]mutant // by file
}

// maxHarmless is how many kinds of them there may be.
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

// points reports whether a message names the place of a mutant: its line, a line of the block that lacks a key, or one that has a word of what was changed.
func (m mutant) points(name, said string) bool {
	lines := strings.Split(m.text, "\n")
	for _, match := range regexp.MustCompile(regexp.QuoteMeta(name)+`:(\d+)|\bline (\d+)`).FindAllStringSubmatch(said, -1) {
		n, _ := strconv.Atoi(match[1] + match[2]) // digits alone
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

// The list of harmless changes is one that the mutants are held against: TestMutator says of each entry how many it is for.
func TestHarmless(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, readHarmless(t))
}

// TestMutator makes the table, by hand: CONTRIBUTING has the command.
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

// runHarmless runs one change of each kind and file that is harmless, all of them in one commit, by the real rehearsal: it goes as well.
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
		slices.SortFunc(some, func(a, b mutant) int { return b.order - a.order }) // the last first: what is before it has its place still
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

// path is where a change is.
func (m mutant) path() string {
	path, _, _ := strings.Cut(strings.TrimPrefix(m.what, "delete "), " = ")
	return path + "."
}

func (m mutant) title(s scenario) string { return fmt.Sprintf("%s:%d %s", s.name, m.line, m.what) }

// What a mutant comes to, beside the ways in which it is found.
const (
	lived      = "LIVED"
	astray     = "ASTRAY" // it is told, at no line that has to do with it
	isHarmless = "harmless"
)

// judge says what a mutant comes to, and a line about it.
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

// runWhole runs a mutant by the real rehearsal, and returns what that says against the file; "" for nothing. Of files that a tag does not start it is
// `rehearse -full` that runs them.
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

// rehearse runs the real rehearsal, in a clone of this repository in which workflow files have other texts, and returns what it says.
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
