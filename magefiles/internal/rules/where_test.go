package rules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	quoted   = regexp.MustCompile("`([^`]+)`")
	testName = regexp.MustCompile(`^([\w/]+)\.((?:Test|Fuzz|Example)\w+)$`)
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inFile   = regexp.MustCompile("`(\\w+)`,? (?:in|\\()\\s*`([\\w/.-]+\\.go)`")
	anyTest  = regexp.MustCompile(`(?:^|[ .=']|/)((?:Test|Fuzz|Benchmark)[A-Z]\w*)`)
	fileName = regexp.MustCompile(`^[a-zA-Z.][\w./-]*\.(?:go|py|html|txt|txtar|yml|md|mod)$`)
	name     = regexp.MustCompile(`^[A-Za-z]\w*$`)
)

// tree holds the declarations in this repository's files.
type tree struct {
	declared map[string]map[string]bool // declared names by file, relative to the root
	packages map[string]bool            // folders relative to magefiles or magefiles/internal
}

func newTree(t *testing.T) tree {
	t.Helper()
	all := tree{declared: map[string]map[string]bool{}, packages: map[string]bool{}}
	root := filepath.Join("..", "..", "..")
	for _, file := range tracked(t) {
		all.declared[file] = map[string]bool{}
		if !strings.HasSuffix(file, ".go") || strings.Contains(file, "/testdata/") {
			continue
		}
		all.packages[below(path.Dir(file))] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		all.declared[file] = declarations(parsed)
	}
	return all
}

// declarations returns the names of the functions, methods, types, constants and variables in a file.
func declarations(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}

// `below` shortens a path as in ARCHITECTURE.
func below(file string) string {
	return strings.TrimPrefix(strings.TrimPrefix(file, "magefiles/"), "internal/")
}

// file returns the full path of a file that is named in ARCHITECTURE, or "" if there is no such file.
func (all tree) file(written string) string {
	for _, prefix := range []string{"magefiles/internal/", "magefiles/", ""} {
		if all.declared[prefix+written] != nil {
			return prefix + written
		}
	}
	return ""
}

// `has` reports whether a path relative to the root is a file, or a folder with files.
func (all tree) has(written string) bool {
	for file := range all.declared {
		if strings.HasPrefix(file+"/", written+"/") {
			return true
		}
	}
	return false
}

// `with` returns the files that declare a name, so that a failure can show where a declaration is now.
func (all tree) with(name string) (files []string) {
	for file, names := range all.declared {
		if names[name] {
			files = append(files, below(file))
		}
	}
	slices.Sort(files)
	return files
}

// wrong returns what is wrong with a row, or "" if everything that it names exists.
func (all tree) wrong(row string) string {
	var files []string
	rest := quoted.ReplaceAllStringFunc(row, func(word string) string {
		if w := strings.Trim(word, "`"); fileName.MatchString(w) {
			files = append(files, w)
			return ""
		}
		return word
	})
	names := map[string]bool{}
	for _, f := range files {
		at := all.file(f)
		if at == "" {
			return fmt.Sprintf("there is no file %s", f)
		}
		for n := range all.declared[at] {
			names[n] = true
		}
	}
	tests := 0
	for _, m := range quoted.FindAllStringSubmatch(rest, -1) {
		word := m[1]
		script, isScript := strings.CutPrefix(word, "script ")
		test := testName.FindStringSubmatch(word)
		switch {
		case test != nil:
			tests++
			here := func(file string) bool { return path.Dir(file) == test[1] && strings.HasSuffix(file, "_test.go") }
			if with := all.with(test[2]); !slices.ContainsFunc(with, here) {
				return fmt.Sprintf("package %s has no test %s; it is in %v", test[1], test[2], with)
			}
		case isScript:
			tests++
			if all.file("e2e/testdata/script/"+script+".txtar") == "" {
				return fmt.Sprintf("there is no script %s", script)
			}
		case all.packages[word]:
		case strings.Contains(word, "/"):
			if !all.has(word) {
				return fmt.Sprintf("there is no %s", word)
			}
		case len(files) > 0 && name.MatchString(word) && !names[word]:
			return fmt.Sprintf("%v do not declare %s; that is in %v", files, word, all.with(word))
		}
	}
	if tests == 0 {
		return "the row names no test"
	}
	return ""
}

// The files, functions and tests that are named in ARCHITECTURE, "Where is it", exist.
func TestWhereItIs(t *testing.T) {
	text := read(t, filepath.Join("..", "..", "..", "ARCHITECTURE.md"))
	_, section, found := strings.Cut(text, "\n## Where is it\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	all, rows := newTree(t), 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) > 0 && strings.TrimSpace(cells[0]) == "what is to change" {
			continue
		}
		require.Len(t, cells, 3, line)
		if wrong := all.wrong(cells[1] + cells[2]); wrong != "" {
			t.Errorf("ARCHITECTURE, \"Where is it\", %s: %s", strings.TrimSpace(cells[0]), wrong)
		}
		rows++
	}
	require.Greater(t, rows, 80)
}

func TestMissingInARow(t *testing.T) {
	all := tree{
		declared: map[string]map[string]bool{
			"magefiles/internal/a/b.go":                   {"Do": true, "thing": true},
			"magefiles/internal/a/b_test.go":              {"TestDo": true},
			"magefiles/internal/c/d/e.go":                 {"Other": true},
			"magefiles/targets/t.go":                      {"All": true},
			"magefiles/e2e/testdata/script/publish.txtar": {},
			".ci/run": {},
		},
		packages: map[string]bool{"a": true, "c/d": true, "targets": true},
	}
	for row, want := range map[string]string{
		"`a/b.go` `Do` `thing` `a.TestDo`":                 "",
		"`targets/t.go` `All`, `a/b.go` `Do` `a.TestDo`":   "",
		"the flags in `targets`: `a.TestDo`":               "",
		"`-json` of `version:show`, `a/b.go` `a.TestDo`":   "",
		"`a/b.go` `script publish`":                        "",
		"`a/x.go` `a.TestDo`":                              "there is no file a/x.go",
		"`a/b.go` `Other` `a.TestDo`":                      "[a/b.go] do not declare Other; that is in [c/d/e.go]",
		"`a/b.go` `Gone` `a.TestDo`":                       "[a/b.go] do not declare Gone; that is in []",
		"`a/b.go` `c/d.TestDo`":                            "package c/d has no test TestDo; it is in [a/b_test.go]",
		"`a/b.go` `a.Do`":                                  "the row names no test",
		"`.ci/run` `a.TestDo`":                             "",
		"`.ci/walk` `a.TestDo`":                            "there is no .ci/walk",
		"`a/b.go` `script app`":                            "there is no script app",
		"`a/b.go` `Do`":                                    "the row names no test",
		"`c/d/e.go` `Other` `thing` `a.TestDo` `a/b.go`":   "",
		"`c/d/e.go` `Other` `nothing` `a.TestDo` `a/b.go`": "[c/d/e.go a/b.go] do not declare nothing; that is in []",
	} {
		require.Equal(t, want, all.wrong(row), row)
	}
}

// Every path in the documents is the path of a file in this repository, or the end of one, and the tests that the documents name exist.
func TestFilesThatDocumentsName(t *testing.T) {
	files, all := tracked(t), newTree(t)
	for _, document := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md"} {
		text, named := fenced.ReplaceAllString(read(t, filepath.Join("..", "..", "..", document)), ""), 0
		for _, m := range inFile.FindAllStringSubmatch(text, -1) {
			declares := func(f string) bool { return strings.HasSuffix("/"+f, "/"+m[2]) && all.declared[f][m[1]] }
			if !slices.ContainsFunc(files, declares) {
				t.Errorf("%s names %s in %s, but this name is in %v", document, m[1], m[2], all.with(m[1]))
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if test := anyTest.FindStringSubmatch(m[1]); test != nil && len(all.with(test[1])) == 0 {
				t.Errorf("%s names the test %s, which does not exist", document, test[1])
			}
			if !fileName.MatchString(m[1]) {
				continue
			}
			named++
			if !slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix("/"+f, "/"+m[1]) }) {
				t.Errorf("%s names %s, which does not exist", document, m[1])
			}
		}
		require.Positive(t, named)
	}
}

// tracked returns the files that are tracked by git and exist.
func tracked(t *testing.T) (files []string) {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = filepath.Join("..", "..", "..")
	out, err := cmd.Output()
	require.NoError(t, err)
	for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join("..", "..", "..", file)); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	require.NotEmpty(t, files)
	return files
}
