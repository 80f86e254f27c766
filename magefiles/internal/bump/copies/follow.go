package copies

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Way is the old version of a package, and its new version if the package moves.
type Way struct {
	From, To version.Version
	Moves    bool
}

// Follow replaces the old version in the files that are listed in [tool.release] copies. It returns a single error for all ambiguous entries. `ways`
// has every package of the workspace, keyed by name.
func Follow(w *workspace.Workspace, edit *edits.Editor, ways map[string]Way) error {
	var wrong, next []string
	refuse := func(c settings.Copy, then, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s: %s", c.Pos, fmt.Sprintf(format, args...)))
		if !slices.Contains(next, then) {
			next = append(next, then)
		}
	}
	for _, c := range w.Config.Copies {
		src, there := edit.Source(c.File), w.HasText(c.File)
		if !there {
			refuse(c, "correct the path, or remove the entry", "%s does not exist, or is not a readable file of the workspace", c.File)
			continue
		}
		pkg, err := ownerOf(w, ways, c.File, src)
		if err != "" {
			refuse(c, "name a file below the folder of one package", "%s", err)
			continue
		}
		if pkg == nil || !ways[pkg.Name].Moves {
			continue
		}
		old, goal := ways[pkg.Name].From.String(), ways[pkg.Name].To.String()
		found := findCopies(src, old, c)
		switch {
		case len(found) == 0 && len(findCopies(src, goal, c)) > 0:
			continue // the file already has the new version
		case len(found) == 0 && c.Line != nil:
			refuse(c, "correct the expression, or remove the entry", "no line of %s that matches `line` has %s, the version of %s", c.File, old, pkg.Name)
			continue
		case len(found) == 0:
			refuse(c, "correct the version in the file, or remove the entry", "%s does not have %s, the version of %s", c.File, old, pkg.Name)
			continue
		case len(found) > 1 && c.Line == nil:
			for _, at := range found {
				number := 1 + bytes.Count(src[:at], []byte{'\n'})
				refuse(c, fmt.Sprintf("name the lines: { file = %q, line = \"regexp\" }", c.File), "%s has %s more than once: line %d: %s", c.File, old, number, lineAt(src, at))
			}
			continue
		}
		for _, at := range found {
			edit.Write(c.File, src, tomledit.Splice{Start: at, Old: old, New: goal}, "copy of the version of "+pkg.Name)
		}
	}
	if len(wrong) > 0 {
		return operr.New(strings.Join(next, "; "), "`copies` in [tool.release] is wrong in %s; nothing was changed", operr.Count(len(wrong), "place")).WithDetail(strings.Join(wrong, "\n"))
	}
	return nil
}

// ownerOf returns the package whose version is copied in a file. If packages have separate versions, it is the package whose folder contains the
// file, or, for a file outside of all packages, the only package whose version occurs in it. In lockstep it is any package that moves. `problem` is
// the error text, to be used at the end of a sentence.
func ownerOf(w *workspace.Workspace, ways map[string]Way, file string, src []byte) (owner *workspace.Package, problem string) {
	if w.Config.Versioning == settings.Lockstep {
		for _, pkg := range w.Order() {
			if ways[pkg.Name].Moves && (owner == nil || ways[pkg.Name].From.Compare(ways[owner.Name].From) > 0) {
				owner = pkg
			}
		}
		return owner, ""
	}
	for _, pkg := range w.Packages {
		if (pkg.Dir == "." || strings.HasPrefix(file, pkg.Dir+"/")) && (owner == nil || len(pkg.Dir) > len(owner.Dir)) {
			owner = pkg
		}
	}
	if owner != nil {
		return owner, ""
	}
	var having []string
	for _, pkg := range w.Packages {
		if len(findWhole(string(src), ways[pkg.Name].From.String())) > 0 {
			owner, having = pkg, append(having, pkg.Name)
		}
	}
	if len(having) != 1 {
		return nil, fmt.Sprintf("cannot determine the package of %s: the file is outside the folders of packages, and has the versions of these packages: %s", file, orNone(having))
	}
	return owner, ""
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// findCopies returns the byte offsets of a version in a file. It only searches lines that c selects.
func findCopies(src []byte, version string, c settings.Copy) (all []int) {
	at := 0
	for line := range bytes.Lines(src) {
		if bytes.Contains(line, []byte(version)) && (c.Line == nil || c.Line.Match(bytes.TrimRight(line, "\r\n"))) {
			for _, i := range findWhole(string(line), version) {
				all = append(all, at+i)
			}
		}
		at += len(line)
	}
	return all
}

// lineAt returns the line at a byte offset, truncated if long.
func lineAt(src []byte, at int) string {
	begin := bytes.LastIndexByte(src[:at], '\n') + 1
	line, _, _ := bytes.Cut(src[begin:], []byte{'\n'})
	text := strings.ToValidUTF8(string(line[:min(len(line), maxMentioned)]), "")
	return strings.TrimSpace(text)
}
