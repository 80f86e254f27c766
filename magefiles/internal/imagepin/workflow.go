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

// variables are the environment variables that name images for this pipeline.
var variables = []string{"BUILDKIT_SBOM_GENERATOR", "PIXI_IMAGE", "BASE_IMAGE"}

// docker is the URL scheme of steps that run an image.
const docker = "docker://"

var yamlFile = lazyregexp.New(`\.ya?ml$`)

// IsWorkflow reports whether a file is a workflow, an action, or a Dependabot configuration.
func IsWorkflow(file string) bool {
	dir, name := path.Split(file)
	stem := yamlFile().ReplaceAllString(name, "")
	return stem != name && (dir == ".github/workflows/" || stem == "action" || dir == ".github/" && stem == "dependabot")
}

// Workflow returns the places in a workflow or an action: the images of containers, services, steps and builders, and variables that name an image
// for this pipeline. It returns an error for invalid YAML.
func Workflow(text []byte) (places []Place, open []Open, err error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, nil, err
	}
	f := &finder{text: string(text), seen: map[int]bool{}}
	if len(root.Content) == 0 {
		return nil, nil, nil
	}
	top := resolveAlias(root.Content[0])
	f.environment(top)
	if runs := value(top, "runs"); runs != nil { // the file is an action
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
	seen   map[int]bool // offsets of the places found so far, because an anchor may be used repeatedly
	places []Place
	open   []Open
}

// resolveAlias returns the target of an alias. It returns any other node unchanged.
func resolveAlias(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// value returns a key's value in a mapping, or nil.
func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolveAlias(n.Content[i+1])
		}
	}
	return nil
}

// values returns the values of a mapping or list.
func values(n *yaml.Node) (all []*yaml.Node) {
	switch {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, v := range n.Content {
			all = append(all, resolveAlias(v))
		}
	case n.Kind == yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			all = append(all, resolveAlias(n.Content[i]))
		}
	}
	return all
}

// container adds a container's image: the node itself, or its key `image`.
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

// step adds the image of a step or action, if it has one.
func (f *finder) step(n *yaml.Node) {
	if n == nil || n.Kind != yaml.ScalarNode {
		return
	}
	if ref, ok := strings.CutPrefix(n.Value, docker); ok {
		f.take(n, ref, "")
	}
}

// steps adds the images in the steps of a job or action, including the driver image in the options of docker/setup-buildx-action.
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

// take adds the place of an image name in a scalar, where it follows the text `before`.
func (f *finder) take(n *yaml.Node, ref, before string) {
	switch {
	case ref == "":
		return
	case strings.Contains(ref, "${{"):
		f.open = append(f.open, Open{
			Ref:  ref,
			Line: n.Line,
			Why:  "the name comes from an expression: add the digest where the expression gets the name from",
		})
		return
	}
	end, ok := f.end(n, ref, before)
	if !ok {
		f.open = append(f.open, Open{
			Ref:  ref,
			Line: n.Line,
			Why:  "this form of the name cannot be edited: write the name on one line, without escapes",
		})
		return
	}
	if !f.seen[end] {
		f.seen[end] = true
		f.places = append(f.places, Place{Ref: ref, End: end, Line: 1 + strings.Count(f.text[:end], "\n")})
	}
}

// end returns the offset after a name, if the name appears verbatim in the file.
func (f *finder) end(n *yaml.Node, ref, before string) (int, bool) {
	at, ok := f.offset(n)
	if !ok {
		return 0, false
	}
	written := n.Value
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		at++
	case yaml.LiteralStyle: // the text starts on the next line, and its lines correspond to lines of the file
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

// offset returns where a node's value starts, after its anchor and tag.
func (f *finder) offset(n *yaml.Node) (int, bool) {
	at := strings.Count(f.text[:min(len(f.text), 3)], "\ufeff") * 3 // a byte order mark does not count as a column
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

// String formats the line, the name and the reason.
func (o Open) String() string { return fmt.Sprintf("line %d: %s: %s", o.Line, o.Ref, o.Why) }
