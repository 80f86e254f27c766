// Package glob finds files as actions/glob does, for hashFiles and artifacts. There is one pattern per line. `*` does not match a slash, `**` does,
// a leading ! excludes files, and a folder matches all files in it.
package glob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// Patterns is a parsed list of patterns.
type Patterns struct {
	all []pattern
}

type pattern struct {
	negative bool
	base     string // the folder to walk, or the file: the path before the first wildcard
	re       *regexp.Regexp
}

// Read parses patterns. Relative patterns are relative to dir. An error names the invalid pattern.
func Read(dir, home string, lines []string) (Patterns, error) {
	var g Patterns
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		p := pattern{}
		for strings.HasPrefix(line, "!") {
			line, p.negative = line[1:], !p.negative
		}
		if rest, is := strings.CutPrefix(line, "~/"); is {
			line = home + "/" + rest
		}
		if line = filepath.Clean(line); !filepath.IsAbs(line) {
			line = filepath.Join(dir, line)
		}
		p.base = line
		if i := strings.IndexAny(line, "*?["); i >= 0 {
			p.base = filepath.Dir(line[:i] + "x")
		}
		text, err := expr(line)
		if err != nil {
			return g, err
		}
		if p.re, err = regexp.Compile("^" + text + "(?:/.*)?$"); err != nil {
			return g, fmt.Errorf("%q is not a valid pattern: %w", line, err)
		}
		g.all = append(g.all, p)
	}
	return g, nil
}

func expr(pattern string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(`.*`)
			i++
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?':
			b.WriteString(`[^/]`)
		case c == '[':
			end := strings.IndexByte(pattern[i:], ']')
			if end < 2 {
				return "", fmt.Errorf("a bracket of %q is not closed", pattern)
			}
			set := strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(pattern[i+1 : i+end])
			if set[0] == '!' {
				set = "^" + set[1:]
			}
			b.WriteString("[" + set + "]")
			i += end
		default:
			b.WriteString(regexp.QuoteMeta(string([]byte{c})))
		}
	}
	return b.String(), nil
}

// Roots returns the folders and files from which to search, without those inside another root.
func (g Patterns) Roots() (all []string) {
	for _, p := range g.all {
		if !p.negative {
			all = append(all, p.base)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(dir string) bool {
		return slices.ContainsFunc(all, func(other string) bool { return other != dir && Within(other, dir) })
	})
}

// Within reports whether a path is the folder itself or inside it.
func Within(dir, name string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// Files returns the matching files, sorted. `hidden` reports whether names that begin with a dot are included.
func (g Patterns) Files(hidden bool) (all []string, err error) {
	for _, root := range g.Roots() {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case !hidden && name != root && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			info, err := os.Stat(name)
			if err != nil || info.IsDir() {
				//lint:ignore nilerr a link that leads nowhere is not a file
				return nil
			}
			if g.Takes(name) {
				all = append(all, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Takes reports whether the patterns match a file.
func (g Patterns) Takes(name string) (taken bool) {
	for _, p := range g.all {
		if p.re.MatchString(name) {
			taken = !p.negative
		}
	}
	return taken
}

// Hash returns the value of hashFiles: a hash of the hashes of the matching files in the work folder, or "" if no file matches.
func Hash(ctx context.Context, workspace string, patterns []string) (string, error) {
	var lines []string
	for _, p := range patterns {
		lines = append(lines, strings.Split(p, "\n")...)
	}
	g, err := Read(workspace, "", lines)
	if err != nil {
		return "", err
	}
	files, err := g.Files(true)
	if err != nil {
		return "", err
	}
	total, n := sha256.New(), 0
	for _, name := range files {
		if !Within(workspace, name) {
			continue
		}
		sum, err := hashFile(ctx, name)
		if err != nil {
			return "", err
		}
		total.Write(sum)
		n++
	}
	if n == 0 {
		return "", nil
	}
	return hex.EncodeToString(total.Sum(nil)), nil
}

func hashFile(ctx context.Context, name string) ([]byte, error) {
	f, err := beneath.OpenFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, Until{Context: ctx}), f); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}

// Until is a writer that discards data and fails once its context ends. A copy that also writes to Until therefore stops with the context.
type Until struct{ context.Context }

func (u Until) Write(p []byte) (int, error) {
	if u.Err() != nil {
		return 0, context.Cause(u.Context)
	}
	return len(p), nil
}
