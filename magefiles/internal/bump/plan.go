package bump

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump/commits"
	"github.com/foopack/foopack/magefiles/internal/bump/copies"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Plan is a computed change of versions that has not been applied. It can be saved as JSON without loss.
type Plan struct {
	Format   int               `json:"format"` // planFormat
	Request  Request           `json:"request"`
	Packages []Move            `json:"packages"`           // packages that change, dependencies first
	Files    []File            `json:"files"`              // files that change, sorted by path
	Notes    []string          `json:"notes"`              // messages for the user, one sentence each
	Tags     []Tag             `json:"tags"`               // tags for the new versions; none for a downstream
	Message  string            `json:"message"`            // commit message
	Mentions []copies.Mention  `json:"mentions,omitempty"` // lines that keep an old version; truncated if there are very many
	Read     map[string]string `json:"read"`               // hex SHA-256 of every file that the plan was computed from, keyed by path
}

const planFormat = 1

// Empty reports whether the plan changes no files.
func (p *Plan) Empty() bool { return len(p.Files) == 0 }

// Same reports whether two plans produce the same files, regardless of requests and messages.
func (p *Plan) Same(other *Plan) bool {
	return slices.EqualFunc(p.Files, other.Files, func(a, b File) bool {
		return a.Path == b.Path && a.Before == b.Before && a.After == b.After
	})
}

// Move is the change of one package, or of the pin on a package, from one version to another.
type Move struct {
	In   string   `json:"in,omitempty"` // the downstream that has the pin, if any
	Name string   `json:"name"`
	Old  string   `json:"old"`
	New  string   `json:"new"`
	Why  []Reason `json:"why"`
}

// Reason is a reason for a move.
type Reason struct {
	Kind    ReasonKind `json:"kind"`
	Text    string     `json:"text"`              // as the end of a sentence, such as "asked for"
	Commits []Commit   `json:"commits,omitempty"` // set if Kind is ByCommit

	deciding []*Commit // deciding commits for all packages; Commits is limited to this package
}

// ReasonKind is the kind of a Reason.
type ReasonKind string

// Reasons for a move.
const (
	Asked    ReasonKind = "asked"
	Lockstep ReasonKind = "lockstep"  // all packages have the same version
	Pinned   ReasonKind = "dependent" // the package pins a package that moves
	Shared   ReasonKind = "shared"    // the version is defined in one place for several packages
	ByCommit ReasonKind = "commits"
	Drifted  ReasonKind = "drift"   // the package's version differed from the others
	Newest   ReasonKind = "channel" // the newest version on the channel
)

// File is a file that changes, and Edit is a change in it.
type (
	File = edits.File
	Edit = edits.Edit
)

// History provides tags and commits, from which the size of a bump is computed. Commit is one of its commits.
type (
	History = commits.History
	Commit  = commits.Commit
)

// Tag is a tag for the release of a new version.
type Tag struct {
	Name string `json:"name"`
	// File and Line are the position of the version in the manifest of Package (in lockstep, of the first package). They are used to find the commit
	// that the tag belongs to.
	File    string `json:"file"`
	Line    int    `json:"line"`
	Package string `json:"package,omitempty"`

	Message string `json:"message,omitempty"`
}

// TagMessage returns the message of one of the plan's tags.
func (p *Plan) TagMessage(name string) string {
	for _, t := range p.Tags {
		if t.Name == name && t.Message != "" {
			return t.Message
		}
	}
	return name + "\n" // a plan from a version without tag messages
}

// Check returns an error if the plan is stale, because a file that it was computed from has changed, or because a new file exists.
func (p *Plan) Check(w *workspace.Workspace) error {
	const next = "make the plan again with `mage version:plan -json`"
	at, err := Changelog(w)
	if err != nil {
		return err
	}
	now := map[string]bool{}
	for name, src := range edits.Sources(w) {
		now[name] = true
		switch was, ok := p.Read[name]; {
		case !ok:
			return operr.New(next, "the plan is stale: %s is not among the files that the plan was made from", name)
		case was != edits.Digest(src):
			return operr.New(next, "the plan is stale: %s changed after the plan was made", name)
		}
	}
	for name := range p.Read {
		if !now[name] && name != at.File {
			return operr.New(next, "the plan is stale: %s was removed", name)
		}
	}
	for _, f := range p.Files {
		if _, known := p.Read[f.Path]; !known && f.Path != at.File {
			return operr.New("make the plan with `mage version:plan -json`", "the plan was not made by `mage version:plan`: the plan edits %s, but has no digest of this file", f.Path)
		}
	}
	return nil
}

// maxPlan is the maximum size of a plan in bytes.
const maxPlan = 64 << 20

// readPlan reads a plan. The path may be a pipe, as from a shell's process substitution.
func readPlan(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPlan+1))
	if err == nil && len(data) > maxPlan {
		err = fmt.Errorf("%s has more than %d bytes", path, maxPlan)
	}
	return data, err
}

// ReadPlan reads a plan from a JSON file.
func ReadPlan(path string) (*Plan, error) {
	data, err := readPlan(path)
	if err != nil {
		return nil, operr.NewUsage("name a file made by `mage version:plan -json`", "reading the plan: %w", err)
	}
	p := &Plan{}
	if err := json.Unmarshal(data, p); err != nil || p.Format != planFormat {
		return nil, operr.NewUsage("name a file made by `mage version:plan -json`", "%s is not a plan that this version can read", path)
	}
	return p, nil
}
