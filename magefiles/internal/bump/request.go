package bump

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/target"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Request is a user's request for a bump.
type Request struct {
	To          string `json:"to"`                    // patch, minor, major, auto, dev, a, b, rc, post, or a version
	Only        string `json:"only,omitempty"`        // a package, if versions are independent, or a downstream
	Raise       bool   `json:"raise,omitempty"`       // raise the lower bound of ranges that exclude the new version
	FixDrift    bool   `json:"fixDrift,omitempty"`    // also correct versions and pins that disagree now
	Changelog   bool   `json:"changelog,omitempty"`   // write the changelog; implied by auto
	IfThere     bool   `json:"ifThere,omitempty"`     // write the changelog if it exists
	NoChangelog bool   `json:"noChangelog,omitempty"` // never write the changelog
	Date        string `json:"date,omitempty"`        // date of the changelog section, as 2006-01-02
}

// CheckTo checks To without a workspace. Its error has the exit status operr.Usage.
func (r Request) CheckTo() error {
	_, err := target.Read(r.To)
	return err
}

// RefuseNonsense is like CheckTo, but also accepts an empty To, and a tag or version of an unfinished bump in any spelling.
func (r Request) RefuseNonsense() error {
	if r.To == "" || version.Suggest(VersionOf(r.To)) != "" {
		return nil
	}
	return r.CheckTo()
}

// Flags returns the command-line flags for the request, which are -to, and -only and -ranges if set. `mage release` and `mage version:bump` accept
// them.
func (r Request) Flags() string { return target.Flags(r.To, r.Only, r.Raise) }

// ReadsCommits reports whether the version depends on the commits since the last tag.
func (r Request) ReadsCommits() bool {
	to, err := target.Read(r.To)
	return err == nil && to.Auto
}

// VersionOf returns the version in one of our tags, such as v0.1.1.dev1 or core/v0.1.1.
func VersionOf(tag string) string {
	return strings.TrimPrefix(tag[strings.LastIndex(tag, "/")+1:], "v")
}

// SameVersion reports whether a word equals a tag, or the tag's version in any spelling.
func SameVersion(word, tag string) bool {
	of := VersionOf(tag)
	if word == tag || word == of {
		return true
	}
	asked, err := version.Parse(word)
	if err != nil {
		return false
	}
	v, err := version.Parse(of)
	return err == nil && asked.Compare(v) == 0
}
