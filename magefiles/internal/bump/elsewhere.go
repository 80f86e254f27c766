package bump

import (
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump/copies"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// writeCopies updates the files that are listed in [tool.release] copies.
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

// NoteMentions adds a note about lines that keep an old version. `files` are the tracked files, relative to the workspace root.
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

// NoteGoModules adds a note for each of the plan's tags that Go would reject as the version of a module in the repository. `top` is the top of the
// work tree. A package's tag also applies to a Go module in a folder with the same name.
func (p *Plan) NoteGoModules(top string) {
	tags, err := gomodule.Unusable(top, p.tagNames())
	if err != nil {
		p.Notes = append(p.Notes, "cannot check whether Go accepts the new tags as versions: "+err.Error())
	}
	for _, t := range tags {
		p.Notes = append(p.Notes, t.String())
	}
}
