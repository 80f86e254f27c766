package bump

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Request is what a person asks for.
type Request struct {
	To          string `json:"to"`                    // patch, minor, major, auto, dev, a, b, rc, post, or a version
	Only        string `json:"only,omitempty"`        // one package, where versions are independent; or one downstream
	Raise       bool   `json:"raise,omitempty"`       // raise the lower bound of ranges that would not admit a new version
	FixDrift    bool   `json:"fixDrift,omitempty"`    // also correct what does not agree now
	Changelog   bool   `json:"changelog,omitempty"`   // write the changelog; auto implies it
	IfThere     bool   `json:"ifThere,omitempty"`     // write the changelog where there is one
	NoChangelog bool   `json:"noChangelog,omitempty"` // a person said that it is not to be written
	Date        string `json:"date,omitempty"`        // of the changelog's section, as 2006-01-02
}

// auto is the word for "as the commits since the last tag say".
const auto = "auto"

// target is a Request.To that was read.
type target struct {
	size  version.Size
	phase string           // of a pre-release or post-release; "" else
	auto  bool             // the size comes from the commits
	exact *version.Version // nil unless a version was given
}

var longPhases = map[string]string{"alpha": "a", "beta": "b", "c": "rc"}

// readTarget reads a Request.To. The exit status of its errors is operr.Usage.
func readTarget(to string) (target, error) {
	word := strings.ToLower(to)
	if long, ok := longPhases[word]; ok {
		word = long
	}
	if size, ok := version.ParseSize(word); ok {
		return target{size: size}, nil
	}
	switch {
	case word == auto:
		return target{auto: true}, nil
	case word == "post":
		return target{phase: word}, nil
	case slices.Contains(version.Phases, word):
		return target{phase: word, auto: true}, nil
	case to == "":
		return target{}, operr.NewUsage("say -to=patch, minor, major, auto, rc, or a version such as -to=1.2.0", "it is not said which version it is to become")
	}
	v, err := version.Parse(to)
	if err != nil {
		next := "say -to=patch, minor, major, auto, rc, or a version such as -to=1.2.0"
		if s := version.Suggest(to); s != "" {
			next = "say -to=" + s
		}
		return target{}, operr.NewUsage(next, "%w", err)
	}
	if c := v.Canonical(); c != to {
		return target{}, operr.NewUsage("say -to="+c, "%s would have two names: PyPI writes it as %s, and conda keeps the zeros", to, c)
	}
	return target{exact: &v}, nil
}

// CheckTo reads To alone, before anything of the workspace is known. The exit status of its error is operr.Usage.
func (r Request) CheckTo() error {
	_, err := readTarget(r.To)
	return err
}

// ReadsCommits reports whether the version comes from the commits since the last tag.
func (r Request) ReadsCommits() bool {
	to, err := readTarget(r.To)
	return err == nil && to.auto
}

// VersionOf is the version that a tag of ours names: v0.1.1.dev1, or core/v0.1.1.
func VersionOf(tag string) string {
	return strings.TrimPrefix(tag[strings.LastIndex(tag, "/")+1:], "v")
}

// SameVersion reports whether a word names the version of a tag, in any spelling of it, or is the tag.
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
