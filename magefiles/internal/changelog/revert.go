package changelog

import (
	"regexp"
	"strings"
)

var (
	// reverted matches subjects written by `git revert` and by GitHub's revert button. Reapply is the revert of a revert.
	reverted = regexp.MustCompile(`^(?:Revert|Reapply) "(.*)"(?: \([#!]\d+\))?$`)

	// reapplied matches the subject of a reverted revert.
	reapplied = regexp.MustCompile(`^(?:Reapply "(.*)"|Revert "Revert "(.*)"")(?: \([#!]\d+\))?$`)

	// revertedHashes matches the line that git writes, and the footer of a Conventional Commit of type revert.
	revertedHashes = regexp.MustCompile(`(?mi)^(?:This )?reverts? commits? (.*)$|^Refs?: (.*)$`)

	// revertedPull matches messages of GitHub and GitLab: "Reverts acme/core#12", "This reverts merge request !12".
	revertedPull = regexp.MustCompile(`(?mi)^(?:This )?reverts (?:merge request )?[\w./-]*[#!](\d+)`)

	hash = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)
	pull = regexp.MustCompile(`^Merge pull request #(\d+) | \([#!](\d+)\)$`)
)

// Revert identifies the commit that another commit reverts. Each field may be empty.
type Revert struct {
	Hashes  []string // hashes as written, possibly abbreviated
	Pull    string   // pull request number
	Subject string
	Again   string // subject of the change that is reapplied, if a revert is reverted
}

// ReadRevert parses the message of a commit that may be a revert.
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

// Names reports whether a revert refers to a commit. `surely` is set if the hash or pull request number matches, and `maybe` if only the subject
// matches.
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
