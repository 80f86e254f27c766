package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mayWait are the functions outside of package pause with a loop in which time passes, and why pause.Wait, or httpclient.Retry, is not for them.
var mayWait = map[string]string{
	"httpclient.Retry.Do":          "it is the one retry",
	"channel/store.flusher.settle": "it waits for what comes first of several things",
	"command.watch.follow":         "it waits for as long as a child may go on being silent",
	"workflow.Run.do":              "it asks the world between two tries, and keeps what came of them",
	"lifetime.Begin":               "it waits for what comes first of several things",
	"rehearsal.World.attempts":     "it is a person who runs a workflow again",
}

// TestOneLoopThatWaits holds that nobody waits in a way of their own: without a deadline, without a word of what for, or at a time that a test
// cannot set.
func TestOneLoopThatWaits(t *testing.T) {
	var found []string
	eachFile(t, func(p goPackage, _ string, file *ast.File, set *token.FileSet) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, internal), module+"magefiles/")
		if name == "pause" {
			return
		}
		for function, places := range waitingLoops(file, set) {
			function = name + "." + function
			found = append(found, function)
			assert.NotEmpty(t, mayWait[function], "%s: %s waits in a loop: use pause.Wait, or httpclient.Retry for requests", places[0], function)
		}
	})
	for function := range mayWait {
		require.Contains(t, found, function, "it has no such loop any more: take it off the list")
	}
}

func TestLoopsThatWaitAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"for attempt := 1; ; attempt++ { try() }":                        true,
		"for try := range 3 { do(try) }":                                 true,
		"for { select { case <-ctx.Done(): case <-time.After(wait): } }": true,
		"for range 10 { time.Sleep(1) }":                                 true,
		"for end := now(); ; time.Sleep(1) { look() }":                   true,
		"for { if err := pause.For(ctx, 1); err != nil { return } }":     true,
		"for { timer := time.NewTimer(wait); <-timer.C }":                true,
		"for { c.wait(ctx, n) }":                                         false,
		"for range 10 { go func() { time.Sleep(1) }() }":                 false,
		"for { pause.Wait{}.Until(ctx, look) }":                          false,
		"time.Sleep(1)":                                                  false,
		"for _, attempt := range attempts { show(attempt) }":             false,
		"tick := time.NewTicker(1); for range tick.C { draw() }":         false,
	} {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, "x.go", "package x\n\nfunc (c *client) f() {\n"+text+"\n}\n", parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Equal(t, want, len(waitingLoops(file, set)["client.f"]) == 1, text)
	}
}

// waitingLoops are the places of loops in which time passes, or that count their attempts, by function.
func waitingLoops(file *ast.File, set *token.FileSet) map[string][]token.Position {
	found := map[string][]token.Position{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if waits(n) {
				name := nameOf(f)
				found[name] = append(found[name], set.Position(n.Pos()))
				return false
			}
			return true
		})
	}
	return found
}

func waits(n ast.Node) bool {
	switch loop := n.(type) {
	case *ast.ForStmt:
		init, ok := loop.Init.(*ast.AssignStmt)
		return ok && counts(init.Lhs[0]) || slices.ContainsFunc([]ast.Node{loop.Post, loop.Body}, timePasses)
	case *ast.RangeStmt:
		_, number := loop.X.(*ast.BasicLit)
		return number && counts(loop.Key) || timePasses(loop.Body)
	}
	return false
}

// counts reports whether a variable counts attempts.
func counts(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.Contains([]string{"attempt", "attempts", "try", "tries", "retry"}, id.Name)
}

// timePasses reports whether time passes in a part of a loop, and not in a function that is started there.
func timePasses(n ast.Node) (passes bool) {
	if n == ast.Stmt(nil) || n == nil {
		return false
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if _, inside := n.(*ast.FuncLit); inside {
			return false
		}
		if s, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := s.X.(*ast.Ident); ok {
				passes = passes || slices.Contains([]string{"time.After", "time.Sleep", "time.NewTimer", "time.Tick", "pause.For", "httpclient.BackOff"}, from.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return passes
}

// nameOf is a function's name, behind the type that it is a method of.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if p, ok := of.(*ast.StarExpr); ok {
		of = p.X
	}
	if g, ok := of.(*ast.IndexExpr); ok {
		of = g.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// namedOnce are names of files and folders with the place that says them: where another place says one, the two may come apart.
var namedOnce = map[string]string{
	"CHANGELOG.md":   "changelog/file.go",
	"go.mod":         "gomodule/gomodule.go",
	"output":         "workspace/graph.go",
	"pixi.lock":      "workspace/graph.go",
	"pixi.toml":      "workspace/manifest/file.go",
	"pyproject.toml": "workspace/manifest/file.go",
	"recipe.yaml":    "workspace/manifest/file.go",
	"release.yml":    "release/forge/hub.go",
}

func TestFilesAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	eachFile(t, func(p goPackage, name string, file *ast.File, set *token.FileSet) {
		here := path.Join(strings.TrimPrefix(p.ImportPath, internal), name)
		ast.Inspect(file, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return true
			}
			text := strings.Trim(l.Value, "\"`")
			owner, known := namedOnce[text]
			if known {
				require.Equal(t, owner, here, "%s: %q has a constant", set.Position(l.Pos()), text)
				seen[text] = true
			}
			return true
		})
	})
	require.Len(t, seen, len(namedOnce), "where a constant moved, its place here moves with it")
}
