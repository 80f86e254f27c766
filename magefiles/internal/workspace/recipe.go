package workspace

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	recipeBackend = "pixi-build-rattler-build"
	recipeFile    = RecipeFile
)

var recipeVariable = regexp.MustCompile(`^\$\{\{\s*(\w+)\s*\}\}$`)

// readRecipe finds the version of a package that is built from a recipe.yaml. The backend takes it from there, whatever
// [package] says, so that a version in the manifest is a copy.
func (l *loader) readRecipe(s *source, p *Package) {
	if p.Build.Backend != recipeBackend || p.SourceDir == "" {
		return
	}
	real, src, err := l.text(path.Join(p.SourceDir, recipeFile))
	if err != nil {
		return // it may be made while building; the version is then the backend's affair
	}
	var root yaml.Node
	if err := yaml.Unmarshal(src, &root); err != nil {
		s.problemAt(Pos{File: real}, "Correct the file: it is not valid YAML.", "%v", err)
		return
	}
	p.recipe, p.onePlatform = recipeDeps(real, src, &root), recipePlatforms(real, &root)
	n := recipeVersion(&root)
	if n == nil {
		return
	}
	start, ok := scalarStart(src, n)
	if !ok {
		s.problemAt(Pos{File: real, Line: n.Line, Col: n.Column}, "Write it on one line, such as `version: \"0.1.0\"`.", "the version cannot be edited as it is written")
		return
	}
	v := textVersion(real, src, start, start+len(n.Value), VersionRecipe, recipeFile)
	all := []Version{v}
	for _, other := range p.Versions {
		if other.Source != VersionBackend && other.Source != VersionMissing {
			all = append(all, other)
		}
	}
	p.Version, p.Versions = v, all
}

// recipeVersion returns the node of the version: that of package (or recipe, where there are outputs), or of the variable
// in context that it is made of; nil where it is neither.
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

// recipeDeps reads the requirements of a recipe and of its outputs: those that are written as "name" or "name version", also
// below if, then and else. What Jinja makes is nobody's to edit.
func recipeDeps(file string, src []byte, root *yaml.Node) []Dependency {
	if len(root.Content) == 0 {
		return nil
	}
	parts := []*yaml.Node{root.Content[0]}
	if outputs := member(root.Content[0], "outputs"); outputs != nil {
		parts = append(parts, outputs.Content...)
	}
	var out []Dependency
	for _, part := range parts {
		for _, t := range []struct {
			key  string
			role Role
		}{{"build", RoleBuild}, {"host", RoleHost}, {"run", RoleRun}, {"run_constraints", RoleConstraint}} {
			like := Dependency{Kind: Conda, Role: t.role, Table: "requirements." + t.key}
			for _, n := range scalarsOf(member(member(part, "requirements"), t.key)) {
				if d, ok := recipeDep(file, src, n, like); ok {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// scalarsOf returns the strings of a list, and of the lists in then and else.
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

func recipeDep(file string, src []byte, n *yaml.Node, like Dependency) (Dependency, bool) {
	m := recipeSpec.FindStringSubmatchIndex(n.Value)
	start, ok := scalarStart(src, n)
	if m == nil || !ok || strings.Contains(n.Value, "{{") {
		return like, false
	}
	like.Pos, like.Name = Pos{File: file, Line: n.Line, Col: n.Column}, n.Value[m[2]:m[3]]
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

// scalarStart returns the offset of a scalar's text, behind its quote; ok is false where it stands there in another form.
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
