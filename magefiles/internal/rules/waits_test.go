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

// mayWait lists the functions outside of package pause that wait in a loop, each with the reason why pause.Wait and httpclient.Retry do not fit.
var mayWait = map[string]string{
	"httpclient.Retry.Do":          "this function implements retries",
	"channel/store.flusher.settle": "it waits for the first of several events",
	"command.watch.follow":         "it waits as long as a child may print nothing",
	"workflow.Run.do":              "it runs checks between two attempts, and records the result of each attempt",
	"lifetime.Begin":               "it waits for the first of several events",
	"rehearsal.World.attempts":     "it acts as a person who runs a workflow again",
}

// TestOneLoopThatWaits checks that no other code waits in a loop. Such a loop may lack a deadline or a message about what it waits for, or use a
// clock that tests cannot replace.
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
		require.Contains(t, found, function, "this function has no such loop any more: remove it from the list")
	}
}

func TestFindWaitingLoops(t *testing.T) {
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

// waitingLoops returns the positions of loops that wait or count attempts, by function.
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

// `counts` reports whether a variable is named like a counter of attempts.
func counts(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.Contains([]string{"attempt", "attempts", "try", "tries", "retry"}, id.Name)
}

// timePasses reports whether part of a loop waits, ignoring function literals.
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

// nameOf returns a function's name, or TYPE.NAME for a method.
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

// namedOnce maps names of files and folders to the file that declares their constant. Other files must use the constant, so that a name cannot
// differ between files.
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
				require.Equal(t, owner, here, "%s: there is a constant for %q", set.Position(l.Pos()), text)
				seen[text] = true
			}
			return true
		})
	})
	require.Len(t, seen, len(namedOnce), "a constant has moved: change its place in this list")
}
