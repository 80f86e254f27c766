package adopt

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const targets = ourModule + "/magefiles/targets"

// text returns the source of a magefile: its doc comment, and the imports.
func text(name string, deploys bool) string {
	also := ""
	if deploys {
		also = "\n\n\t//mage:import\n\t_ \"" + targets + "/deploy\" // deploy:*"
	}
	return "//go:build mage\n\n// " + name + " goes from a version change to packages that people can install; start with `mage rehearse`.\npackage main\n\nimport (\n\t//mage:import\n\t\"" +
		targets + "\"" + also + "\n)\n\n// Default is what a pull request must pass.\nvar Default = targets.Check\n"
}

// magefile plans magefiles/magefile.go, or the import in an existing magefile.
func (c *changes) magefile(p *Plan, w *workspace.Workspace) error {
	if old, err := filepath.Glob(filepath.Join(p.folder, "*.go")); err != nil {
		return err
	} else if i := slices.IndexFunc(old, isMagefile); i >= 0 {
		return operr.New("move this magefile to the folder magefiles, and run this again", "%s is a magefile in the root folder, so Mage would not read the folder magefiles", filepath.Base(old[i]))
	}
	files, err := filepath.Glob(filepath.Join(p.folder, magefiles, "*.go"))
	if err != nil {
		return err
	}
	at := ""
	var twice []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return operr.New("fix this file, and run this again", "%w", err)
		}
		if strings.HasSuffix(file, "_test.go") || parsed.Name.Name != "main" {
			continue
		}
		if slices.ContainsFunc(parsed.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(targets) }) {
			return nil
		}
		at = file
		twice = append(twice, takenTargets(parsed)...)
	}
	if len(twice) > 0 {
		return operr.New("rename these targets, or move them into a namespace, and run this again",
			"%s has targets with the same names as targets of foopack, and Mage refuses two targets of the same name: %s", magefiles, strings.Join(twice, ", "))
	}
	if at == "" {
		return c.write(c.at(path.Join(magefiles, "magefile.go")), text(capitalize(w.Manifest.Name), p.Found.Deploys), "imports the targets")
	}
	src, err := beneath.Read(at)
	if err != nil {
		return err
	}
	imported, err := withImport(at, string(src), p.Found.Deploys)
	if err != nil {
		return err
	}
	return c.write(c.at(path.Join(magefiles, filepath.Base(at))), imported, "imports the targets; its other lines stay")
}

// capitalize converts a name's first letter, of any alphabet, to upper case.
func capitalize(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}

// targetNames lists our targets outside namespaces, in lower case because Mage ignores case. A test compares the list with package targets.
var targetNames = []string{"check", "clean", "doctor", "fmt", "graph", "help", "lint", "lock", "publish", "rehearse", "release", "schema", "status", "undo"}

// `takenTargets` returns the functions of a magefile that would be targets with our names.
func takenTargets(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		if f, is := d.(*ast.FuncDecl); is && f.Recv == nil && f.Name.IsExported() && slices.Contains(targetNames, strings.ToLower(f.Name.Name)) {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

// isMagefile reports whether a Go file is only built by Mage.
func isMagefile(file string) bool {
	src, err := beneath.Read(file)
	return err == nil && strings.Contains("\n"+string(src), "\n//go:build mage\n")
}

// withImport adds the import to a magefile, as a separate declaration after the last import.
func withImport(file, src string, deploys bool) (string, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return "", err
	}
	end := parsed.Name.End()
	for _, d := range parsed.Decls {
		end = max(end, d.End())
	}
	at := set.Position(end).Offset
	if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
		at += i
	} else {
		at = len(src)
	}
	added := "\n\nimport (\n\t//mage:import\n\t_ \"" + targets + "\"\n"
	if deploys {
		added += "\t//mage:import\n\t_ \"" + targets + "/deploy\"\n"
	}
	return src[:at] + added + ")" + src[at:], nil
}
