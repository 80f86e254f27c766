package delivery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// `given` is an earlier step's result.
type given[R any] = *workflow.Value[R]

// source implements the steps that change the clone.
type source struct {
	*Delivery
	p *Plan
}

// State is a digest of the paths and contents of a step's files, at the time when the step completed.
type State struct {
	Files string `json:"files"`
}

// Commit is the commit to deliver.
type Commit struct {
	Hash string `json:"hash"`
}

func (c Commit) String() string { return short(c.Hash) }

// `skipReason` returns why the commit steps are skipped, or "" if a commit is needed.
func (s *source) skipReason() string {
	if s.p.Pins.Empty() {
		return "the pins have these versions already"
	}
	return ""
}

// definePins returns the step that moves the pins.
func (s *source) definePins() workflow.Step[State] {
	return workflow.Step[State]{
		Name: stepPins,
		Skip: s.skipReason,
		Check: func(ctx context.Context, _ *State) (State, bool, error) {
			state, err := s.state()
			return state, s.moved(), err
		},
		Do: func(ctx context.Context) (State, error) {
			if err := s.checkBranch(ctx); err != nil {
				return State{}, err
			}
			if _, err := s.Store.Apply(ctx, s.p.Pins); err != nil {
				return State{}, err
			}
			return s.state()
		},
		Say:   func(State) string { return s.p.describeVersions() },
		Whole: true,
	}
}

// moved reports whether the files have the contents that the plan gives them, whether or not they are committed.
func (s *source) moved() bool {
	for _, f := range s.p.Pins.Files {
		data, err := os.ReadFile(filepath.Join(s.Store.Top, filepath.FromSlash(s.Store.PathOf(f.Path))))
		if err != nil || edits.Digest(data) != f.After {
			return false
		}
	}
	return true
}

// paths returns the files that the commit may change, relative to the top of the work tree.
func (s *source) paths() (all []string) {
	for _, f := range s.p.Pins.Files {
		all = append(all, s.Store.PathOf(f.Path))
	}
	if s.Locked != "" {
		all = append(all, s.Locked)
	}
	return all
}

// state computes the State of the files in paths.
func (s *source) state() (State, error) {
	sum := sha256.New()
	for _, name := range s.paths() {
		data, err := os.ReadFile(filepath.Join(s.Store.Top, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return State{}, err
		}
		sum.Write([]byte(name + "\x00" + edits.Digest(data) + "\x00"))
	}
	return State{Files: hex.EncodeToString(sum.Sum(nil))}, nil
}

// checkRecorded reports whether a step was done with the current contents of the files. Only the journal can tell.
func (s *source) checkRecorded(_ context.Context, recorded *State) (State, bool, error) {
	now, err := s.state()
	return now, err == nil && recorded != nil && *recorded == now, err
}

// defineLock returns the step that updates the lock file for the new pins.
func (s *source) defineLock() workflow.Step[State] {
	return workflow.Step[State]{
		Name: stepLock,
		Skip: func() string {
			if s.Locked == "" && s.skipReason() == "" {
				return "there is no lock file"
			}
			return s.skipReason()
		},
		Check: s.checkRecorded,
		Do:    s.did(s.Lock),
	}
}

// defineCheck returns the step that runs the downstream's check with the new pins, before the commit.
func (s *source) defineCheck() workflow.Step[State] {
	return workflow.Step[State]{
		Name: stepCheck,
		Skip: func() string {
			if s.Delivery.Check == nil && s.skipReason() == "" {
				return "the downstream has no task named check"
			}
			return s.skipReason()
		},
		Check: s.checkRecorded,
		Do:    s.did(s.Delivery.Check),
	}
}

// `did` returns a function that runs `f`, and returns the resulting state of the files.
func (s *source) did(f func(ctx context.Context) error) func(ctx context.Context) (State, error) {
	return func(ctx context.Context) (State, error) {
		if err := f(ctx); err != nil {
			return State{}, err
		}
		return s.state()
	}
}

// defineCommit returns the step that makes the commit. It is also done if someone else has committed the same files, for example by merging a pull
// request.
func (s *source) defineCommit() workflow.Step[Commit] {
	return workflow.Step[Commit]{
		Name:  stepCommit,
		Check: s.findCommit,
		Do: func(ctx context.Context) (Commit, error) {
			if err := s.checkBranch(ctx); err != nil {
				return Commit{}, err
			}
			hash, err := s.Repo.Commit(ctx, s.paths(), s.p.message())
			return Commit{Hash: hash}, err
		},
		Say:   Commit.String,
		Whole: true,
	}
}

// checkBranch returns an error if the checked-out branch is not the plan's, because its files must not change.
func (s *source) checkBranch(ctx context.Context) error {
	head, err := s.Repo.Head(ctx)
	if err == nil && head.Branch != s.p.Branch {
		err = s.otherBranch(head.Branch)
	}
	return err
}

func (s *source) otherBranch(branch string) error {
	return operr.NewStopped("run `git switch "+operr.Word(s.p.Branch)+"`, and then `mage deliver`; to undo the delivery, run `mage deliver -undo`",
		"the delivery %s was begun on the branch %s, but %s is checked out", s.p.Label(), s.p.Branch, cmp.Or(branch, "no branch"))
}

// findCommit searches the history of the checked-out commit for the delivery's commit.
func (s *source) findCommit(ctx context.Context, _ *Commit) (Commit, bool, error) {
	if s.p.Pins.Empty() {
		return Commit{Hash: s.p.Base}, true, nil
	}
	head, err := s.Repo.Resolve(ctx, "HEAD")
	if err != nil || head == s.p.Base || !s.moved() {
		return Commit{}, false, err
	}
	changed, err := s.Repo.Changed(ctx)
	if err != nil || slices.ContainsFunc(s.paths(), func(name string) bool { return slices.Contains(changed, name) }) {
		return Commit{}, false, err
	}
	made, err := s.Repo.MadeOn(ctx, s.p.Base, head, s.pinFiles())
	if made == "" {
		made = head // the change came from a merge
	}
	return Commit{Hash: made}, err == nil, err
}

// pinFiles returns the files that contain the pins. The lock file is excluded, because it may be unchanged.
func (s *source) pinFiles() (all []string) {
	for _, f := range s.p.Pins.Files {
		all = append(all, s.Store.PathOf(f.Path))
	}
	return all
}

// definePush returns the step that pushes the commit to its branch.
func (s *source) definePush(commit given[Commit]) workflow.Step[Commit] {
	return workflow.Step[Commit]{
		Name: stepPush,
		Check: func(ctx context.Context, _ *Commit) (Commit, bool, error) {
			return s.checkPushed(ctx, commit.Get().Hash)
		},
		Do: func(ctx context.Context) (Commit, error) {
			err := gitremote.Push(ctx, s.Repo, s.p.Remote, commit.Get().Hash, s.p.Branch)
			if err != nil {
				err = s.explainPush(ctx, commit.Get().Hash, err)
			}
			return commit.Get(), err
		},
		Say:     func(c Commit) string { return s.p.Remote + "/" + s.p.Branch + " at " + c.String() },
		Whole:   true,
		Retries: 3,
	}
}

// checkPushed reports whether the remote branch contains the commit.
func (s *source) checkPushed(ctx context.Context, commit string) (Commit, bool, error) {
	refs, err := gitremote.Read(ctx, s.Repo, s.p.Remote)
	if err != nil {
		return Commit{}, false, err
	}
	at := refs.Branches[s.p.Branch]
	if at == "" || at == commit {
		return Commit{Hash: commit}, at != "", nil
	}
	if err := gitremote.Fetch(ctx, s.Repo, s.p.Remote); err != nil {
		return Commit{}, false, err
	}
	has, err := s.Repo.Contains(ctx, at, commit)
	return Commit{Hash: commit}, has, err
}

// pullRequestBranch returns the branch to push a commit to if its own branch is protected. The name is unique for each commit, because an earlier
// commit's branch may still exist after a squash merge, and would reject the push.
func (s *source) pullRequestBranch(commit string) string {
	return "foopack/deliver-" + s.p.App + "-" + short(commit)
}

// explainPush returns the error for a rejected push. It checks the remote branch to see whether someone else has pushed first. If the remote
// rejects all pushes to the branch, the commit goes to a separate branch, which must be merged.
func (s *source) explainPush(ctx context.Context, commit string, refused error) error {
	if gitremote.Transient(refused) || ctx.Err() != nil || !errors.Is(refused, gitremote.ErrRejected) {
		return refused
	}
	refs, err := gitremote.Read(ctx, s.Repo, s.p.Remote)
	if err != nil {
		return errors.Join(refused, err)
	}
	there := refs.Branches[s.p.Branch]
	if there != "" {
		ours, err := s.Repo.Contains(ctx, commit, there)
		if err != nil || !ours { // the remote's commit may not exist in this clone
			return operr.New("run `mage deliver -undo`, then `git pull`, and then `mage deliver`", "someone else has pushed other commits to %s/%s: %w", s.p.Remote, s.p.Branch, refused).WithWayOn()
		}
	}
	branch := s.pullRequestBranch(commit)
	if err := gitremote.Push(ctx, s.Repo, s.p.Remote, commit, branch); err != nil {
		return operr.New("correct the error that git printed above", "%s refused the push to %s, and also the push to %s: %w", s.p.Remote, s.p.Branch, branch, err)
	}
	return operr.NewStopped("merge "+branch+" into "+s.p.Branch+" by a pull request, and then run `git pull --rebase` and `mage deliver`",
		"%s refuses pushes to %s, so the commit %s was pushed to %s/%s instead", s.p.Remote, s.p.Branch, short(commit), s.p.Remote, branch).WithWayOn()
}
