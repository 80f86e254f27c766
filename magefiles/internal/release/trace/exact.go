package trace

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// RefuseOthers refuses to take a commit for the release's that is another one: it brought the versions, or changed the files, and somebody else
// may have made it. The release's is the one that the journal names; one that changes the same, byte for byte, by the same author at the same time (it
// was amended, rebased or cherry-picked); or one with exactly the edits of the plan, where the journal's is not here to be compared with.
// Without a journal, the commit is what the plan was made from.
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
			continue // it may have been tidied away
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
	return operr.NewStopped("see `git show "+commit[:12]+"`; `git revert` takes it back, if it is the release's",
		"the commit %.12s is not as the release of %s made it, and may be somebody else's; nothing was changed", commit, t.Plan.Title)
}

// edits reports whether a patch makes exactly the edits of the plan, wherever in the files.
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
		if !slices.Equal(without(made[path]), without(linesOf(f.Edits))) {
			return false
		}
		delete(made, path)
	}
	return len(made) == 0
}

// linesOf are the lines that edits take away and bring, as a patch has them.
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

// without sorts lines of a patch, and takes out what is both taken away and brought: it stays.
func without(lines []string) []string {
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
			if text != "" { // blank lines between are laid out by whoever writes them
				left = append(left, map[bool]string{true: "+", false: "-"}[n > 0]+text)
			}
		}
	}
	slices.Sort(left)
	return left
}
