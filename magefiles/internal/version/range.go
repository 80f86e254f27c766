package version

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Range is a requirement that admits versions, in the reading of one of the worlds.
type Range struct {
	text    string
	any     [][]clause // one of them must hold, and of that one every clause
	dialect *dialect
}

// dialect is how one of the worlds writes ranges.
type dialect struct {
	ops    []string // "" is a version alone, which is exact
	or     string   // between alternatives; "" where there are none
	prefix bool     // `=0.1` is `==0.1.*`, and not exact
	pypi   bool     // PEP 440 says what pre-releases and post-releases are admitted
}

var (
	conda  = &dialect{ops: []string{"", "=", "==", "!=", ">=", "<=", ">", "<", "~="}, or: "|", prefix: true}
	pep440 = &dialect{ops: []string{"==", "===", "!=", ">=", "<=", ">", "<", "~="}, pypi: true}
	poetry = &dialect{ops: []string{"", "^", "~", "=", "==", "!=", ">=", "<=", ">", "<", "~="}, or: "||", pypi: true}
)

// clause is one operator with its version. prefix says that the version stands for all that begin with it.
type clause struct {
	op      string // "==", "!=", ">=", "<=", ">", "<", "~=", "===", "^", "~"
	version Version
	prefix  bool
	at      int    // of the version in the text, for Raise
	raw     string // the version as it is written there
}

var clausePattern = regexp.MustCompile(`^(===|==|!=|~=|>=|<=|=|>|<|\^|~)?[ \t]*([^ \t,|]+)$`)

// CondaRange reads a version spec of conda: `>=0.1,<0.2`, `0.1.*`, `=0.1`, `~=0.1.6`, `==0.1.6|==0.1.7`, `*`. Parentheses,
// regular expressions and versions outside of the common subset are errors.
func CondaRange(text string) (Range, error) { return conda.read(text) }

// PEP440Range reads a version specifier of PEP 440: `>=0.1,<0.2`, `==0.1.*`, `~=0.1.6`; `*` is pixi's own for any version.
func PEP440Range(text string) (Range, error) { return pep440.read(text) }

// PoetryRange reads a constraint of poetry, which has `^0.1` and `~0.1` besides, `||`, and a bare version for an exact one.
func PoetryRange(text string) (Range, error) { return poetry.read(text) }

func (d *dialect) read(text string) (Range, error) {
	r := Range{text: text, dialect: d}
	alternatives := []piece{{at: 0, text: text}}
	if d.or != "" {
		alternatives = pieces(text, 0, d.or)
	}
	for _, a := range alternatives {
		clauses, err := d.clauses(a)
		if err != nil {
			return r, fmt.Errorf("%q is no range that can be read%w", text, err)
		}
		r.any = append(r.any, clauses)
	}
	return r, nil
}

// piece is a part of a text, and where it begins.
type piece struct {
	at   int
	text string
}

func pieces(text string, at int, separator string) []piece {
	var out []piece
	for part := range strings.SplitSeq(text, separator) {
		out = append(out, piece{at: at, text: part})
		at += len(part) + len(separator)
	}
	return out
}

// clauses reads what stands between commas. An error is the end of a sentence.
func (d *dialect) clauses(all piece) ([]clause, error) {
	var out []clause
	for _, p := range pieces(all.text, all.at, ",") {
		trimmed := strings.TrimSpace(p.text)
		if trimmed == "*" || trimmed == "" {
			continue
		}
		m := clausePattern.FindStringSubmatch(trimmed)
		if m == nil || !slices.Contains(d.ops, m[1]) {
			return nil, errors.New("")
		}
		written, prefix := strings.CutSuffix(m[2], ".*")
		v, err := Parse(written)
		if err != nil {
			return nil, fmt.Errorf(": %w", err)
		}
		c := clause{op: m[1], version: v, prefix: prefix, raw: written, at: p.at + strings.LastIndex(p.text, m[2])}
		switch {
		case c.op == "=":
			c.op, c.prefix = "==", prefix || d.prefix
		case c.op == "":
			c.op = "=="
		case c.op == "~=" && len(v.release) < 2:
			return nil, errors.New(": ~= needs two segments")
		case c.op != "==" && c.op != "!=":
			c.prefix = false // `>=0.1.*` is `>=0.1`
		}
		out = append(out, c)
	}
	return out, nil
}

// String returns the range as it was written.
func (r Range) String() string { return r.text }

// Has reports whether the range admits a version. A pre-release is admitted on the PyPI side only by a range that names
// one; conda knows no such reserve.
func (r Range) Has(v Version) bool {
	return slices.ContainsFunc(r.any, func(all []clause) bool {
		if r.dialect.pypi && v.Prerelease() && len(all) > 0 && !slices.ContainsFunc(all, func(c clause) bool { return c.version.Prerelease() }) {
			return false
		}
		return !slices.ContainsFunc(all, func(c clause) bool { return !c.has(v, r.dialect.pypi) })
	})
}

func (c clause) has(v Version, pypi bool) bool {
	order := v.Compare(c.version)
	switch c.op {
	case "==":
		return order == 0 || c.prefix && v.begins(c.version.release)
	case "!=":
		return order != 0 && !(c.prefix && v.begins(c.version.release))
	case "===":
		return v.text == c.version.text
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">": // PEP 440: not the post-releases of what is named
		return order > 0 && !(pypi && v.post > 0 && c.version.post == 0 && v.sameRelease(c.version))
	case "<": // PEP 440: not the pre-releases of what is named
		return order < 0 && !(pypi && v.Prerelease() && !c.version.Prerelease() && v.sameRelease(c.version))
	case "~=":
		return order >= 0 && v.begins(c.version.release[:len(c.version.release)-1])
	case "^":
		return order >= 0 && v.begins(c.version.release[:c.version.caret()])
	case "~":
		return order >= 0 && v.begins(c.version.release[:min(2, len(c.version.release))])
	}
	return false
}

// caret is the number of segments that ^ holds: up to the first one that is not 0.
func (v Version) caret() int {
	i := slices.IndexFunc(v.release, func(n uint64) bool { return n != 0 })
	if i < 0 {
		return len(v.release)
	}
	return i + 1
}

// begins reports whether the release of v begins with these segments; missing ones are zero.
func (v Version) begins(release []uint64) bool {
	for i, n := range release {
		if segment(v.release, i) != n {
			return false
		}
	}
	return true
}

func (v Version) sameRelease(w Version) bool { return v.Release().Compare(w.Release()) == 0 }
