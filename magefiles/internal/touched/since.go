package touched

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Event is what a runner of GitHub's says of why it runs. The zero value is elsewhere.
type Event struct {
	Name string // push, pull_request, merge_group, …
	Path string // of the file that describes it
}

// Request asks which packages differ between a commit and what is checked out.
type Request struct {
	Repo  *gitrepo.Repo
	Since string // the commit; "" is that of the event
	Event Event
}

// Work says what a CI has to do, and hands it on by set.
func (r Request) Work(ctx context.Context, w *workspace.Workspace, set func(name, value string) error) (Work, error) {
	taken, err := r.Ask(ctx, w)
	if err != nil {
		return Work{}, err
	}
	work := NewWork(w, taken)
	return work, work.HandOn(set)
}

// Ask finds the packages. What is not committed is not looked at: on a runner there is none.
func (r Request) Ask(ctx context.Context, w *workspace.Workspace) (Taken, error) {
	since, why, err := r.since()
	if err != nil {
		return Taken{}, err
	}
	if why != "" {
		return everything(w, why), nil
	}
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return Taken{}, err
	}
	base, err := r.Repo.Resolve(ctx, since)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return everything(w, since+" is not in this clone: with `fetch-depth: 0` of actions/checkout it would be"), nil
	}
	if err != nil {
		return Taken{}, err
	}
	on, err := r.Repo.Contains(ctx, head.Commit, base)
	if err != nil {
		return Taken{}, err
	}
	if !on {
		return everything(w, since+" is not an ancestor of what is checked out"), nil
	}
	c, err := r.change(ctx, w, base, head.Commit)
	if err != nil {
		return Taken{}, err
	}
	return Find(w, c), nil
}

// change reads what differs between two commits.
func (r Request) change(ctx context.Context, w *workspace.Workspace, base, head string) (c Change, err error) {
	files, err := r.Repo.Between(ctx, base, head)
	if err != nil {
		return c, err
	}
	for _, file := range files {
		c.Files = append(c.Files, relative(r.Repo.Prefix, file))
	}
	at := r.Repo.FromTop([]string{w.Manifest.Path, workspace.LockFile})
	if !slices.Contains(c.Files, w.Manifest.Path) && !slices.Contains(c.Files, workspace.LockFile) {
		return c, nil
	}
	before, err := r.Repo.Contents(ctx, base, at...)
	if err != nil {
		return c, err
	}
	after, err := r.Repo.Contents(ctx, head, at...)
	if err != nil {
		return c, err
	}
	c.Manifest = [2][]byte{before[0], after[0]}
	c.Lock = [2][]byte{before[1], after[1]}
	return c, nil
}

// relative is a path from the repository's top as it is from a folder in it.
func relative(prefix, file string) string {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" || prefix == "." {
		return file
	}
	up := ""
	for dir := prefix; dir != "."; dir = path.Dir(dir) {
		if below, ok := strings.CutPrefix(file, dir+"/"); ok {
			return up + below
		}
		up += "../"
	}
	return up + file
}

// since is the commit that is compared with, as it is named; or why everything is taken.
func (r Request) since() (commit, why string, err error) {
	commit = r.Since
	if commit == "" {
		if commit, why, err = r.Event.before(); why != "" || err != nil {
			return "", why, err
		}
	}
	if strings.Trim(commit, "0") == "" {
		return "", "the branch is new: there is no commit before it", nil
	}
	return commit, "", nil
}

// before is the commit that the event names as the one before.
func (e Event) before() (commit, why string, err error) {
	var said struct {
		Before      string
		PullRequest struct {
			Base struct{ SHA string }
		} `json:"pull_request"`
		MergeGroup struct {
			BaseSHA string `json:"base_sha"`
		} `json:"merge_group"`
	}
	switch e.Name {
	case "push", "pull_request", "merge_group":
	case "":
		return "", "no commit is named to compare with", nil
	default:
		return "", "the event " + e.Name + " names no commit to compare with", nil
	}
	const next = "see where GITHUB_EVENT_PATH is set: the runner names a file; or say -since=COMMIT"
	text, err := os.ReadFile(e.Path)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		return "", "", operr.New(next, "reading the event %s: %w", e.Name, err)
	}
	commit = map[string]string{"push": said.Before, "pull_request": said.PullRequest.Base.SHA, "merge_group": said.MergeGroup.BaseSHA}[e.Name]
	if commit == "" {
		return "", "the event " + e.Name + " names no commit to compare with", nil
	}
	return commit, "", nil
}
