package versionfile

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

var recipeVariable = regexp.MustCompile(`^\$\{\{\s*(\w+)\s*\}\}$`)

// Recipe is the part of a recipe.yaml that we use.
type Recipe struct {
	Version      *manifest.Version // nil if it is neither a literal nor a single variable
	Dependencies []manifest.Dependency
	OnePlatform  []OnePlatform
}

// OnePlatform is a platform-specific output of a recipe.
type OnePlatform struct {
	manifest.Pos
	Why string // "the recipe does not set noarch"
}

// ReadRecipe reads a recipe. s is the manifest of its package.
func ReadRecipe(s *manifest.File, file string, src []byte) (r Recipe) {
	var root yaml.Node
	if err := yaml.Unmarshal(src, &root); err != nil {
		s.FailAt(manifest.Pos{File: file}, "Correct the file: it is not valid YAML.", "%v", err)
		return r
	}
	r.Dependencies, r.OnePlatform = recipeDeps(file, src, &root), recipePlatforms(file, &root)
	n := recipeVersion(&root)
	if n == nil {
		return r
	}
	start, ok := scalarStart(src, n)
	if !ok {
		s.FailAt(manifest.Pos{File: file, Line: n.Line, Col: n.Column}, "Write the version on one line, such as `version: \"0.1.0\"`.", "the version is written in a form that cannot be edited")
		return r
	}
	v := textVersion(file, src, start, start+len(n.Value), manifest.VersionRecipe, manifest.RecipeFile)
	r.Version = &v
	return r
}

// recipeVersion returns the version node of package (or of recipe, if there are outputs). If that node refers to a variable in context,
// it returns the variable's node. It returns nil if the version cannot be found.
func recipeVersion(root *yaml.Node) *yaml.Node {
	if len(root.Content) == 0 {
		return nil
	}
	top := root.Content[0]
	for _, table := range []string{"package", "recipe"} {
		n := member(member(top, table), "version")
		if n == nil || n.Kind != yaml.ScalarNode {
			continue
		}
		if m := recipeVariable.FindStringSubmatch(strings.TrimSpace(n.Value)); m != nil {
			n = member(member(top, "context"), m[1])
		}
		if n == nil || n.Kind != yaml.ScalarNode || strings.Contains(n.Value, "${{") {
			return nil
		}
		return n
	}
	return nil
}

// recipeDeps reads the requirements of a recipe and its outputs that are written as "name" or "name version", including those nested in
// if, then and else. Requirements that use Jinja are skipped, because they cannot be edited.
func recipeDeps(file string, src []byte, root *yaml.Node) []manifest.Dependency {
	if len(root.Content) == 0 {
		return nil
	}
	parts := []*yaml.Node{root.Content[0]}
	if outputs := member(root.Content[0], "outputs"); outputs != nil {
		parts = append(parts, outputs.Content...)
	}
	var out []manifest.Dependency
	for _, part := range parts {
		for _, t := range []struct {
			key  string
			role manifest.Role
		}{{"build", manifest.RoleBuild}, {"host", manifest.RoleHost}, {"run", manifest.RoleRun}, {"run_constraints", manifest.RoleConstraint}} {
			like := manifest.Dependency{Kind: manifest.Conda, Role: t.role, Table: "requirements." + t.key}
			for _, n := range scalarsOf(member(member(part, "requirements"), t.key)) {
				if d, ok := recipeDep(file, src, n, like); ok {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// scalarsOf returns the strings in a list, including those in then and else.
func scalarsOf(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}
	case n.Kind == yaml.MappingNode:
		return append(scalarsOf(member(n, "then")), scalarsOf(member(n, "else"))...)
	}
	var out []*yaml.Node
	for _, c := range n.Content {
		out = append(out, scalarsOf(c)...)
	}
	return out
}

var recipeSpec = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)(?:[ \t]+([^ \t]+))?$`)

func recipeDep(file string, src []byte, n *yaml.Node, like manifest.Dependency) (manifest.Dependency, bool) {
	m := recipeSpec.FindStringSubmatchIndex(n.Value)
	start, ok := scalarStart(src, n)
	if m == nil || !ok || strings.Contains(n.Value, "{{") {
		return like, false
	}
	like.Pos, like.Name = manifest.Pos{File: file, Line: n.Line, Col: n.Column}, n.Value[m[2]:m[3]]
	if like.Spec.Raw = n.Value; m[4] >= 0 {
		like.Spec.Text, like.Spec.Offset = n.Value[m[4]:m[5]], start+m[4]
	}
	return like, true
}

func member(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// scalarStart returns the offset of a scalar's text, after the opening quote. `ok` is false if the source spells the text
// differently, for example with escapes.
func scalarStart(src []byte, n *yaml.Node) (start int, ok bool) {
	at := 0
	for range n.Line - 1 {
		i := bytes.IndexByte(src[at:], '\n')
		if i < 0 {
			return 0, false
		}
		at += i + 1
	}
	at += n.Column - 1
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		at++
	}
	return at, n.Value != "" && at <= len(src) && bytes.HasPrefix(src[at:], []byte(n.Value))
}

// recipePlatforms returns the outputs of a recipe that are not noarch. An output without its own setting inherits noarch from the
// recipe's `build`. Outputs with a computed noarch are skipped, because only the built artifact shows the result.
func recipePlatforms(file string, root *yaml.Node) []OnePlatform {
	if len(root.Content) == 0 {
		return nil
	}
	top := root.Content[0]
	inherited := member(member(top, "build"), "noarch")
	list := member(top, "outputs")
	if list == nil {
		if saysNoarch(inherited) {
			return nil
		}
		at := top
		if build := member(top, "build"); build != nil {
			at = build
		}
		return []OnePlatform{{Pos: manifest.Pos{File: file, Line: at.Line, Col: at.Column}, Why: "the recipe does not set noarch"}}
	}
	var out []OnePlatform
	for _, o := range outputsOf(list) {
		own := member(member(o, "build"), "noarch")
		if own == nil {
			own = inherited
		}
		if saysNoarch(own) {
			continue
		}
		why := "an output of the recipe does not set noarch"
		if name := member(member(o, "package"), "name"); name != nil {
			why = "the output " + name.Value + " of the recipe does not set noarch"
		}
		out = append(out, OnePlatform{Pos: manifest.Pos{File: file, Line: o.Line, Col: o.Column}, Why: why})
	}
	return out
}

// saysNoarch reports whether noarch has a value: python, generic, or an expression that only rattler-build can evaluate.
func saysNoarch(n *yaml.Node) bool {
	return n != nil && (n.Kind != yaml.ScalarNode || n.Tag != "!!null" && n.Value != "")
}

// outputsOf returns the outputs of a recipe, including those nested in then and else, but not staging outputs, which are not packages.
func outputsOf(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil || member(n, "staging") != nil:
		return nil
	case n.Kind == yaml.MappingNode && member(n, "then") != nil:
		return append(outputsOf(member(n, "then")), outputsOf(member(n, "else"))...)
	case n.Kind == yaml.MappingNode:
		return []*yaml.Node{n}
	}
	var out []*yaml.Node
	for _, c := range n.Content {
		out = append(out, outputsOf(c)...)
	}
	return out
}
