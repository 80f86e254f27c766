package gomodule

import (
	"go/build/constraint"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// element is what a part of an import path can be.
var element = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9~-][A-Za-z0-9._~+-]*$`) })

// importable returns the path, from the module's folder, of the first package that other modules can import; "." where it is that
// folder, "" where there is none. Commands and internal packages are none, nor is what belongs to a module below.
func importable(module string) (found string, err error) {
	err = filepath.WalkDir(module, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if file != module && (skipped(d.Name()) || isModule(file)) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !isSource(d.Name()) {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !belongs(text) {
			return nil
		}
		rel, err := filepath.Rel(module, filepath.Dir(file))
		if err != nil {
			return err
		}
		found = path.Clean(filepath.ToSlash(rel))
		return fs.SkipAll
	})
	return found, err
}

// skipped reports whether nothing below a folder of that name can be imported by others.
func skipped(folder string) bool {
	return slices.Contains([]string{"internal", "testdata", "vendor"}, folder) || !element().MatchString(folder)
}

func isModule(folder string) bool {
	info, err := os.Lstat(filepath.Join(folder, File))
	return err == nil && info.Mode().IsRegular()
}

func isSource(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".")
}

// belongs reports whether a file is part of a package that can be imported, on some platform.
func belongs(text []byte) bool {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", -1, len(text)), text, func(token.Position, string) {}, scanner.ScanComments)
	for {
		switch _, tok, lit := s.Scan(); tok {
		case token.COMMENT:
			if x, err := constraint.Parse(lit); err == nil && constraint.IsGoBuild(lit) && !possible(x) {
				return false
			}
		case token.PACKAGE:
			_, tok, name := s.Scan()
			return tok == token.IDENT && name != "main" && name != "documentation"
		default:
			return false
		}
	}
}

// platformTag finds the tags that a platform or the toolchain sets. All others, such as `ignore` and `mage`, have to be asked for, and
// no importer does.
var platformTag = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|unix|` +
		`386|amd64|arm|arm64|loong64|mips|mips64|mips64le|mipsle|ppc64|ppc64le|riscv64|s390x|wasm|cgo|gc|gccgo|race|go1\.\d+)$`)
})

// possible reports whether a build constraint holds for some choice of the platform's tags.
func possible(x constraint.Expr) bool {
	var free []string
	x.Eval(func(tag string) bool {
		if platformTag().MatchString(tag) && !slices.Contains(free, tag) {
			free = append(free, tag)
		}
		return false
	})
	const most = 12 // 2^12 choices at most; who names more platforms than that means all but a few
	if len(free) > most {
		return true
	}
	for choice := range 1 << len(free) {
		if x.Eval(func(tag string) bool {
			i := slices.Index(free, tag)
			return i >= 0 && choice>>i&1 == 1
		}) {
			return true
		}
	}
	return false
}
