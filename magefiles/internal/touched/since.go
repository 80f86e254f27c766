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

// Event is the event that triggered this job on GitHub. The zero value means that this machine is not a GitHub runner.
type Event struct {
	Name string // push, pull_request, merge_group, …
	Path string // path of the JSON file that describes the event
}

// Request is a query for the packages that differ between a commit and HEAD.
type Request struct {
	Repo  *gitrepo.Repo
	Since string // commit to compare with; "" means the commit that the event specifies
	Event Event
}

// Work determines what CI must check, and sets the job outputs by calling set.
func (r Request) Work(ctx context.Context, w *workspace.Workspace, set func(name, value string) error) (Work, error) {
	taken, err := r.Ask(ctx, w)
	if err != nil {
		return Work{}, err
	}
	work := NewWork(w, taken)
	return work, work.HandOn(set)
}

// Ask finds the affected packages. Uncommitted changes are ignored, because a runner has none.
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
		return everything(w, since+" is not in this clone: set `fetch-depth: 0` for actions/checkout"), nil
	}
	if err != nil {
		return Taken{}, err
	}
	on, err := r.Repo.Contains(ctx, head.Commit, base)
	if err != nil {
		return Taken{}, err
	}
	if !on {
		return everything(w, since+" is not an ancestor of the checked-out commit"), nil
	}
	c, err := r.change(ctx, w, base, head.Commit)
	if err != nil {
		return Taken{}, err
	}
	return Find(w, c), nil
}

// change returns the differences between two commits.
func (r Request) change(ctx context.Context, w *workspace.Workspace, base, head string) (c Change, err error) {
	files, err := r.Repo.ChangedBetween(ctx, base, head)
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

// relative converts a path relative to the top of the repository to one relative to the folder prefix.
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

// `since` returns the commit to compare with, or why all packages are included.
func (r Request) since() (commit, why string, err error) {
	commit = r.Since
	if commit == "" {
		if commit, why, err = r.Event.before(); why != "" || err != nil {
			return "", why, err
		}
	}
	if strings.Trim(commit, "0") == "" {
		return "", "the branch is new, so there is no earlier commit to compare with", nil
	}
	return commit, "", nil
}

// `before` returns the commit before the event, according to the event itself.
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
		return "", "neither -since nor an event names a commit to compare with", nil
	default:
		return "", "the event " + e.Name + " names no commit to compare with", nil
	}
	const next = "set GITHUB_EVENT_PATH to the event file of the runner, or pass -since=COMMIT"
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
