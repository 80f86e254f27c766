package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	goFile   = regexp.MustCompile(`[\w/]*\w\.go\b`)
	fileList = regexp.MustCompile(`^//\t(?:\w+\.go,? *)+`)
)

// filesListed returns the files that are listed in a package comment: the names on lines that begin with a tab and a file name.
func filesListed(doc *ast.CommentGroup) (listed []string) {
	if doc == nil {
		return nil
	}
	for _, line := range doc.List {
		if fileList.MatchString(line.Text) {
			listed = append(listed, goFile.FindAllString(line.Text, -1)...)
		}
	}
	return listed
}

// unlisted returns the errors in a list of files: names without a file, duplicate names, and missing files. doc.go may be missing, and so may a
// file for another system if the list has its counterpart for this system.
func unlisted(listed, files []string) (wrong []string) {
	for i, name := range listed {
		if !slices.Contains(files, name) {
			wrong = append(wrong, name+" is not here")
		} else if slices.Contains(listed[:i], name) {
			wrong = append(wrong, name+" is listed twice")
		}
	}
	for _, name := range files {
		stem, system, _ := strings.Cut(strings.TrimSuffix(name, ".go"), "_")
		other := slices.Contains([]string{"linux", "unix", "darwin", "other"}, system) &&
			slices.ContainsFunc(listed, func(l string) bool { return strings.HasPrefix(l, stem+"_") || l == stem+".go" })
		if !slices.Contains(listed, name) && name != "doc.go" && !other {
			wrong = append(wrong, name+" is not in the list")
		}
	}
	return wrong
}

// If a package comment lists files, it lists exactly the files of the package.
func TestPackageCommentsListTheirFiles(t *testing.T) {
	lists := 0
	for _, p := range load(t) {
		var listed []string
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			require.NoError(t, err)
			listed = append(listed, filesListed(file.Doc)...)
		}
		if len(listed) == 0 {
			continue
		}
		lists++
		for _, wrong := range unlisted(listed, sourcesIn(t, p.Dir)) {
			t.Errorf("%s, package comment: %s", strings.TrimPrefix(p.ImportPath, module), wrong)
		}
	}
	require.Positive(t, lists)
}

func TestMissingInAList(t *testing.T) {
	for name, c := range map[string]struct {
		listed, files []string
		want          []string
	}{
		"all":                    {[]string{"a.go", "b.go"}, []string{"a.go", "b.go", "doc.go"}, nil},
		"a file that is gone":    {[]string{"a.go", "b.go"}, []string{"a.go"}, []string{"b.go is not here"}},
		"a new file":             {[]string{"a.go"}, []string{"a.go", "c.go"}, []string{"c.go is not in the list"}},
		"another system's":       {[]string{"a.go", "sync_linux.go"}, []string{"a.go", "sync_linux.go", "sync_other.go"}, nil},
		"systems under one":      {[]string{"group.go"}, []string{"group.go", "group_linux.go", "group_unix.go"}, nil},
		"a system by itself":     {[]string{"a.go"}, []string{"a.go", "kill_linux.go"}, []string{"kill_linux.go is not in the list"}},
		"an underline of a name": {[]string{"app.go"}, []string{"app.go", "app_run.go"}, []string{"app_run.go is not in the list"}},
		"twice":                  {[]string{"a.go", "a.go"}, []string{"a.go"}, []string{"a.go is listed twice"}},
	} {
		require.Equal(t, c.want, unlisted(c.listed, c.files), name)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", "// Package x is in b.go.\n//\n//\ta.go b.go   what; c.go: more\n//\td.go\tthat\n//\n//\tgo run x.go\npackage x\n", parser.ParseComments)
	require.NoError(t, err)
	require.Equal(t, []string{"a.go", "b.go", "c.go", "d.go"}, filesListed(file.Doc))
}

// Go files that a comment names exist, either in the same package or at any path that ends with the name.
func TestFilesInCommentsExist(t *testing.T) {
	files, named := tracked(t), 0
	for _, p := range load(t) {
		own := sourcesIn(t, p.Dir)
		for _, source := range own {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, source), nil, parser.ParseComments)
			require.NoError(t, err)
			for _, group := range file.Comments {
				for _, name := range goFile.FindAllString(group.Text(), -1) {
					named++
					if slices.Contains(own, name) || path.Base(name) != name && slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix("/"+f, "/"+name) }) {
						continue
					}
					t.Errorf("%s names %s, which does not exist", set.Position(group.Pos()), name)
				}
			}
		}
	}
	require.Positive(t, named)
}

// sourcesIn returns the Go files in a folder, except tests, for all systems.
func sourcesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			names = append(names, name)
		}
	}
	return names
}

var saysWhether = regexp.MustCompile(`^\w+ (?:says|tells|decides) whether `)

// notReporting returns the functions, and the fields of function type, that return a bool but have a comment with another beginning.
func notReporting(file *ast.File) (names []string) {
	yields := func(f *ast.FuncType) bool {
		return f.Results != nil && slices.ContainsFunc(f.Results.List, func(r *ast.Field) bool {
			id, ok := r.Type.(*ast.Ident)
			return ok && id.Name == "bool"
		})
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if yields(n.Type) && saysWhether.MatchString(n.Doc.Text()) {
				names = append(names, n.Name.Name)
			}
		case *ast.Field: // a field of a struct, or a method of an interface
			f, ok := n.Type.(*ast.FuncType)
			if ok && yields(f) && len(n.Names) > 0 && (saysWhether.MatchString(n.Doc.Text()) || strings.HasPrefix(n.Comment.Text(), "says whether ")) {
				names = append(names, n.Names[0].Name)
			}
		}
		return true
	})
	return names
}

// The comment of a function that returns a bool begins with "NAME reports whether", as in the standard library.
func TestBooleansReport(t *testing.T) {
	for _, p := range load(t) {
		for _, source := range sourcesIn(t, p.Dir) {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, source), nil, parser.ParseComments)
			require.NoError(t, err)
			if names := notReporting(file); len(names) > 0 {
				t.Errorf("%s/%s: write `reports whether` in the comments of %v", strings.TrimPrefix(p.ImportPath, module), source, names)
			}
		}
	}
}

func TestCommentsOfBooleans(t *testing.T) {
	for text, want := range map[string][]string{
		"// is reports whether it is.\nfunc is() bool { return true }":                         nil,
		"// is says whether it is.\nfunc is() bool { return true }":                            {"is"},
		"// is decides whether it is.\nfunc (t T) is() (n int, ok bool, err error) { return }": {"is"},
		"// check says whether it is.\nfunc check() error { return nil }":                      nil,
		"// is is true where it is.\nfunc is() bool { return true }":                           nil,
		"type s struct {\n\tf func() bool // says whether it is\n}":                            {"f"},
		"type i interface {\n\t// Is tells whether it is.\n\tIs() bool\n}":                     {"Is"},
		"type i interface {\n\t// Is reports whether it is.\n\tIs() bool\n}":                   nil,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n\n"+text+"\n", parser.ParseComments)
		require.NoError(t, err, text)
		require.Equal(t, want, notReporting(file), text)
	}
}
