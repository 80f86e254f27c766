package commits

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Of is the past of a workspace. h may be nil outside of git.
func Of(h History, w *workspace.Workspace) *Past { return &Past{History: h, w: w} }

// Past is the history, asked once, and which packages each commit touched.
type Past struct {
	History
	merged map[string]string
	tags   map[string]string
	logs   map[string]Entries
	owners *Owners
	w      *workspace.Workspace
}

// Entry is what is kept of a commit.
type Entry struct {
	Said     *Commit  // of one that asks for something; else nil
	Packages []string // that it touched
	Loose    bool     // it says in no conventional form what it is
	Silent   bool     // a merge that says nothing, or what the commits say that it brought
	Off      bool     // a later commit takes it back, or it is the one that does
	undoneBy []*takenBack
}

// takenBack is a revert, and what it takes back.
type takenBack struct {
	changelog.Revert
	by     int             // the entry that is the revert
	target int             // the entry that it takes back; -1 for one that is released
	sure   bool            // by its hash or its number
	paint  map[string]bool // of a merge: commits to come by their hashes; true for one that was there without the merge
}

// Entries is what was committed since a tag, the newest first.
type Entries []Entry

// least is a version before 1.0: what a commit asks for there, if anything, does not matter.
var least = version.MustParse("0")

// Merged are the tags that HEAD contains.
func (h *Past) Merged(ctx context.Context) (map[string]string, error) {
	if h.merged != nil {
		return h.merged, nil
	}
	if h.History == nil {
		return nil, operr.New("run `git init` and commit, or say a version", "the size of the bump is to come from the commits, and there is no git repository")
	}
	tags, err := h.MergedTags(ctx)
	if err != nil {
		return nil, err // what failed is asked again
	}
	h.merged = tags
	return tags, nil
}

// All are those of the repository, wherever they are.
func (h *Past) All(ctx context.Context) (map[string]string, error) {
	if h.tags != nil {
		return h.tags, nil
	}
	tags, err := h.Tags(ctx)
	if err == nil {
		h.tags = tags
	}
	return tags, err
}

// Since reads the history. What a revert takes back is off, and the revert with it.
func (h *Past) Since(ctx context.Context, tag string) (Entries, error) {
	if l, ok := h.logs[tag]; ok {
		return l, nil
	}
	if h.owners == nil {
		h.owners = NewOwners(h.w)
	}
	r := &reading{past: h, merged: map[string]bool{}}
	err := h.EachCommit(ctx, tag, r.visit)
	if err == nil {
		r.settle()
		err = r.share(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range r.entries {
		if e.Said != nil {
			e.Said.Packages = e.Packages
		}
	}
	if h.logs == nil {
		h.logs = map[string]Entries{}
	}
	h.logs[tag] = r.entries
	return r.entries, nil
}

// reading is a history that is being read.
type reading struct {
	past    *Past
	entries Entries
	reverts []*takenBack
	merged  map[string]bool // what merges ask for; true where a commit says the same, which is no merge
}

// visit takes in the next commit. Its words are kept only where it asks for something: a history may be long.
func (r *reading) visit(c Commit) {
	changes := changelog.ReadChanges(c.Subject, c.Body, c.isMerge())
	back, reverts := changelog.ReadRevert(c.Subject, c.Body)
	switch {
	case reverts && back.Again != "":
		changes = changelog.ReadChanges(back.Again, c.Body, false)
	case reverts && changes[0].Kind == "":
		changes[0].Kind, changes[0].Text = "revert", back.Subject
	}
	e := Entry{Loose: !slices.ContainsFunc(changes, func(one changelog.Change) bool { return one.Kind != "" || one.Breaking })}
	at := len(r.entries)
	for _, t := range r.reverts {
		if t.covers(c) {
			e.undoneBy = append(e.undoneBy, t)
		}
		t.meet(c, at)
	}
	changes = slices.DeleteFunc(changes, func(one changelog.Change) bool { return SizeOf(one, least) == version.None })
	e.Silent = c.isMerge() && len(changes) == 0
	if !e.Silent {
		e.Packages = r.touched(c, changes)
	}
	if len(changes) > 0 {
		e.Said = &Commit{Hash: strings.Clone(c.Hash[:min(len(c.Hash), shortHash)]), Subject: c.Subject, Changes: changes}
		if c.isMerge() {
			e.Said.Parents = c.Parents
		}
		if slices.Contains(c.Paths, r.past.w.Manifest.Path) {
			e.Said.full = c.Hash
		}
	}
	for _, change := range changes {
		if c.isMerge() && !change.Breaking {
			r.merged[change.Key()] = false
		} else if len(r.merged) > 0 {
			if _, asked := r.merged[change.Key()]; asked {
				r.merged[change.Key()] = true
			}
		}
	}
	r.entries = append(r.entries, e)
	if reverts {
		r.reverts = append(r.reverts, &takenBack{Revert: back, by: at, target: -1})
	}
}

// touched are the packages that a commit is for. One without a change is for those that its scope names, or for all.
func (r *reading) touched(c Commit, changes []changelog.Change) []string {
	if !c.Blank {
		return r.past.owners.Of(c.Paths)
	}
	var scoped []string
	for _, change := range changes {
		scoped = append(scoped, r.past.owners.scoped(change.Scopes)...)
	}
	if scoped == nil {
		return r.past.owners.all
	}
	slices.Sort(scoped)
	return r.past.owners.set(slices.Compact(scoped))
}

// meet looks whether a revert takes back the commit that comes next. By the subject alone it is the first one, unless the hash says
// otherwise later.
func (t *takenBack) meet(c Commit, at int) {
	surely, maybe := t.Names(c.Hash, c.Subject)
	if t.sure || !surely && (!maybe || t.target >= 0) {
		return
	}
	t.target, t.sure, t.paint = at, surely, nil
	if surely && c.isMerge() {
		t.paint = map[string]bool{c.Parents[0]: true}
		for _, p := range c.Parents[1:] {
			t.paint[p] = false
		}
	}
}

// covers reports whether a commit came by the merge that is taken back, and by nothing else.
func (t *takenBack) covers(c Commit) bool {
	kept, painted := t.paint[c.Hash]
	if !painted {
		return false
	}
	delete(t.paint, c.Hash)
	for _, p := range c.Parents {
		t.paint[p] = t.paint[p] || kept
	}
	return !kept
}

// settle takes the reverts in their order, the newest first: one that is taken back itself takes nothing back.
func (r *reading) settle() {
	for _, t := range r.reverts {
		if r.entries[t.by].Off || t.target < 0 {
			continue
		}
		r.entries[t.by].Off = true
		r.entries[t.target].Off = true
		for i := range r.entries {
			if slices.Contains(r.entries[i].undoneBy, t) {
				r.entries[i].Off = true
			}
		}
	}
	for i := range r.entries {
		e := &r.entries[i]
		if e.Said == nil || !e.Said.isMerge() {
			continue
		}
		e.Said.Changes = slices.DeleteFunc(e.Said.Changes, func(c changelog.Change) bool { return r.merged[c.Key()] && !c.Breaking })
		e.Silent = len(e.Said.Changes) == 0
	}
}

// inOneQuestion is how many commits git is asked about at once: each answer has two whole manifests.
const inOneQuestion = 100

// share adds the packages that take from the root manifest what a commit changed there.
func (r *reading) share(ctx context.Context) error {
	var asked []*Entry
	for i := range r.entries {
		if e := &r.entries[i]; e.Said != nil && e.Said.full != "" && !e.Off && !e.Silent {
			asked = append(asked, e)
		}
	}
	for some := range slices.Chunk(asked, inOneQuestion) {
		var commits []string
		for _, e := range some {
			commits = append(commits, e.Said.full)
		}
		file := r.past.w.Manifest.Path
		before, after, err := r.past.Versions(ctx, commits, file)
		if err != nil {
			return err
		}
		for i, e := range some {
			changed := manifest.CompareInherited(file, before[i], after[i])
			names := slices.Clone(e.Packages)
			for _, p := range r.past.w.Packages {
				if !slices.Contains(names, p.Name) && slices.ContainsFunc(p.Inherited(), func(key string) bool { return slices.Contains(changed, key) }) {
					names = append(names, p.Name)
				}
			}
			e.Packages = r.past.owners.set(names)
		}
	}
	return nil
}
