package version

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Range is a version requirement in the syntax of conda, PEP 440 or poetry.
type Range struct {
	text    string
	any     [][]clause // alternatives; a version must satisfy all clauses of at least one
	dialect *dialect
}

// dialect describes the range syntax of conda, PEP 440 or poetry.
type dialect struct {
	ops    []string // operators; "" stands for a version without an operator, which is exact
	or     string   // separator between alternatives; "" if they are not supported
	prefix bool     // whether `=0.1` means `==0.1.*` instead of an exact version
	pypi   bool     // whether PEP 440's rules for pre-releases and post-releases apply
}

var (
	conda  = &dialect{ops: []string{"", "=", "==", "!=", ">=", "<=", ">", "<", "~="}, or: "|", prefix: true}
	pep440 = &dialect{ops: []string{"==", "===", "!=", ">=", "<=", ">", "<", "~="}, pypi: true}
	poetry = &dialect{ops: []string{"", "^", "~", "=", "==", "!=", ">=", "<=", ">", "<", "~="}, or: "||", pypi: true}
)

// clause is an operator and a version. If prefix is set, it applies to all versions that start with it.
type clause struct {
	op      string // "==", "!=", ">=", "<=", ">", "<", "~=", "===", "^", "~"
	version Version
	prefix  bool
	at      int    // offset of the version in the text, for Raise
	raw     string // the version as written
}

var clausePattern = regexp.MustCompile(`^(===|==|!=|~=|>=|<=|=|>|<|\^|~)?[ \t]*([^ \t,|]+)$`)

// CondaRange parses a conda version spec: `>=0.1,<0.2`, `0.1.*`, `=0.1`, `~=0.1.6`, `==0.1.6|==0.1.7`, `*`. Parentheses, regular expressions and
// versions outside the common subset are errors.
func CondaRange(text string) (Range, error) { return conda.read(text) }

// PEP440Range parses a PEP 440 version specifier: `>=0.1,<0.2`, `==0.1.*`, `~=0.1.6`. It also accepts `*` for any version, as pixi does.
func PEP440Range(text string) (Range, error) { return pep440.read(text) }

// PoetryRange parses a poetry constraint. In addition, `^0.1`, `~0.1` and `||` are allowed, and a bare version is exact.
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
			return r, fmt.Errorf("%q is not a range of versions%w", text, err)
		}
		r.any = append(r.any, clauses)
	}
	return r, nil
}

// piece is a part of a text and its offset.
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

// clauses parses comma-separated clauses. Its error messages complete a sentence.
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
			c.prefix = false // `>=0.1.*` means `>=0.1`
		}
		out = append(out, c)
	}
	return out, nil
}

// String returns the range as written.
func (r Range) String() string { return r.text }

// Has reports whether the range admits a version. For PyPI, pre-releases are admitted only if the range mentions one. conda has no such rule.
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
	case ">": // PEP 440 excludes post-releases of the given version
		return order > 0 && !(pypi && v.post > 0 && c.version.post == 0 && v.sameRelease(c.version))
	case "<": // PEP 440 excludes pre-releases of the given version
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

// caret returns the number of segments that ^ fixes, which end with the first nonzero one.
func (v Version) caret() int {
	i := slices.IndexFunc(v.release, func(n uint64) bool { return n != 0 })
	if i < 0 {
		return len(v.release)
	}
	return i + 1
}

// begins reports whether v's release starts with the given segments. Missing segments are zero.
func (v Version) begins(release []uint64) bool {
	for i, n := range release {
		if segment(v.release, i) != n {
			return false
		}
	}
	return true
}

func (v Version) sameRelease(w Version) bool { return v.Release().Compare(w.Release()) == 0 }
