package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// checkUntypedNames checks that each renamed identifier in files for other systems was renamed in the same way elsewhere.
func (c *comparison) checkUntypedNames() {
	known := map[[2]string]bool{}
	for x, y := range c.pairs {
		known[[2]string{x.Name(), y.Name()}] = true
	}
	for _, p := range c.untyped {
		if !known[[2]string{p[0].Name, p[1].Name}] {
			c.fail(p[1].Pos(), "%s became %s, but only in a file for other systems", p[0].Name, p[1].Name)
		}
	}
}

// byReflection lists methods that other modules look for without a named interface.
var byReflection = []string{"As", "Cause", "ExitStatus", "Flush", "Format", "Is", "Sync", "Temporary", "Timeout", "Unwrap"}

var ofTests = regexp.MustCompile(`^(Test|Benchmark|Fuzz|Example)`)

// renames checks for each renamed identifier whether anything other than the compiler depends on its name.
func (c *comparison) renames() {
	inTemplates, byMage := c.templates(), c.mageObjects()
	renamed := map[string]bool{} // old and new names of methods
	for x, y := range c.pairs {
		was, is := x.Name(), y.Name()
		if was == is {
			continue
		}
		method, field := false, false
		switch x := x.(type) {
		case *types.Func:
			method = x.Signature().Recv() != nil
		case *types.Var:
			field = x.IsField()
		}
		switch {
		case was == "_" || is == "_":
			c.fail(y.Pos(), "%s became %s, which is declared in only one of the two trees", was, is)
		case was == "init" || is == "init" || was == "main" || is == "main":
			c.fail(y.Pos(), "%s became %s, which Go calls by its name", was, is)
		case byMage[x]:
			c.fail(y.Pos(), "%s became %s, but users write this name on the command line", was, is)
		case strings.HasSuffix(c.set.Position(x.Pos()).Filename, "_test.go") && ofTests.FindString(was) != ofTests.FindString(is):
			c.fail(y.Pos(), "%s became %s, but only one of these functions is a test", was, is)
		case (method || field) && x.Exported() != y.Exported():
			c.fail(y.Pos(), "%s became %s, but only one of these names is exported", was, is)
		case (method || field) && inTemplates[was]:
			c.fail(y.Pos(), "%s became %s, but a template uses .%s", was, is, was)
		case method && (slices.Contains(byReflection, was) || slices.Contains(byReflection, is)):
			c.fail(y.Pos(), "method %s became %s, but other modules call one of these names", was, is)
		case field && x.Exported() && !c.tags[x]:
			c.ask(y.Pos(), "field %s of package %s became %s, but has no tag: JSON, TOML and templates use its name", was, x.Pkg().Path(), is)
		}
		if method {
			renamed[was], renamed[is] = true, true
		}
		if method || field || x.Parent() == x.Pkg().Scope() {
			c.renamed = append(c.renamed, fmt.Sprintf("%s: %s.%s became %s", c.at(y.Pos()), x.Pkg().Path(), was, is))
		} else {
			c.locals++
		}
	}
	slices.Sort(c.renamed)
	if len(renamed) > 0 {
		c.methods(renamed)
	}
	slices.SortFunc(c.found, func(f, g finding) int { return strings.Compare(f.at+f.says, g.at+g.says) })
}

// methods checks that each type still satisfies the same interfaces. The compiler checks this only for values that are assigned to an interface.
func (c *comparison) methods(renamed map[string]bool) {
	has := func(i *types.Interface) bool {
		for m := range i.Methods() {
			if renamed[m.Name()] {
				return true
			}
		}
		return false
	}
	theirs := c.outsideTypes()
	shapes := c.shapes
	for _, t := range theirs {
		if types.IsInterface(t) {
			shapes = append(shapes, [2]types.Type{t, t})
		}
	}
	var ours [][2]types.Type
	for x, y := range c.pairs {
		if name, ok := x.(*types.TypeName); ok && !name.IsAlias() && !types.IsInterface(name.Type()) {
			ours = append(ours, [2]types.Type{x.Type(), y.Type()})
		}
	}
	for _, t := range theirs {
		if !types.IsInterface(t) {
			ours = append(ours, [2]types.Type{t, t})
		}
	}
	for _, shape := range shapes {
		before, isOld := shape[0].Underlying().(*types.Interface)
		after, isNew := shape[1].Underlying().(*types.Interface)
		if !isOld || !isNew || !has(before) && !has(after) {
			continue
		}
		for _, t := range ours {
			if satisfies(t[0], before) != satisfies(t[1], after) {
				c.found = append(c.found, finding{at: t[1].String(), says: fmt.Sprintf("the type satisfies %s in only one of the two trees", shape[0])})
			}
		}
	}
}

func satisfies(t types.Type, i *types.Interface) bool {
	return types.Implements(t, i) || types.Implements(types.NewPointer(t), i)
}

// outsideTypes returns the named types of the other modules that our packages import, directly or indirectly.
func (c *comparison) outsideTypes() (found []types.Type) {
	found = append(found, types.Universe.Lookup("error").Type())
	seen := map[*types.Package]bool{}
	var visit func(p *types.Package)
	visit = func(p *types.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, name := range p.Scope().Names() {
			if t, ok := p.Scope().Lookup(name).(*types.TypeName); ok {
				if named, ok := t.Type().(*types.Named); ok && named.TypeParams() == nil {
					found = append(found, named)
				}
			}
		}
		for _, i := range p.Imports() {
			visit(i)
		}
	}
	for _, p := range c.old.packages {
		for _, i := range p.Imports() {
			if c.old.packages[i.Path()] == nil {
				visit(i)
			}
		}
	}
	return found
}

var inTemplate = regexp.MustCompile(`\.([A-Z]\w*)`)

// templates returns the names of the fields and methods that templates use.
func (c *comparison) templates() map[string]bool {
	names := map[string]bool{}
	_ = filepath.WalkDir(c.old.root, func(path string, _ os.DirEntry, err error) error {
		if ext := filepath.Ext(path); err != nil || ext != ".html" && ext != ".tmpl" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range inTemplate.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	})
	return names
}

// mageObjects returns the objects whose names become targets and flags of Mage.
func (c *comparison) mageObjects() map[types.Object]bool {
	found, packages := map[types.Object]bool{}, map[string]bool{}
	for path, s := range c.old.files {
		imports := false
		for _, group := range s.file.Comments {
			for _, comment := range group.List {
				imports = imports || strings.HasPrefix(strings.TrimLeft(comment.Text, "/ "), "mage:import")
			}
		}
		for _, i := range s.file.Imports {
			if imports && i.Doc != nil {
				packages[strings.Trim(i.Path.Value, `"`)] = true
			}
		}
		if imports {
			packages[path] = true
		}
	}
	for path, s := range c.old.files {
		for _, d := range s.file.Decls {
			o := c.old.info.Defs[declared(d)]
			if o == nil || s.test || !o.Exported() || !packages[path] && !packages[o.Pkg().Path()] {
				continue
			}
			found[o] = true
			if f, ok := o.(*types.Func); ok {
				for p := range f.Signature().Params().Variables() {
					found[p] = true
				}
			}
		}
	}
	return found
}

// declared returns the name in a declaration of a function, or of a single type.
func declared(d ast.Decl) *ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name
	case *ast.GenDecl:
		if len(d.Specs) != 1 {
			return nil
		}
		if t, ok := d.Specs[0].(*ast.TypeSpec); ok {
			return t.Name
		}
	}
	return nil
}
