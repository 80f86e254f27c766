package changelog

import (
	"regexp"
	"strings"
)

var (
	// reverted is the subject of `git revert`, and of the button that GitHub has for it; Reapply is the revert of a revert.
	reverted = regexp.MustCompile(`^(?:Revert|Reapply) "(.*)"(?: \([#!]\d+\))?$`)

	// reapplied is the subject of a revert of a revert.
	reapplied = regexp.MustCompile(`^(?:Reapply "(.*)"|Revert "Revert "(.*)"")(?: \([#!]\d+\))?$`)

	// revertedHashes is the line that git writes, and the footer of a Conventional Commit of the type revert.
	revertedHashes = regexp.MustCompile(`(?mi)^(?:This )?reverts? commits? (.*)$|^Refs?: (.*)$`)

	// revertedPull is what GitHub and GitLab write: "Reverts acme/core#12", "This reverts merge request !12".
	revertedPull = regexp.MustCompile(`(?mi)^(?:This )?reverts (?:merge request )?[\w./-]*[#!](\d+)`)

	hash = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)
	pull = regexp.MustCompile(`^Merge pull request #(\d+) | \([#!](\d+)\)$`)
)

// Revert is what a commit takes back. Each of these may be missing.
type Revert struct {
	Hashes  []string // as they are written: they may be abbreviated
	Pull    string   // the number of a pull request
	Subject string
	Again   string // of a revert of a revert, the subject of what is there again
}

// ReadRevert reads the message of a commit that may be a revert.
func ReadRevert(subject, body string) (Revert, bool) {
	if !strings.HasPrefix(subject, "Re") && !strings.HasPrefix(subject, "re") {
		return Revert{}, false
	}
	var r Revert
	if m := reverted.FindStringSubmatch(subject); m != nil {
		r.Subject = m[1]
		if again := reapplied.FindStringSubmatch(subject); again != nil {
			r.Again = again[1] + again[2]
		}
	} else if c, ok := readSubject(subject); ok && c.Kind == "revert" {
		r.Subject = c.Text
	} else {
		return Revert{}, false
	}
	for _, m := range revertedHashes.FindAllStringSubmatch(body, -1) {
		text, _, _ := strings.Cut(m[1]+m[2], ", reversing")
		r.Hashes = append(r.Hashes, hash.FindAllString(text, -1)...)
	}
	if m := revertedPull.FindStringSubmatch(body); m != nil {
		r.Pull = m[1]
	}
	return r, true
}

// Names reports by which of its names a revert means a commit: by its hash or its number, which are sure, or by its subject alone.
func (r Revert) Names(hash, subject string) (surely, maybe bool) {
	for _, h := range r.Hashes {
		if strings.HasPrefix(hash, h) {
			return true, true
		}
	}
	if m := pull.FindStringSubmatch(subject); m != nil && r.Pull != "" && m[1]+m[2] == r.Pull {
		return true, true
	}
	return false, withoutNumber(subject) == withoutNumber(r.Subject)
}
