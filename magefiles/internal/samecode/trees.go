package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// output runs a program in a folder and returns its standard output.
func output(dir string, env []string, argv ...string) (string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(cmd.Environ(), env...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, exit.Stderr)
	}
	return string(out), err
}

// checkout writes the files of a commit into a folder. It uses a separate index, and does not change the repository.
func checkout(repo, commit, dir string) error {
	env := []string{"GIT_INDEX_FILE=" + dir + ".index"}
	if _, err := output(repo, env, "git", "read-tree", commit); err != nil {
		return err
	}
	_, err := output(repo, env, "git", "checkout-index", "--all", "--prefix="+dir+"/")
	return err
}

// listed is a package in the output of `go list`.
type listed struct {
	ImportPath, Dir                                    string
	GoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports                 []string
}

// list lists the packages of the module in dir.
func list(dir string) (packages []listed, err error) {
	out, err := output(dir, nil, "go", "list", "-tags=mage",
		"-json=ImportPath,Dir,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	for d := json.NewDecoder(strings.NewReader(out)); err == nil; {
		var p listed
		if err = d.Decode(&p); err == nil {
			packages = append(packages, p)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return packages, err
}

// exportData returns the files with export data of all imported packages from other modules, by import path.
func exportData(dir string, packages []listed) (map[string]string, error) {
	imports, ours := map[string]bool{}, map[string]bool{"C": true, "unsafe": true}
	for _, p := range packages {
		ours[p.ImportPath] = true
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			imports[i] = true
		}
	}
	maps.DeleteFunc(imports, func(i string, _ bool) bool { return ours[i] })
	out, err := output(dir, nil, append([]string{"go", "list", "-export", "-f={{.ImportPath}} {{.Export}}"}, sortedKeys(imports)...)...)
	exports := map[string]string{}
	for line := range strings.Lines(out) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return exports, err
}

// tree holds the Go code of one commit.
type tree struct {
	root     string
	files    map[string]*source // by path relative to root
	packages map[string]*types.Package
	info     *types.Info
}

// source is a Go file. If it is for another system, it is parsed but not type-checked.
type source struct {
	path        string
	file        *ast.File
	test, typed bool
}

// outsideImporter imports packages of other modules from export data. Both trees share the same importer.
func outsideImporter(set *token.FileSet, exports map[string]string) types.Importer {
	return importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("there is no export data for %s", path)
		}
		return os.Open(exports[path])
	})
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// load parses and type-checks the listed packages. The in-package tests extend the package, so that each identifier has only one object.
func (c *comparison) load(root string, packages []listed) (*tree, error) {
	t := &tree{root: root, files: map[string]*source{}, packages: map[string]*types.Package{}}
	t.info = &types.Info{
		Types:     map[ast.Expr]types.TypeAndValue{},
		Defs:      map[*ast.Ident]types.Object{},
		Uses:      map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{},
	}
	var failed []error
	byPath, checkers := map[string]listed{}, map[string]*types.Checker{}
	for _, p := range packages {
		byPath[p.ImportPath] = p
	}
	parse := func(p listed, names []string, test, typed bool) (files []*ast.File) {
		for _, name := range names {
			file, err := parser.ParseFile(c.set, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			rel, relErr := filepath.Rel(root, filepath.Join(p.Dir, name))
			if failed = append(failed, err, relErr); err == nil && relErr == nil {
				t.files[rel] = &source{path: rel, file: file, test: test || strings.HasSuffix(name, "_test.go"), typed: typed}
				files = append(files, file)
			}
		}
		return files
	}
	var importing importerFunc
	begin := func(path string) *types.Checker {
		t.packages[path] = types.NewPackage(path, "")
		config := &types.Config{Importer: importing, Error: func(err error) { failed = append(failed, err) }, DisableUnusedImportCheck: true}
		return types.NewChecker(config, c.set, t.packages[path], t.info)
	}
	importing = func(path string) (*types.Package, error) {
		p, ours := byPath[path]
		if !ours {
			return c.outside.Import(path)
		}
		if t.packages[path] == nil {
			checkers[path] = begin(path)
			_ = checkers[path].Files(parse(p, p.GoFiles, false, true)) // errors are collected by Config.Error
		}
		return t.packages[path], nil
	}
	for _, p := range packages {
		_, err := importing(p.ImportPath)
		failed = append(failed, err)
	}
	for _, p := range packages {
		parse(p, p.IgnoredGoFiles, false, false)
		_ = checkers[p.ImportPath].Files(parse(p, p.TestGoFiles, true, true))
	}
	for _, p := range packages {
		if len(p.XTestGoFiles) > 0 {
			_ = begin(p.ImportPath + "_test").Files(parse(p, p.XTestGoFiles, true, true))
		}
	}
	return t, errors.Join(failed...)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
