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

// Of returns the past of a workspace. h is nil outside a git repository.
func Of(h History, w *workspace.Workspace) *Past { return &Past{History: h, w: w} }

// Past caches the history, and finds the packages that each commit touched.
type Past struct {
	History
	merged map[string]string
	tags   map[string]string
	logs   map[string]Entries
	owners *Owners
	w      *workspace.Workspace
}

// Entry holds the parts of a commit that affect the next version.
type Entry struct {
	Said     *Commit  // nil if the commit requires no bump
	Packages []string // packages that the commit touched
	Loose    bool     // whether the commit is not a conventional commit
	Silent   bool     // whether the commit is a merge that requires no bump itself, or only repeats its commits
	Off      bool     // whether a later commit reverts this commit, or this commit is a revert of another one
	undoneBy []*takenBack
}

// takenBack is a revert and the commit that it reverts.
type takenBack struct {
	changelog.Revert
	by     int             // index of the revert in the entries
	target int             // index of the reverted commit in the entries; -1 if it was already released
	sure   bool            // whether the reverted commit was identified by its hash or pull request number
	paint  map[string]bool // for a reverted merge: hashes of commits that were not visited yet; true if a commit is reachable without the merge
}

// Entries lists the commits since a tag, newest first.
type Entries []Entry

// `least` is a version before 1.0, for callers that only need to know whether a commit requires a bump at all.
var least = version.MustParse("0")

// Merged returns the tags that are reachable from HEAD.
func (h *Past) Merged(ctx context.Context) (map[string]string, error) {
	if h.merged != nil {
		return h.merged, nil
	}
	if h.History == nil {
		return nil, operr.New("run `git init` and commit, or pass a version, such as -to=1.2.0", "the size of the bump comes from the commits, but there is no git repository")
	}
	tags, err := h.MergedTags(ctx)
	if err != nil {
		return nil, err // errors are not cached
	}
	h.merged = tags
	return tags, nil
}

// All returns the tags on all branches.
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

// Since returns the entries since a tag. Off is set for each reverted commit and for its revert.
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

// reading is the state while a history is read.
type reading struct {
	past    *Past
	entries Entries
	reverts []*takenBack
	merged  map[string]bool // keys of changes in merges; true if a commit that is not a merge has the same change
}

// visit adds the next commit. It keeps the message only if the commit requires a bump, because a history may be long.
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
		e.Said = &Commit{Hash: strings.Clone(c.Hash), Subject: c.Subject, Changes: changes}
		if c.isMerge() {
			e.Said.Parents = c.Parents
		}
		if slices.Contains(c.Paths, r.past.w.Manifest.Path) {
			e.Said.compares = true
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

// touched returns the packages that a commit affects. A commit without changed files affects the packages in its scopes, or all packages.
func (r *reading) touched(c Commit, changes []changelog.Change) []string {
	if !c.Blank {
		return r.past.owners.Of(c.Paths)
	}
	var scoped []string
	for _, change := range changes {
		scoped = append(scoped, r.past.owners.packagesOfScopes(change.Scopes)...)
	}
	if scoped == nil {
		return r.past.owners.all
	}
	slices.Sort(scoped)
	return r.past.owners.set(slices.Compact(scoped))
}

// meet checks whether a revert refers to commit c. If only the subject matches, the first match is used, unless a later commit matches by hash or
// number.
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

// covers reports whether a commit is only reachable through the reverted merge.
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

// settle applies the reverts, newest first, so that a reverted revert has no effect.
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

// inOneQuestion is the maximum number of commits in one git call, because each result contains two whole manifests.
const inOneQuestion = 100

// share handles commits that changed the root manifest. It adds the packages that inherit one of the changed values.
func (r *reading) share(ctx context.Context) error {
	var asked []*Entry
	for i := range r.entries {
		if e := &r.entries[i]; e.Said != nil && e.Said.compares && !e.Off && !e.Silent {
			asked = append(asked, e)
		}
	}
	for some := range slices.Chunk(asked, inOneQuestion) {
		var commits []string
		for _, e := range some {
			commits = append(commits, e.Said.Hash)
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
