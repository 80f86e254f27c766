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

// element matches a valid element of an import path.
var element = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9~-][A-Za-z0-9._~+-]*$`) })

// importable returns the path, relative to the module, of the first package that other modules can import. It is "." for the module's root folder,
// and "" if there is none. Commands, internal packages and nested modules are skipped.
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

// skipped reports whether no package below a folder with this name can be imported by other modules.
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

// belongs reports whether a file is part of a package that can be imported on some platform.
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

// platformTag matches build tags that are set by the platform or the toolchain. Other tags, such as `ignore` and `mage`, must be requested
// explicitly, which importers do not do.
var platformTag = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|unix|` +
		`386|amd64|arm|arm64|loong64|mips|mips64|mips64le|mipsle|ppc64|ppc64le|riscv64|s390x|wasm|cgo|gc|gccgo|race|go1\.\d+)$`)
})

// possible reports whether a build constraint can be satisfied by some combination of platform tags.
func possible(x constraint.Expr) bool {
	var free []string
	x.Eval(func(tag string) bool {
		if platformTag().MatchString(tag) && !slices.Contains(free, tag) {
			free = append(free, tag)
		}
		return false
	})
	const most = 12 // at most 2^12 combinations; a constraint with more tags usually excludes only a few platforms
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
