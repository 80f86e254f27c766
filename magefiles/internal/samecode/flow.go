package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// flow records where the texts in the old tree go, to find those that are used only as arguments that may be reworded.
type flow struct {
	c      *comparison
	needs  map[types.Object][]types.Object // the objects that an object's value is passed or assigned to
	barred map[types.Object]bool           // objects that are also used in other ways
	asked  map[ast.Node][]types.Object     // the objects that a text is passed or assigned to; texts that are used in other ways are not in the map
}

// follow follows texts through the old tree: through assignments, arguments and return values.
func (c *comparison) follow(texts map[ast.Node]bool) *flow {
	f := &flow{c: c, needs: map[types.Object][]types.Object{}, barred: map[types.Object]bool{}, asked: map[ast.Node][]types.Object{}}
	for _, s := range c.old.files {
		if !s.typed || s.test {
			continue
		}
		c.here = [2]*source{s, s}
		var stack []ast.Node
		ast.Inspect(s.file, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			stack = append(stack, n)
			if texts[n] {
				if needs, ok := f.reach(stack); ok {
					f.asked[n] = needs
				}
			}
			if id, ok := n.(*ast.Ident); ok && c.old.info.Uses[id] != nil {
				o := origin(c.old.info.Uses[id])
				at := stack
				if s, ok := stack[len(stack)-2].(*ast.SelectorExpr); ok && s.Sel == id {
					at = stack[:len(stack)-1]
				}
				needs, ok := f.reach(at)
				f.needs[o] = append(f.needs[o], needs...)
				f.barred[o] = f.barred[o] || !ok
			}
			return true
		})
	}
	for o := range f.needs {
		f.barred[o] = f.barred[o] || !f.holds(o)
	}
	for changed := true; changed; {
		changed = false
		for o, needs := range f.needs {
			if !f.barred[o] && slices.ContainsFunc(needs, f.isBarred) {
				f.barred[o], changed = true, true
			}
		}
	}
	return f
}

// isProven reports whether a text reaches only arguments whose words may change, such as those of errors.New.
func (f *flow) isProven(text ast.Node) bool {
	needs, ok := f.asked[text]
	return ok && !slices.ContainsFunc(needs, f.isBarred)
}

func (f *flow) isBarred(o types.Object) bool { return o == nil || f.barred[o] || !f.holds(o) }

// holds reports whether all uses of an object's value are visible. Other programs may read fields that are written as JSON, and a method of an
// interface can be called without being named.
func (f *flow) holds(o types.Object) bool {
	if !f.c.isOurs(o) || f.c.written[o] {
		return false
	}
	fun, ok := o.(*types.Func)
	return !ok || fun.Signature().Recv() == nil || !slices.ContainsFunc(f.c.shapes, func(s [2]types.Type) bool {
		i, ok := s[0].Underlying().(*types.Interface)
		m, _, _ := types.LookupFieldOrMethod(i, false, fun.Pkg(), fun.Name())
		return ok && m != nil
	})
}

// reach returns the objects that the text at the top of the stack is passed or assigned to. `ok` is false if the text is used in another way.
func (f *flow) reach(stack []ast.Node) (needs []types.Object, ok bool) {
	info := f.c.old.info
	for at := len(stack) - 1; at > 0; at-- {
		n := stack[at]
		switch p := stack[at-1].(type) {
		case *ast.ParenExpr:
		case *ast.BinaryExpr:
			empty := func(e ast.Expr) bool { lit, ok := e.(*ast.BasicLit); return ok && lit.Value == `""` }
			if (p.Op == token.EQL || p.Op == token.NEQ) && (empty(p.X) || empty(p.Y)) {
				return nil, true
			}
			if p.Op != token.ADD {
				return nil, false
			}
		case *ast.IndexExpr:
			if p.X != n {
				return nil, false
			}
		case *ast.CallExpr:
			i := slices.IndexFunc(p.Args, func(e ast.Expr) bool { return e == n })
			if i < 0 { // n is the function of the call, so the text is the call's result
				continue
			}
			if isText, exact := f.c.textArguments(p, true); !exact && isText(i) {
				if isText, _ := f.c.textArguments(p, false); isText(i) {
					return nil, true
				}
				continue // an argument of Sprintf
			}
			o := f.calledObject(p)
			if o != nil && (o.Parent() == types.Universe && o.Name() == "append" || o.Pkg() != nil && o.Pkg().Path() == "strings" && o.Name() == "Join") {
				continue
			}
			fun, isFunc := o.(*types.Func)
			if !isFunc || !f.c.isOurs(fun) {
				return nil, false
			}
			signature := fun.Origin().Signature()
			if last := signature.Params().Len() - 1; len(p.Args) > last && (signature.Recv() == nil || !types.IsInterface(signature.Recv().Type())) {
				return []types.Object{signature.Params().At(min(i, last))}, true
			}
			return nil, false
		case *ast.AssignStmt:
			if slices.ContainsFunc(p.Lhs, func(e ast.Expr) bool { return e == n }) {
				return nil, true
			}
			if len(p.Lhs) != len(p.Rhs) {
				return f.targets(p.Lhs)
			}
			return f.target(p.Lhs[slices.IndexFunc(p.Rhs, func(e ast.Expr) bool { return e == n })])
		case *ast.ValueSpec:
			i := slices.IndexFunc(p.Values, func(e ast.Expr) bool { return e == n })
			if i < 0 || len(p.Names) != len(p.Values) {
				return nil, i < 0 // true if n is the type
			}
			return f.target(p.Names[i])
		case *ast.ReturnStmt:
			for i := at - 1; i > 0; i-- {
				switch d := stack[i].(type) {
				case *ast.FuncLit:
					return nil, false
				case *ast.FuncDecl:
					return []types.Object{info.Defs[d.Name]}, true
				}
			}
		case *ast.RangeStmt:
			if p.X != n || p.Value == nil {
				return nil, p.X != n
			}
			return f.target(p.Value)
		case *ast.KeyValueExpr:
			if f.c.isError(stack[at-2]) && p.Value == n {
				return nil, true
			}
			if lit, ok := stack[at-2].(*ast.CompositeLit); ok && p.Value == n && structOf(info.TypeOf(lit)) != nil {
				return f.target(p.Key)
			}
			if p.Value != n {
				id, isField := p.Key.(*ast.Ident)
				v, isVar := info.Uses[id].(*types.Var)
				return nil, isField && isVar && v.IsField()
			}
		case *ast.CompositeLit:
			if t := structOf(info.TypeOf(p)); t != nil {
				i := slices.IndexFunc(p.Elts, func(e ast.Expr) bool { return e == n })
				if _, keyed := n.(*ast.KeyValueExpr); keyed || i < 0 {
					return nil, false
				}
				return []types.Object{origin(t.Field(i))}, true
			}
		default:
			return nil, false
		}
	}
	return nil, false
}

// structOf returns the struct type of a composite literal, or nil. The literal may have a pointer type, as in a slice of pointers.
func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, _ := t.Underlying().(*types.Struct)
	return s
}

// targets returns the variables that the results of a call are assigned to, without those that cannot hold a text.
func (f *flow) targets(lhs []ast.Expr) (needs []types.Object, ok bool) {
	for _, e := range lhs {
		t := f.c.old.info.TypeOf(e)
		if t == nil || types.Identical(t, types.Universe.Lookup("error").Type()) || types.Identical(t.Underlying(), types.Typ[types.Bool]) || types.Identical(t.Underlying(), types.Typ[types.Int]) {
			continue
		}
		more, ok := f.target(e)
		if needs = append(needs, more...); !ok {
			return nil, false
		}
	}
	return needs, true
}

// calledObject returns the object that is called.
func (f *flow) calledObject(call *ast.CallExpr) types.Object {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return f.c.old.info.Uses[fun]
	case *ast.SelectorExpr:
		return f.c.old.info.Uses[fun.Sel]
	}
	return nil
}

// target returns the variable or field that is assigned to.
func (f *flow) target(e ast.Expr) (needs []types.Object, ok bool) {
	switch e := e.(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return nil, true
		}
		return []types.Object{origin(f.c.old.info.ObjectOf(e))}, true
	case *ast.SelectorExpr:
		return []types.Object{origin(f.c.old.info.Uses[e.Sel])}, true
	case *ast.IndexExpr:
		return f.target(e.X)
	}
	return nil, false
}
