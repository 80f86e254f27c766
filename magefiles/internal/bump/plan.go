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

// Plan is a change of versions that was worked out and not made. It survives JSON unchanged.
type Plan struct {
	Format   int               `json:"format"` // planFormat
	Request  Request           `json:"request"`
	Packages []Move            `json:"packages"`           // that change, dependencies first
	Files    []File            `json:"files"`              // that change, by path
	Notes    []string          `json:"notes"`              // what a person should know, one sentence each
	Tags     []Tag             `json:"tags"`               // that belong to the new versions; none for a downstream
	Message  string            `json:"message"`            // of the commit
	Mentions []copies.Mention  `json:"mentions,omitempty"` // lines that go on having an old version; the first ones, of very many
	Read     map[string]string `json:"read"`               // hex sha256 of every file that the plan was computed from, by path
}

const planFormat = 1

// Empty reports whether nothing has to be changed.
func (p *Plan) Empty() bool { return len(p.Files) == 0 }

// Same reports whether two plans leave the same files behind, whatever they are called.
func (p *Plan) Same(other *Plan) bool {
	return slices.EqualFunc(p.Files, other.Files, func(a, b File) bool {
		return a.Path == b.Path && a.Before == b.Before && a.After == b.After
	})
}

// Move is one package's, or one pinned package's, way from a version to another.
type Move struct {
	In   string   `json:"in,omitempty"` // the downstream, where it is one's pin that moves
	Name string   `json:"name"`
	Old  string   `json:"old"`
	New  string   `json:"new"`
	Why  []Reason `json:"why"`
}

// Reason is one reason for a move.
type Reason struct {
	Kind    ReasonKind `json:"kind"`
	Text    string     `json:"text"`              // the reason as the end of a sentence: "asked for"
	Commits []Commit   `json:"commits,omitempty"` // for ByCommit

	deciding []*Commit // those of all packages that are asked about; Commits are the ones of the package that moves
}

// ReasonKind tells reasons apart.
type ReasonKind string

// The reasons why a version moves.
const (
	Asked    ReasonKind = "asked"
	Lockstep ReasonKind = "lockstep"  // all packages have one version
	Pinned   ReasonKind = "dependent" // it pins a package that moves
	Shared   ReasonKind = "shared"    // its version stands in the same place as another package's
	ByCommit ReasonKind = "commits"
	Drifted  ReasonKind = "drift"   // it was not where it should have been
	Newest   ReasonKind = "channel" // the newest version there
)

// File is a file that changes, and Edit a change of it.
type (
	File = edits.File
	Edit = edits.Edit
)

// History is what is asked of git to size a bump, and Commit one of its commits.
type (
	History = commits.History
	Commit  = commits.Commit
)

// Tag is a tag that a release of the new versions gets.
type Tag struct {
	Name string `json:"name"`
	// File and Line are where the version stands that it is for, of the package of that name (the first where all have one
	// version). They tell which commit it belongs to.
	File    string `json:"file"`
	Line    int    `json:"line"`
	Package string `json:"package,omitempty"`

	Message string `json:"message,omitempty"`
}

// TagMessage is the message of one of the plan's tags.
func (p *Plan) TagMessage(name string) string {
	for _, t := range p.Tags {
		if t.Name == name && t.Message != "" {
			return t.Message
		}
	}
	return name + "\n" // a plan of before there were such
}

// Check refuses a plan that is not for the workspace as it is now: every file that it was computed from must be as it was,
// and no other may have appeared.
func (p *Plan) Check(w *workspace.Workspace) error {
	const next = "make the plan anew: something changed since"
	at, err := Changelog(w)
	if err != nil {
		return err
	}
	now := map[string]bool{}
	for name, src := range edits.Sources(w) {
		now[name] = true
		switch was, ok := p.Read[name]; {
		case !ok:
			return operr.New(next, "the plan is stale: it knows nothing of %s", name)
		case was != edits.Digest(src):
			return operr.New(next, "the plan is stale: %s is not what it was when the plan was made", name)
		}
	}
	for name := range p.Read {
		if !now[name] && name != at.File {
			return operr.New(next, "the plan is stale: %s is gone", name)
		}
	}
	for _, f := range p.Files {
		if _, known := p.Read[f.Path]; !known && f.Path != at.File {
			return operr.New("have the plan made by `mage version:plan -json`", "the plan is not one of ours: it edits %s, which it has not read", f.Path)
		}
	}
	return nil
}

// maxPlan is more than any plan has, in bytes.
const maxPlan = 64 << 20

// readPlan reads a file that need not be one: a shell may hand a plan over by a pipe.
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

// ReadPlan reads a plan that was written as JSON.
func ReadPlan(path string) (*Plan, error) {
	data, err := readPlan(path)
	if err != nil {
		return nil, operr.NewUsage("name a file made by `mage version:plan -json`", "reading the plan: %w", err)
	}
	p := &Plan{}
	if err := json.Unmarshal(data, p); err != nil || p.Format != planFormat {
		return nil, operr.NewUsage("name a file made by `mage version:plan -json`", "%s is no plan that can be read", path)
	}
	return p, nil
}
