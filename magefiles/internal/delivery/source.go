package delivery

import (
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

// given is what a step above has made or found.
type given[R any] = *workflow.Value[R]

// source is what happens in the clone.
type source struct {
	*Delivery
	p *Plan
}

// State is what files held when a step was done with them: the digest of their paths and contents.
type State struct {
	Files string `json:"files"`
}

// Commit is the one that is delivered.
type Commit struct {
	Hash string `json:"hash"`
}

func (c Commit) String() string { return short(c.Hash) }

// none is why the steps of a commit are skipped where there is none to be made.
func (s *source) none() string {
	if s.p.Pins.Empty() {
		return "the pins are there"
	}
	return ""
}

// definePins moves the pins.
func (s *source) definePins() workflow.Step[State] {
	return workflow.Step[State]{
		Name: stepPins,
		Skip: s.none,
		Check: func(ctx context.Context, _ *State) (State, bool, error) {
			state, err := s.state()
			return state, s.moved(), err
		},
		Do: func(ctx context.Context) (State, error) {
			if _, err := s.Store.Apply(ctx, s.p.Pins); err != nil {
				return State{}, err
			}
			return s.state()
		},
		Say:   func(State) string { return s.p.moved() },
		Whole: true,
	}
}

// moved reports whether the files are as the plan leaves them, committed or not.
func (s *source) moved() bool {
	for _, f := range s.p.Pins.Files {
		data, err := os.ReadFile(filepath.Join(s.Store.Top, filepath.FromSlash(s.Store.PathOf(f.Path))))
		if err != nil || edits.Digest(data) != f.After {
			return false
		}
	}
	return true
}

// paths are the files that the commit may change, relative to the work tree's top.
func (s *source) paths() (all []string) {
	for _, f := range s.p.Pins.Files {
		all = append(all, s.Store.PathOf(f.Path))
	}
	if s.Locked != "" {
		all = append(all, s.Locked)
	}
	return all
}

// state reads those files.
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

// asRecorded says that a step is done where it was done with what the files hold now: nothing but the record tells.
func (s *source) asRecorded(_ context.Context, recorded *State) (State, bool, error) {
	now, err := s.state()
	return now, err == nil && recorded != nil && *recorded == now, err
}

// defineLock makes the lock file of what the pins are now.
func (s *source) defineLock() workflow.Step[State] {
	return workflow.Step[State]{
		Name: stepLock,
		Skip: func() string {
			if s.Locked == "" && s.none() == "" {
				return "there is no lock file"
			}
			return s.none()
		},
		Check: s.asRecorded,
		Do:    s.did(s.Lock),
	}
}

// defineCheck runs the downstream's own check with the new pins, before anything is committed.
func (s *source) defineCheck() workflow.Step[State] {
	return workflow.Step[State]{
		Name: stepCheck,
		Skip: func() string {
			if s.Delivery.Check == nil && s.none() == "" {
				return "there is no task check"
			}
			return s.none()
		},
		Check: s.asRecorded,
		Do:    s.did(s.Delivery.Check),
	}
}

// did does something, and keeps what the files held afterwards.
func (s *source) did(f func(ctx context.Context) error) func(ctx context.Context) (State, error) {
	return func(ctx context.Context) (State, error) {
		if err := f(ctx); err != nil {
			return State{}, err
		}
		return s.state()
	}
}

// defineCommit makes the commit. A commit of somebody else's that has the same files, such as one of a merged pull request, is as good.
func (s *source) defineCommit() workflow.Step[Commit] {
	return workflow.Step[Commit]{
		Name:  stepCommit,
		Check: s.committed,
		Do: func(ctx context.Context) (Commit, error) {
			if head, err := s.Repo.Head(ctx); err != nil || head.Branch != s.p.Branch {
				return Commit{}, errors.Join(err, s.otherBranch(head.Branch))
			}
			hash, err := s.Repo.Commit(ctx, s.paths(), s.p.message())
			return Commit{Hash: hash}, err
		},
		Say:   Commit.String,
		Whole: true,
	}
}

func (s *source) otherBranch(branch string) error {
	return operr.NewStopped("`git switch "+operr.Word(s.p.Branch)+"`, and `mage deliver` goes on; `mage deliver -undo` takes it back",
		"the delivery %s is on %s, and %s is checked out", s.p.Label(), s.p.Branch, branch)
}

// committed finds the commit in what is checked out.
func (s *source) committed(ctx context.Context, _ *Commit) (Commit, bool, error) {
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
	made, err := s.Repo.MadeOn(ctx, s.p.Base, head, s.pinned())
	if made == "" {
		made = head // it came by a merge
	}
	return Commit{Hash: made}, err == nil, err
}

// pinned are the files of the pins alone: a lock file need not change.
func (s *source) pinned() (all []string) {
	for _, f := range s.p.Pins.Files {
		all = append(all, s.Store.PathOf(f.Path))
	}
	return all
}

// definePush sends the commit to its branch.
func (s *source) definePush(commit given[Commit]) workflow.Step[Commit] {
	return workflow.Step[Commit]{
		Name: stepPush,
		Check: func(ctx context.Context, _ *Commit) (Commit, bool, error) {
			return s.pushed(ctx, commit.Get().Hash)
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

// pushed reports whether the remote's branch has the commit.
func (s *source) pushed(ctx context.Context, commit string) (Commit, bool, error) {
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

// byPullRequest is the branch that a commit is pushed to where nobody may push to the one that it is for. Each commit has its own: one that was
// merged by a squash, and is still there, takes no other.
func (s *source) byPullRequest(commit string) string {
	return "foopack/deliver-" + s.p.App + "-" + short(commit)
}

// explainPush says what to do after a push that was refused: whether somebody was faster is seen from what the remote has. Where the branch
// takes no push at all, the commit goes to a branch of its own, to be merged.
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
		if err != nil || !ours { // what the remote has may not be here
			return operr.New("`mage deliver -undo`, `git pull`, and deliver again", "somebody has pushed to %s/%s meanwhile: %w", s.p.Remote, s.p.Branch, refused).WithWayOn()
		}
	}
	branch := s.byPullRequest(commit)
	if err := gitremote.Push(ctx, s.Repo, s.p.Remote, commit, branch); err != nil {
		return operr.New("see what git says above", "%s refused the push to %s, and one to %s: %w", s.p.Remote, s.p.Branch, branch, err)
	}
	return operr.NewStopped("have "+branch+" merged into "+s.p.Branch+" by a pull request, `git pull --rebase`, and `mage deliver` goes on",
		"%s takes no push to %s: the commit %s is on %s/%s", s.p.Remote, s.p.Branch, short(commit), s.p.Remote, branch).WithWayOn()
}
