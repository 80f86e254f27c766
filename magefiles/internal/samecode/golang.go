package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// comparison compares two trees and collects the differences.
type comparison struct {
	set      *token.FileSet
	outside  types.Importer
	old, new *tree
	moved    map[string]string // new path of a file, by old path
	pairs    map[types.Object]types.Object
	back     map[types.Object]types.Object
	tags     map[types.Object]bool // true for a field with a tag
	written  map[types.Object]bool // fields of structs with at least one tag, which may be encoded as JSON or TOML
	shapes   [][2]types.Type       // interface types, old and new
	untyped  [][2]*ast.Ident       // renamed identifiers in files without type information

	here     [2]*source // the files that are being compared, old and new
	exact    bool       // texts must be equal, because they are in a regular expression
	found    []finding
	expected []string
	followed []string
	renamed  []string
	locals   int
	reworded int
}

// finding is one difference. If decide is set, a person may allow it.
type finding struct {
	at, says string
	decide   bool
	text     ast.Node // in the old tree; nil if -follow does not apply
}

func newComparison(exports map[string]string) *comparison {
	c := &comparison{
		set:   token.NewFileSet(),
		moved: map[string]string{},
		pairs: map[types.Object]types.Object{},
		back:  map[types.Object]types.Object{},
		tags:  map[types.Object]bool{},

		written: map[types.Object]bool{},
	}
	c.outside = outsideImporter(c.set, exports)
	return c
}

// now returns a file's path in the new tree.
func (c *comparison) now(path string) string {
	if moved, ok := c.moved[path]; ok {
		return moved
	}
	return path
}

// at formats a position as FILE:LINE, with the file relative to the root of its tree.
func (c *comparison) at(pos token.Pos) string {
	p := c.set.Position(pos)
	for _, t := range []*tree{c.old, c.new} {
		if rel, err := filepath.Rel(t.root, p.Filename); err == nil && !strings.HasPrefix(rel, "..") {
			return fmt.Sprintf("%s:%d", rel, p.Line)
		}
	}
	return p.String()
}

func (c *comparison) fail(pos token.Pos, format string, args ...any) {
	c.found = append(c.found, finding{at: c.at(pos), says: fmt.Sprintf(format, args...)})
}

func (c *comparison) ask(pos token.Pos, format string, args ...any) {
	c.found = append(c.found, finding{at: c.at(pos), says: "allow: " + fmt.Sprintf(format, args...), decide: true})
}

// directive matches a comment that a tool reads.
var directive = regexp.MustCompile(`^//(go:|mage:|lint:|nolint|export |line | \+build|  ?mage:import)|^// Code generated .* DO NOT EDIT\.$`)

// directives returns the directives in a file, each with the number of identifiers before it.
func directives(file *ast.File) (found []string) {
	var idents []int
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			idents = append(idents, int(id.Pos()))
		}
		return true
	})
	slices.Sort(idents)
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if directive.MatchString(comment.Text) {
				above, _ := slices.BinarySearch(idents, int(comment.Pos()))
				found = append(found, fmt.Sprintf("%s (after %d identifiers)", comment.Text, above))
			}
		}
	}
	return found
}

func (c *comparison) goFile(a, b *source) {
	c.here = [2]*source{a, b}
	if before, after := directives(a.file), directives(b.file); !slices.Equal(before, after) {
		c.fail(b.file.Package, "the directives %q became %q", before, after)
	}
	if a.typed != b.typed {
		c.fail(b.file.Package, "the build constraints differ")
		return
	}
	if a.file.Name.Name != b.file.Name.Name && path.Dir(a.path) == path.Dir(b.path) {
		c.fail(b.file.Package, "package %s became %s", a.file.Name.Name, b.file.Name.Name)
	}
	c.lists(b.file.Package, reflect.ValueOf(a.file.Decls), reflect.ValueOf(b.file.Decls), false)
}

// nodes compares two nodes. `text` is true if they are an argument that may be reworded.
func (c *comparison) nodes(a, b ast.Node, text bool) {
	if c.texts(a, b, text) {
		return
	}
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		c.fail(b.Pos(), "%s became %s", describe(a), describe(b))
		return
	}
	switch a := a.(type) {
	case *ast.CommentGroup:
	case *ast.Ident:
		c.idents(a, b.(*ast.Ident))
	case *ast.CallExpr:
		b := b.(*ast.CallExpr)
		c.nodes(a.Fun, b.Fun, false)
		if len(a.Args) != len(b.Args) || a.Ellipsis.IsValid() != b.Ellipsis.IsValid() {
			c.fail(b.Pos(), "the arguments of a call differ")
			return
		}
		isText, isExact := c.textArguments(a, text)
		defer func(exact bool) { c.exact = exact }(c.exact)
		c.exact = isExact
		for i := range a.Args {
			c.nodes(a.Args[i], b.Args[i], isText(i))
		}
	case *ast.Field:
		b := b.(*ast.Field)
		if tag(a) != tag(b) {
			c.fail(b.Pos(), "the tag %s became %s", tag(a), tag(b))
		}
		for _, name := range a.Names {
			c.tags[c.old.info.Defs[name]] = a.Tag != nil
		}
		c.lists(b.Pos(), reflect.ValueOf(a.Names), reflect.ValueOf(b.Names), false)
		c.nodes(a.Type, b.Type, false)
	case *ast.ImportSpec:
		b := b.(*ast.ImportSpec)
		if a.Path.Value != b.Path.Value {
			c.fail(b.Pos(), "the import of %s became one of %s", a.Path.Value, b.Path.Value)
		}
		if x, y := c.old.info.Implicits[a], c.new.info.Implicits[b]; x != nil && y != nil {
			c.objects(x, y, b.Pos())
		}
		if (a.Name == nil) != (b.Name == nil) {
			c.fail(b.Pos(), "the import of %s got or lost a name", a.Path.Value)
		} else if a.Name != nil {
			c.idents(a.Name, b.Name)
		}
	default:
		if s, ok := a.(*ast.StructType); ok && slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool { return f.Tag != nil }) {
			for _, field := range s.Fields.List {
				for _, name := range field.Names {
					c.written[c.old.info.Defs[name]] = true
				}
			}
		}
		if i, ok := a.(*ast.InterfaceType); ok && c.here[0].typed {
			c.shapes = append(c.shapes, [2]types.Type{c.old.info.TypeOf(i), c.new.info.TypeOf(b.(*ast.InterfaceType))})
		}
		c.fields(a, b, text && holdsText(a) || c.isError(a))
	}
}

// fields compares the fields of two nodes of the same type.
func (c *comparison) fields(a, b ast.Node, text bool) {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		v, w := x.Field(i), y.Field(i)
		switch before := v.Interface().(type) {
		case token.Pos: // positions may differ, but some are valid only if a token is present, such as an ellipsis or the = of an alias
			if before.IsValid() != w.Interface().(token.Pos).IsValid() {
				c.fail(b.Pos(), "%s lost or got its %s", describe(b), x.Type().Field(i).Name)
			}
		case *ast.CommentGroup:
		default:
			switch v.Kind() {
			case reflect.Slice:
				c.lists(b.Pos(), v, w, text)
			case reflect.Interface, reflect.Pointer:
				if v.IsNil() != w.IsNil() {
					c.fail(b.Pos(), "%s lost or got its %s", describe(b), x.Type().Field(i).Name)
				} else if !v.IsNil() {
					isKey := x.Type().Field(i).Name == "Key"
					c.nodes(v.Interface().(ast.Node), w.Interface().(ast.Node), text && !isKey)
				}
			default:
				if v.Interface() != w.Interface() {
					c.fail(b.Pos(), "%v became %v", v.Interface(), w.Interface())
				}
			}
		}
	}
}

func (c *comparison) lists(pos token.Pos, a, b reflect.Value, text bool) {
	if a.Len() != b.Len() {
		c.fail(pos, "%d of %s became %d", a.Len(), strings.TrimPrefix(a.Type().String(), "[]"), b.Len())
		return
	}
	for i := range a.Len() {
		c.nodes(a.Index(i).Interface().(ast.Node), b.Index(i).Interface().(ast.Node), text)
	}
}

func (c *comparison) idents(a, b *ast.Ident) {
	if !c.here[0].typed {
		if a.Name != b.Name {
			c.untyped = append(c.untyped, [2]*ast.Ident{a, b})
		}
		return
	}
	known := false
	for _, of := range [2][2]map[*ast.Ident]types.Object{{c.old.info.Defs, c.new.info.Defs}, {c.old.info.Uses, c.new.info.Uses}} {
		x, isX := of[0][a]
		y, isY := of[1][b]
		if isX != isY || (x == nil) != (y == nil) {
			c.fail(b.Pos(), "%s became %s, which is declared elsewhere", a.Name, b.Name)
			return
		}
		if known = known || isX; x != nil {
			c.objects(x, y, b.Pos())
		}
	}
	if !known && a.Name != b.Name {
		c.fail(b.Pos(), "%s became %s", a.Name, b.Name)
	}
}

// origin returns the generic declaration of an object of an instantiated type.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Var:
		return o.Origin()
	case *types.Func:
		return o.Origin()
	}
	return o
}

// isOurs reports whether an object is declared in one of the two trees.
func (c *comparison) isOurs(o types.Object) bool {
	return o.Pkg() != nil && (c.old.packages[o.Pkg().Path()] == o.Pkg() || c.new.packages[o.Pkg().Path()] == o.Pkg())
}

// objects checks that an object of the old tree corresponds to the same object of the new tree everywhere.
func (c *comparison) objects(x, y types.Object, pos token.Pos) {
	x, y = origin(x), origin(y)
	if !c.isOurs(x) || !c.isOurs(y) {
		if x != y {
			c.fail(pos, "%s became %s", x, y)
		}
		return
	}
	was, seen := c.pairs[x]
	is, taken := c.back[y]
	switch {
	case seen && was == y:
	case reflect.TypeOf(x) != reflect.TypeOf(y):
		c.fail(pos, "%s became %s, which is another kind of declaration", x.Name(), y.Name())
	case seen:
		c.fail(pos, "%s became %s here, and %s elsewhere (%s)", x.Name(), y.Name(), was.Name(), c.at(was.Pos()))
	case taken:
		c.fail(pos, "%s became %s, which was %s elsewhere (%s)", x.Name(), y.Name(), is.Name(), c.at(is.Pos()))
	default:
		c.pairs[x], c.back[y] = y, x
	}
}

func tag(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	return f.Tag.Value
}

// describe describes a node for a message.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BasicLit:
		return n.Value
	case ast.Expr:
		return types.ExprString(n)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast.")
}
