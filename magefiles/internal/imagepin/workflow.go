package imagepin

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// variables name images in the environment of a job that runs this pipeline.
var variables = []string{"BUILDKIT_SBOM_GENERATOR", "PIXI_IMAGE", "BASE_IMAGE"}

// docker is the scheme of steps that are images.
const docker = "docker://"

var yamlFile = lazyregexp.New(`\.ya?ml$`)

// IsWorkflow reports whether a file is one that GitHub runs: a workflow, an action, or what Dependabot goes by.
func IsWorkflow(file string) bool {
	dir, name := path.Split(file)
	stem := yamlFile().ReplaceAllString(name, "")
	return stem != name && (dir == ".github/workflows/" || stem == "action" || dir == ".github/" && stem == "dependabot")
}

// Workflow returns the places of a workflow, or of the file of an action: images of containers, services and steps, that of a
// builder, and the variables that name one for this pipeline. Errors are of YAML.
func Workflow(text []byte) (places []Place, open []Open, err error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, nil, err
	}
	f := &finder{text: string(text), seen: map[int]bool{}}
	if len(root.Content) == 0 {
		return nil, nil, nil
	}
	top := followed(root.Content[0])
	f.environment(top)
	if runs := value(top, "runs"); runs != nil { // an action
		f.step(value(runs, "image"))
		f.steps(runs)
	}
	for _, job := range values(value(top, "jobs")) {
		f.environment(job)
		f.container(value(job, "container"))
		for _, service := range values(value(job, "services")) {
			f.container(service)
		}
		f.steps(job)
	}
	slices.SortFunc(f.places, func(a, b Place) int { return a.End - b.End })
	return unpinned(f.places), f.open, nil
}

type finder struct {
	text   string
	seen   map[int]bool // lines and columns that were looked at, where an anchor is used again
	places []Place
	open   []Open
}

// followed is the node that an alias stands for.
func followed(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// value is that of a key of a mapping, nil where there is none.
func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return followed(n.Content[i+1])
		}
	}
	return nil
}

// values are those of a mapping, or of a list.
func values(n *yaml.Node) (all []*yaml.Node) {
	switch {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, v := range n.Content {
			all = append(all, followed(v))
		}
	case n.Kind == yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			all = append(all, followed(n.Content[i]))
		}
	}
	return all
}

// container takes an image, or the image of a mapping.
func (f *finder) container(n *yaml.Node) {
	if n != nil && n.Kind == yaml.MappingNode {
		n = value(n, "image")
	}
	if n != nil && n.Kind == yaml.ScalarNode {
		f.take(n, strings.TrimPrefix(n.Value, docker), "")
	}
}

func (f *finder) environment(n *yaml.Node) {
	for _, name := range variables {
		if v := value(value(n, "env"), name); v != nil && v.Kind == yaml.ScalarNode && v.Value != "off" {
			f.take(v, v.Value, "")
		}
	}
}

// step takes the image of a step, or of an action, that is one.
func (f *finder) step(n *yaml.Node) {
	if n == nil || n.Kind != yaml.ScalarNode {
		return
	}
	if ref, ok := strings.CutPrefix(n.Value, docker); ok {
		f.take(n, ref, "")
	}
}

// steps takes those of a job or an action. The driver of docker/setup-buildx-action has an image among its options.
func (f *finder) steps(n *yaml.Node) {
	for _, step := range values(value(n, "steps")) {
		f.environment(step)
		f.step(value(step, "uses"))
		uses, options := value(step, "uses"), value(value(step, "with"), "driver-opts")
		if uses == nil || options == nil || !strings.HasPrefix(uses.Value, "docker/setup-buildx-action@") {
			continue
		}
		for option := range strings.FieldsFuncSeq(options.Value, func(r rune) bool { return r == '\n' || r == ',' }) {
			if ref, ok := strings.CutPrefix(strings.TrimSpace(option), "image="); ok {
				f.take(options, ref, "image=")
			}
		}
	}
}

// take finds where a name stands in a scalar: it ends there, or follows before.
func (f *finder) take(n *yaml.Node, ref, before string) {
	switch {
	case ref == "":
		return
	case strings.Contains(ref, "${{"):
		f.open = append(f.open, Open{
			Ref:  ref,
			Line: n.Line,
			Why:  "it is an expression: write the name where the expression takes it from, with its digest",
		})
		return
	}
	end, ok := f.end(n, ref, before)
	if !ok {
		f.open = append(f.open, Open{
			Ref:  ref,
			Line: n.Line,
			Why:  "it is written in a form that is not edited: write it on one line, without escapes",
		})
		return
	}
	if !f.seen[end] {
		f.seen[end] = true
		f.places = append(f.places, Place{Ref: ref, End: end, Line: 1 + strings.Count(f.text[:end], "\n")})
	}
}

// end is the offset behind a name, where the file has it as it was read.
func (f *finder) end(n *yaml.Node, ref, before string) (int, bool) {
	at, ok := f.offset(n)
	if !ok {
		return 0, false
	}
	written := n.Value
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		at++
	case yaml.LiteralStyle: // the lines follow, and none is longer than one of the file
		written = before + ref
		_, below, _ := strings.Cut(f.text[at:], "\n")
		n := strings.Index(below, written)
		if n < 0 {
			return 0, false
		}
		at = len(f.text) - len(below) + n
	case 0:
	default:
		return 0, false
	}
	if !strings.HasPrefix(f.text[at:], written) {
		return 0, false
	}
	return at + strings.Index(written, before+ref) + len(before+ref), true
}

// offset is where the value of a node begins, behind its anchor and its tag.
func (f *finder) offset(n *yaml.Node) (int, bool) {
	at := strings.Count(f.text[:min(len(f.text), 3)], "\ufeff") * 3 // a mark at the beginning has no column
	for range n.Line - 1 {
		next := strings.IndexByte(f.text[at:], '\n')
		if next < 0 {
			return 0, false
		}
		at += next + 1
	}
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(f.text[at:])
		at += size
	}
	for at < len(f.text) && (f.text[at] == '&' || f.text[at] == '!') {
		next := strings.IndexAny(f.text[at:], " \t")
		if next < 0 {
			return 0, false
		}
		at += next
		at += len(f.text[at:]) - len(strings.TrimLeft(f.text[at:], " \t"))
	}
	return at, at < len(f.text)
}

// String is the place as a compiler would name it.
func (o Open) String() string { return fmt.Sprintf("line %d: %s: %s", o.Line, o.Ref, o.Why) }
