package trace

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// RefuseOthers returns an error if a commit that looks like the release's may be someone else's. A commit belongs to the release if the journal has
// recorded it, or if it has the same change, author and time as a recorded commit, as after an amend, rebase or cherry-pick. If no recorded commit
// exists in the clone any more, the current user's commit with exactly the plan's edits belongs to it too. Without a journal, all commits are
// accepted, because the plan was computed from the commit.
func (t *Trace) RefuseOthers(ctx context.Context, commit string) error {
	if t.Past == nil || t.Past.Path == "" || commit == "" || t.Past.Released(commit) {
		return nil
	}
	theirs, err := t.Repo.Change(ctx, commit)
	if err != nil {
		return err
	}
	compared := false
	for _, recorded := range t.Past.commits() {
		if here, err := t.Repo.Contains(ctx, recorded, recorded); err != nil || !here {
			continue // git may have garbage-collected it
		}
		ours, err := t.Repo.Change(ctx, recorded)
		if err != nil || ours == theirs {
			return err
		}
		compared = true
	}
	if compared {
		return t.refuseOther(commit)
	}
	if me, err := t.Repo.Identity(ctx); err == nil && gitrepo.AddressOf(me) == theirs.Author && t.edits(theirs.Patch) {
		return nil
	}
	return t.refuseOther(commit)
}

func (t *Trace) refuseOther(commit string) error {
	return operr.NewStopped("look at `git show "+commit[:12]+"`; if this commit belongs to the release, revert the commit with `git revert`",
		"the commit %.12s differs from the commit that the release of %s made, and may be someone else's; nothing was changed", commit, t.Plan.Title)
}

// edits reports whether a patch consists of exactly the plan's edits, at any position in the files.
func (t *Trace) edits(patch string) bool {
	made := map[string][]string{}
	file := ""
	for line := range strings.Lines(patch) {
		switch line = strings.TrimRight(line, "\r\n"); {
		case strings.HasPrefix(line, "diff --git "):
			file = ""
		case file == "" && strings.HasPrefix(line, "+++ "):
			file = strings.TrimPrefix(strings.TrimPrefix(line, "+++ "), "b/")
			made[file] = nil
		case file != "" && (strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-")):
			made[file] = append(made[file], strings.TrimRight(line, "\r"))
		}
	}
	for _, f := range t.Plan.Bump.Files {
		path := t.Store.PathOf(f.Path)
		if !slices.Equal(dropMoved(made[path]), dropMoved(linesOf(f.Edits))) {
			return false
		}
		delete(made, path)
	}
	return len(made) == 0
}

// linesOf returns the lines that edits remove and add, in patch format.
func linesOf(edits []bump.Edit) (lines []string) {
	for i := 0; i < len(edits); {
		text, shift, line := edits[i].Text, 0, edits[i].Line
		after := text
		for ; i < len(edits) && edits[i].Line == line; i++ {
			at := edits[i].Col - 1 + shift
			if at < 0 || at+len(edits[i].Old) > len(after) {
				return []string{"?"}
			}
			after = after[:at] + edits[i].New + after[at+len(edits[i].Old):]
			shift += len(edits[i].New) - len(edits[i].Old)
		}
		for _, l := range strings.Split(text, "\n") {
			lines = append(lines, "-"+l)
		}
		for _, l := range strings.Split(after, "\n") {
			lines = append(lines, "+"+l)
		}
	}
	return lines
}

// `dropMoved` sorts a patch's lines, and drops those that are both removed and added.
func dropMoved(lines []string) []string {
	count := map[string]int{}
	for _, l := range lines {
		if text := strings.TrimRight(l[1:], "\r"); l[0] == '+' {
			count[text]++
		} else {
			count[text]--
		}
	}
	var left []string
	for text, n := range count {
		for range max(n, -n) {
			if text != "" { // ignore blank lines
				left = append(left, map[bool]string{true: "+", false: "-"}[n > 0]+text)
			}
		}
	}
	slices.Sort(left)
	return left
}
