// Package starts says which workflow files a push would start on GitHub, and why not the others.
//
// What decides is package file's. Here is what a push is made of: the commit of each ref, its message, the workflow files that it has, and, of a branch,
// what changed since what the remote has.
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

// Push is one that was not made.
type Push struct {
	Repo   *gitrepo.Repo
	Remote string   // name of the git remote
	Refs   []string // whole, or by the short name of a tag or a branch that is there; none is the branch that is checked out
	Since  string   // what the remote's branches are at; "" is what this clone knows of them
}

// Answer is what a push would start.
type Answer struct {
	Refs []Ref `json:"refs"`
}

// Ref is what a push would start for one of its refs.
type Ref struct {
	Ref       string     `json:"ref"` // whole
	Commit    string     `json:"commit"`
	Since     string     `json:"since,omitempty"`   // of a branch: what it is compared with; "" for a history from its first commit
	First     bool       `json:"first,omitempty"`   // the remote does not have the branch
	Commits   int        `json:"commits,omitempty"` // that it brings
	Files     []string   `json:"files,omitempty"`   // that change, from the repository's top
	Workflows []Workflow `json:"workflows"`
}

// Workflow is a workflow file, as the commit has it.
type Workflow struct {
	File   string `json:"file"` // its name
	Starts bool   `json:"starts"`
	Why    string `json:"why,omitempty"` // it does not
}

const (
	folder   = ".github/workflows"
	branches = "refs/heads/"
	tags     = "refs/tags/"
)

// Ask says what the push would start, for each of its refs.
func (p Push) Ask(ctx context.Context) (answer Answer, err error) {
	names := p.Refs
	if len(names) == 0 {
		head, err := p.Repo.Head(ctx)
		if err != nil {
			return answer, err
		}
		if head.Branch == "" {
			return answer, operr.NewUsage("say which: -ref=refs/heads/main, or -ref=refs/tags/v1.2.0", "no branch is checked out")
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

// versionTag is how a tag is called that a release makes: v1.2.0, or core/v1.2.0.
var versionTag = regexp.MustCompile(`^(?:[A-Za-z0-9._-]+/)?v\d[0-9A-Za-z.+-]*$`)

// resolve finds the ref of a name, and the commit that it is at. One that is given whole, or by its name is a version's tag, and is not there, would be
// made at HEAD.
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
		return Ref{}, operr.NewUsage("name it whole, "+tags+name+" or "+branches+name+": then it is as if it were made here", "there is no tag and no branch %s", name)
	}
	commit, err := p.Repo.Resolve(ctx, "HEAD")
	return Ref{Ref: name, Commit: commit}, err
}

// decide fills in what changes, and which files start. tags is how many of them the push brings.
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
			one.Why = "the remote has this commit already: nothing is pushed, and GitHub is sent no event"
		} else if w, err := file.Read(one.File, texts[i]); err != nil {
			one.Why = "GitHub refuses the file: " + strings.ReplaceAll(err.Error(), "\n", "; ")
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

// compare finds what the push of a branch brings. GitHub compares a branch that it has with what it was, and a new one with the parent of the first
// commit that was not pushed yet.
func (p Push) compare(ctx context.Context, ref *Ref) (err error) {
	since := p.Since
	if since == "" {
		since = "refs/remotes/" + p.Remote + "/" + strings.TrimPrefix(ref.Ref, branches)
	}
	ref.Since, err = p.Repo.Resolve(ctx, since)
	switch {
	case err == nil:
		if ref.Commits, err = p.Repo.Ahead(ctx, ref.Commit, ref.Since); err != nil {
			return err
		}
	case !errors.Is(err, gitrepo.ErrNoCommit):
		return err
	case p.Since != "" && strings.Trim(p.Since, "0") != "":
		return operr.NewUsage("name a commit that is here; 0000000000000000000000000000000000000000 is none, for the first push of a branch", "there is no commit %s", p.Since)
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
	ref.Files, err = p.Repo.Between(ctx, ref.Since, ref.Commit)
	return err
}
