package bump

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/copies"
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
