package main

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// draw prints a random sample of the comments and errors in the tracked Go files. The seed determines the sample.
func draw(w io.Writer, repo string, seed uint64, comments, errors int) error {
	out, err := output(repo, nil, "git", "ls-files", "-z", "*.go")
	if err != nil {
		return err
	}
	var allComments, allErrors []string
	for _, name := range strings.Split(strings.TrimSuffix(out, "\x00"), "\x00") {
		if strings.Contains(name, "/testdata/") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(repo, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, group := range file.Comments {
			if text := strings.TrimSpace(group.Text()); text != "" { // Text omits directives
				allComments = append(allComments, fmt.Sprintf("%s:%d\n%s", name, set.Position(group.Pos()).Line, indent(text)))
			}
		}
		if !strings.HasSuffix(name, "_test.go") {
			allErrors = append(allErrors, errorsOf(set, name, file)...)
		}
	}
	source := rand.New(rand.NewPCG(seed, 0))
	for _, of := range []struct {
		what string
		all  []string
		n    int
	}{{"comments", allComments, comments}, {"errors", allErrors, errors}} {
		of.n = min(of.n, len(of.all))
		chosen := source.Perm(len(of.all))[:of.n]
		slices.Sort(chosen)
		fmt.Fprintf(w, "## %d of %d %s, seed %d\n\n", of.n, len(of.all), of.what, seed)
		for i, at := range chosen {
			fmt.Fprintf(w, "%d. %s\n\n", i+1, of.all[at])
		}
	}
	return nil
}

// errorsOf returns the source code of the calls in a file that create errors.
func errorsOf(set *token.FileSet, name string, file *ast.File) (found []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := s.X.(*ast.Ident)
		makes := ok && (x.Name == "operr" && slices.Contains([]string{"New", "NewUsage", "NewStopped", "NewDeclined", "Join", "Cured"}, s.Sel.Name) ||
			x.Name == "fmt" && s.Sel.Name == "Errorf" || x.Name == "errors" && s.Sel.Name == "New")
		if !makes {
			return true
		}
		var code strings.Builder
		if format.Node(&code, set, call) == nil {
			found = append(found, fmt.Sprintf("%s:%d\n%s", name, set.Position(call.Pos()).Line, indent(code.String())))
		}
		return true
	})
	return found
}

func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }
