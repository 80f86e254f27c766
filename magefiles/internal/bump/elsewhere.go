package bump

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/copies"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// writeCopies has the files follow that [tool.release] copies names.
func (p *planner) writeCopies() error {
	if len(p.moves) == 0 {
		return nil
	}
	ways := make(map[string]copies.Way, len(p.now))
	for name, now := range p.now {
		ways[name] = copies.Way{From: now, To: p.goals[name], Moves: p.moves[name] != nil}
	}
	return copies.Follow(p.w, p.edit, ways)
}

// NoteMentions notes the lines that go on having an old version. files are those that git knows, relative to the workspace's root.
func (p *Plan) NoteMentions(w *workspace.Workspace, files []string) {
	var old []string
	for _, m := range p.Packages {
		if strings.Count(m.Old, ".") >= 2 && !slices.Contains(old, m.Old) {
			old = append(old, m.Old)
		}
	}
	if len(old) == 0 {
		return
	}
	found, note := copies.Find(w, p.Files, old, files)
	if note != "" {
		p.Mentions = found
		p.Notes = append(p.Notes, note)
	}
}

// NoteGoModules notes which of the plan's tags Go would refuse for a module of the repository, whose work tree has its top at that
// folder: a tag of a package is one of the module that lies beside it as well.
func (p *Plan) NoteGoModules(top string) {
	tags, err := gomodule.Unusable(top, p.tagNames())
	if err != nil {
		p.Notes = append(p.Notes, "whether Go takes the new tags for versions cannot be told: "+err.Error())
	}
	for _, t := range tags {
		p.Notes = append(p.Notes, t.String())
	}
}
