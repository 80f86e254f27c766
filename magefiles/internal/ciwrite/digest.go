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

// begins is what the first line of a file of ours begins with; the digest follows.
const begins = file.Written

// ends is behind the digest.
const ends = ". Change it, and it is left alone."

var (
	firstLine = lazyregexp.New("^" + regexp.QuoteMeta(begins) + `([0-9a-f]{64})[^\n]*\n`)
	action    = lazyregexp.New(`(?m)^([ \t]*(?:- )?uses: )([^@\s'"]+)@(\S+)([ \t]+#[^\n]*)?$`)
	image     = lazyregexp.New(`([\w./:-]+)@(sha256:[0-9a-f]{64})`)
)

// signed puts the digest of a text before it.
func signed(text string) string { return begins + digest(text) + ends + "\n" + text }

// digest is that of a file without its first line and without pins.
func digest(text string) string {
	text = action().ReplaceAllString(text, "$1$2")
	text = image().ReplaceAllString(text, "$1")
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// compare says how a file stands beside what would be written, and what that is with the newer pins of the file.
func compare(old, next string) (State, string) {
	old = strings.ReplaceAll(old, "\r\n", "\n") // as git writes files for some people
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

// carry lets a file have the commits of actions, and the digests of images, that the old one has, where those of ours are not newer.
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

// newer reports whether a comment `# v1.2.3` names a higher version than another one, which may name none.
func newer(a, b string) bool {
	one, err := version.Parse(strings.TrimLeft(a, " \t#v"))
	if err != nil {
		return false
	}
	other, err := version.Parse(strings.TrimLeft(b, " \t#v"))
	return err != nil || one.Compare(other) > 0
}

// pin is an action with its commit and a comment of its version.
func pin(name string) string {
	p, known := pins.Of(name)
	if !known {
		panic("pins.yml has no " + name) // it is part of the program
	}
	return p.Use()
}
