// Package starts reports which workflow files a push would trigger on GitHub, and why not the others.
//
// Package file makes the decision. This package collects the facts about a push: the commit of each ref, its message, its workflow files, and, for a
// branch, the changes since the commit that the remote has.
package starts

import (
	"context"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Push describes a push that was not made.
type Push struct {
	Repo   *gitrepo.Repo
	Remote string   // name of the git remote
	Refs   []string // full refs, or short names of existing tags or branches; none means the current branch
	Since  string   // the commit of the remote's branches; "" means the last known one
}

// Answer lists the workflows that a push would trigger.
type Answer struct {
	Refs []Ref `json:"refs"`
}

// refused begins why a file that GitHub cannot read does not start.
const refused = "GitHub refuses the file: "

// Next returns the next step: to run the first file that starts, on this machine, for the full ref, because a short one may be ambiguous. If a
// branch starts no file, the step shows the first readable file, with the event that triggers it.
func (a Answer) Next() string {
	for _, ref := range a.Refs {
		for _, w := range ref.Workflows {
			if w.Starts {
				return "`mage ci:run " + operr.Word(w.File) + " -ref=" + operr.Word(ref.Ref) + "`"
			}
		}
	}
	if ref := a.Refs[0]; strings.HasPrefix(ref.Ref, branches) {
		for _, w := range ref.Workflows {
			if !strings.HasPrefix(w.Why, refused) {
				return "`mage ci:run " + operr.Word(w.File) + " -what`"
			}
		}
	}
	return "`mage ci:write -diff`"
}

// Ref lists the workflows that a push would trigger for one of its refs.
type Ref struct {
	Ref       string     `json:"ref"` // whole
	Commit    string     `json:"commit"`
	Since     string     `json:"since,omitempty"`   // commit with which a branch is compared; "" for the whole history
	First     bool       `json:"first,omitempty"`   // the remote does not have the branch
	Commits   int        `json:"commits,omitempty"` // number of commits in the push
	Files     []string   `json:"files,omitempty"`   // changed files, relative to the repository root
	Workflows []Workflow `json:"workflows"`
}

// Workflow is a workflow file, as the commit has it.
type Workflow struct {
	File   string `json:"file"` // name of the workflow file
	Starts bool   `json:"starts"`
	Why    string `json:"why,omitempty"` // reason why the workflow does not start
}

const (
	folder   = ".github/workflows"
	branches = "refs/heads/"
	tags     = "refs/tags/"
)

// Ask determines which workflows the push would trigger, for each of its refs.
func (p Push) Ask(ctx context.Context) (answer Answer, err error) {
	names := p.Refs
	if len(names) == 0 {
		head, err := p.Repo.Head(ctx)
		if err != nil {
			return answer, err
		}
		if head.Branch == "" {
			return answer, operr.NewUsage("pass the branch or the tag: -ref=refs/heads/main, or -ref=refs/tags/v1.2.0", "no branch is checked out")
		}
		names = []string{branches + head.Branch}
	}
	of := 0
	for _, name := range names {
		ref, err := p.resolve(ctx, name)
		if err != nil {
			return answer, err
		}
		answer.Refs = append(answer.Refs, ref)
		if strings.HasPrefix(ref.Ref, tags) {
			of++
		}
	}
	for i := range answer.Refs {
		if err := p.decide(ctx, &answer.Refs[i], of); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// versionTag matches the tags that a release makes: v1.2.0, or core/v1.2.0.
var versionTag = regexp.MustCompile(`^(?:[A-Za-z0-9._-]+/)?v\d[0-9A-Za-z.+-]*$`)

// resolve finds a ref and its commit. A ref that does not exist is assumed to be created at HEAD, if it is a full ref or a version tag.
func (p Push) resolve(ctx context.Context, name string) (Ref, error) {
	whole := strings.HasPrefix(name, branches) || strings.HasPrefix(name, tags)
	candidates := []string{tags + name, branches + name}
	if whole {
		candidates = []string{name}
	}
	for _, ref := range candidates {
		commit, err := p.Repo.Resolve(ctx, ref)
		if err == nil {
			return Ref{Ref: ref, Commit: commit}, nil
		}
		if !errors.Is(err, gitrepo.ErrNoCommit) {
			return Ref{}, err
		}
	}
	if !whole && versionTag.MatchString(name) {
		name, whole = tags+name, true
	}
	if !whole {
		return Ref{}, operr.NewUsage("pass the full name, "+tags+name+" or "+branches+name+", to ask about a ref that does not exist yet", "there is no tag and no branch %s", name)
	}
	commit, err := p.Repo.Resolve(ctx, "HEAD")
	return Ref{Ref: name, Commit: commit}, err
}

// decide fills in the changes, and which files start. tags is the number of tags in the push.
func (p Push) decide(ctx context.Context, ref *Ref, tags int) error {
	message, err := p.Repo.MessageOf(ctx, ref.Commit)
	if err != nil {
		return err
	}
	if strings.HasPrefix(ref.Ref, branches) {
		if err := p.compare(ctx, ref); err != nil {
			return err
		}
	}
	files, err := p.Repo.FilesOf(ctx, ref.Commit, folder)
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		return path.Dir(f) != folder || path.Ext(f) != ".yml" && path.Ext(f) != ".yaml"
	})
	texts, err := p.Repo.Contents(ctx, ref.Commit, files...)
	if err != nil {
		return err
	}
	ref.Workflows = []Workflow{}
	for i, f := range files {
		one := Workflow{File: path.Base(f)}
		if strings.HasPrefix(ref.Ref, branches) && !ref.First && ref.Since == ref.Commit {
			one.Why = "the remote already has this commit, so nothing is pushed and GitHub creates no event"
		} else if w, err := file.Read(one.File, texts[i]); err != nil {
			one.Why = refused + strings.ReplaceAll(err.Error(), "\n", "; ")
		} else {
			one.Starts, one.Why = w.Starts(file.Occurrence{
				Event:   "push",
				Ref:     ref.Ref,
				Tags:    tags,
				Message: message,
				Changed: file.Changed{
					Files:   ref.Files,
					Commits: ref.Commits,
				},
			})
		}
		ref.Workflows = append(ref.Workflows, one)
	}
	return nil
}

// compare finds the changes in the push of a branch. GitHub compares a branch that it has with the branch's last commit there, and a new branch with
// the parent of the first commit that was not pushed yet.
func (p Push) compare(ctx context.Context, ref *Ref) (err error) {
	since := p.Since
	if since == "" {
		since = "refs/remotes/" + p.Remote + "/" + strings.TrimPrefix(ref.Ref, branches)
	}
	ref.Since, err = p.Repo.Resolve(ctx, since)
	switch {
	case err == nil:
		if ref.Commits, err = p.Repo.CountAhead(ctx, ref.Commit, ref.Since); err != nil {
			return err
		}
	case !errors.Is(err, gitrepo.ErrNoCommit):
		return err
	case p.Since != "" && strings.Trim(p.Since, "0") != "":
		return operr.NewUsage("pass a commit of this clone, or -since=0000000000000000000000000000000000000000 for the first push of a branch", "this clone has no commit %s", p.Since)
	default:
		ref.First = true
		made, err := p.Repo.Unpushed(ctx, ref.Commit)
		if err != nil || len(made) == 0 {
			ref.Since = ref.Commit
			return err
		}
		ref.Commits = len(made)
		if ref.Since, err = p.Repo.Parent(ctx, made[len(made)-1]); err != nil {
			return err
		}
	}
	if ref.Since == "" {
		ref.Files, err = p.Repo.FilesOf(ctx, ref.Commit)
		return err
	}
	ref.Files, err = p.Repo.ChangedBetween(ctx, ref.Since, ref.Commit)
	return err
}
