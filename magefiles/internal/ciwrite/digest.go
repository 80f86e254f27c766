package ciwrite

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/pins"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// begins is the first line of a generated file, up to the digest.
const begins = file.Written

// `ends` is the part of that line after the digest.
const ends = ". If you change this file, it is not overwritten."

var (
	firstLine = lazyregexp.New("^" + regexp.QuoteMeta(begins) + `([0-9a-f]{64})[^\n]*\n`)
	action    = lazyregexp.New(`(?m)^([ \t]*(?:- )?uses: )([^@\s'"]+)@(\S+)([ \t]+#[^\n]*)?$`)
	image     = lazyregexp.New(`([\w./:-]+)@(sha256:[0-9a-f]{64})`)
)

// addDigest prepends a line with the digest to a text.
func addDigest(text string) string { return begins + digest(text) + ends + "\n" + text }

// digest returns the digest of a file, ignoring its first line and its pins.
func digest(text string) string {
	text = action().ReplaceAllString(text, "$1$2")
	text = image().ReplaceAllString(text, "$1")
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// compare returns the state of a file and the text to write. The text keeps the pins of the file that are newer than ours.
func compare(old, next string) (State, string) {
	old = strings.ReplaceAll(old, "\r\n", "\n") // git writes files this way if core.autocrlf is set
	if old == "" {
		return Absent, next
	}
	written := firstLine().FindStringSubmatch(old)
	if written == nil {
		return Foreign, next
	}
	next = carry(old, next)
	text := strings.TrimPrefix(old, written[0])
	now := firstLine().FindStringSubmatch(next)[1]
	switch own := digest(text); {
	case own != written[1] && written[1] == now:
		return Changed, next
	case own != written[1]:
		return Foreign, next
	case own != now:
		return Behind, next
	case old != next:
		return Pins, next
	}
	return Same, next
}

// `carry` keeps the old file's pinned action commits and image digests, unless ours are newer.
func carry(old, next string) string {
	kept := map[string][]string{}
	for _, m := range action().FindAllStringSubmatch(old, -1) {
		kept[m[2]] = m
	}
	next = action().ReplaceAllStringFunc(next, func(line string) string {
		ours := action().FindStringSubmatch(line)
		theirs := kept[ours[2]]
		if theirs == nil || !isCommit(theirs[3]) || newer(ours[4], theirs[4]) {
			return line
		}
		return ours[1] + ours[2] + "@" + theirs[3] + theirs[4]
	})
	for _, m := range image().FindAllStringSubmatch(old, -1) {
		bare := regexp.MustCompile(regexp.QuoteMeta(m[1]) + `(?:@sha256:[0-9a-f]{64})?([^\w./:@-])`)
		next = bare.ReplaceAllString(next, m[0]+"$1")
	}
	return next
}

var commit = lazyregexp.New(`^[0-9a-f]{40}$`)

func isCommit(ref string) bool { return commit().MatchString(ref) }

// newer reports whether a comment `# v1.2.3` has a higher version than another comment, which may have no version.
func newer(a, b string) bool {
	one, err := version.Parse(strings.TrimLeft(a, " \t#v"))
	if err != nil {
		return false
	}
	other, err := version.Parse(strings.TrimLeft(b, " \t#v"))
	return err != nil || one.Compare(other) > 0
}

// pin returns an action pinned to a commit, with its version in a comment.
func pin(name string) string {
	p, known := pins.Find(name)
	if !known {
		panic("pins.yml has no " + name) // pins.yml is embedded
	}
	return p.Use()
}
