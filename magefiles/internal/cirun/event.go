package cirun

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// event returns the requested event, for a commit.
func (c Config) event(ctx context.Context, repo *gitrepo.Repo, head gitrepo.Head, w *file.Workflow, f Flags) (runner.Event, error) {
	e := runner.Event{
		Name:  f.Event,
		SHA:   head.Commit,
		Actor: "octocat",
		Fork:  f.Fork,
	}
	if e.Name == "" {
		e.Name = "push"
	}
	branch := head.Branch
	if branch == "" {
		branch = "main"
	}
	var err error
	if e.Ref, err = fullRef(ctx, repo, w, e.Name, f.Ref, branch); err != nil {
		return e, err
	}
	if e.Fork && e.Name != "pull_request" {
		return e, operr.NewUsage("add -event=pull_request", "-fork is only for the event pull_request, not for %s", e.Name)
	}
	if f.Inputs != "" {
		o, err := object(f.Inputs)
		if err != nil {
			return e, operr.NewUsage(`write the inputs as JSON: -inputs='{"name": "value"}'`, "-inputs: %w", err)
		}
		e.Inputs = map[string]string{}
		for _, k := range o.Keys() {
			v, _ := o.Get(k)
			switch v.(type) {
			case *expression.Array, *expression.Object:
				return e, operr.NewUsage("use a text, a number, true or false for this input", "-inputs: the value of %s is a list or an object", k)
			}
			e.Inputs[k] = expression.Text(v)
		}
	}
	if f.Payload == "" {
		e.Payload, err = payload(ctx, repo, e, branch)
		return e, err
	}
	name := f.Payload
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.Dir, name)
	}
	data, err := os.ReadFile(name)
	if err == nil {
		e.Payload, err = object(string(data))
	}
	if err != nil {
		return e, operr.NewUsage("use a file with the event's payload as JSON, as GitHub sends it to a webhook", "-payload: %w", err)
	}
	return e, nil
}

// goTo switches to the commit of the ref that the user named, if the ref exists, because GitHub runs the file from that commit. A tag takes
// precedence over a branch of the same name.
func (c Config) goTo(ctx context.Context, repo *gitrepo.Repo, head *gitrepo.Head, f Flags) error {
	if f.Ref == "" || refuseRef(f.Ref) != nil {
		//lint:ignore nilerr fullRef reports an invalid name later
		return nil
	}
	names := []string{"refs/tags/" + f.Ref, "refs/heads/" + f.Ref}
	if strings.HasPrefix(f.Ref, "refs/") {
		names = []string{f.Ref}
	}
	for _, name := range names {
		commit, err := repo.Resolve(ctx, name)
		switch {
		case errors.Is(err, gitrepo.ErrNoCommit):
			continue
		case err != nil:
			return err
		case commit != head.Commit:
			c.View.Say("%s is not the checked-out commit: the workflow file of that ref is run", f.Ref)
		}
		head.Commit = commit
		return nil
	}
	return nil
}

// refuseRef rejects invalid ref names.
func refuseRef(name string) error {
	if strings.HasPrefix(name, "-") || strings.ContainsAny(name, " ~^:?*[\\") || strings.Contains(name, "..") {
		return operr.NewUsage("pass the name of a branch or a tag", "%q is not a valid ref name", name)
	}
	return nil
}

// fullRef returns the event's full ref. A short name is a tag if there is such a tag, or if tags trigger the file and there is no such branch.
func fullRef(ctx context.Context, repo *gitrepo.Repo, w *file.Workflow, event, name, branch string) (string, error) {
	if err := refuseRef(name); err != nil {
		return "", err
	}
	switch {
	case name == "" && strings.HasPrefix(event, "pull_request"):
		return "refs/pull/1/merge", nil
	case name == "":
		return "refs/heads/" + branch, nil
	case strings.HasPrefix(name, "refs/heads/"), strings.HasPrefix(name, "refs/tags/"), strings.HasPrefix(name, "refs/pull/"):
		return name, nil
	}
	tags, err := repo.Tags(ctx)
	if err != nil {
		return "", err
	}
	_, isTag := tags[name]
	if !isTag && name != branch {
		_, err := repo.Resolve(ctx, "refs/heads/"+name)
		isTag = err != nil && forTags(w)
	}
	if isTag {
		return "refs/tags/" + name, nil
	}
	return "refs/heads/" + name, ctx.Err()
}

// forTags reports whether a file has a tag filter for pushes.
func forTags(w *file.Workflow) bool {
	return slices.ContainsFunc(w.Events, func(e file.Event) bool { return e.Name == "push" && e.Filters["tags"] != nil })
}

// object parses a JSON object.
func object(text string) (*expression.Object, error) {
	v, err := expression.FromJSON(text)
	if err != nil {
		return nil, err
	}
	o, is := v.(*expression.Object)
	if !is {
		return nil, operr.New("", "the JSON is not an object")
	}
	return o, nil
}

// payload returns the event's webhook payload, limited to the fields that files use.
func payload(ctx context.Context, repo *gitrepo.Repo, e runner.Event, branch string) (*expression.Object, error) {
	full := repository(ctx, repo)
	owner, name, _ := strings.Cut(full, "/")
	usual := defaultBranch(ctx, repo, branch)
	o := expression.NewObject(
		"ref", e.Ref,
		"repository", expression.NewObject("full_name", full, "name", name, "owner", expression.NewObject("login", owner), "default_branch", usual),
		"sender", expression.NewObject("login", e.Actor),
	)
	switch {
	case e.Name == "push":
		before, err := repo.Parent(ctx, e.SHA)
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		if err != nil || before == "" || strings.HasPrefix(e.Ref, "refs/tags/") {
			before = strings.Repeat("0", len(e.SHA))
		}
		o.Set("before", before)
		o.Set("after", e.SHA)
		for _, key := range []string{"created", "deleted", "forced"} {
			o.Set(key, false)
		}
	case strings.HasPrefix(e.Name, "pull_request"):
		side := func(ref, sha, of string, fork bool) *expression.Object {
			return expression.NewObject("ref", ref, "sha", sha, "repo", expression.NewObject("full_name", of, "fork", fork))
		}
		from, topic := full, branch
		if e.Fork {
			from = "somebody/" + name
		}
		if topic == usual {
			topic = "topic"
		}
		base, err := baseOf(ctx, repo, e.SHA, usual)
		if err != nil {
			return nil, err
		}
		o.Set("action", "synchronize")
		o.Set("number", 1.0)
		o.Set("pull_request", expression.NewObject("number", 1.0, "draft", false, "head", side(topic, e.SHA, from, e.Fork), "base", side(usual, base, full, false)))
	}
	return o, nil
}

// defaultBranch returns the remote's default branch as recorded in the clone, or the given branch if it is unknown.
func defaultBranch(ctx context.Context, repo *gitrepo.Repo, branch string) string {
	usual, known, err := repo.Answer(ctx, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
	if _, name, _ := strings.Cut(usual, "/"); err == nil && known && name != "" {
		return name
	}
	return branch
}

// baseOf returns the commit with which a pull request is compared: the commit where it left the branch, or the parent for a commit on the branch
// itself.
func baseOf(ctx context.Context, repo *gitrepo.Repo, commit, branch string) (string, error) {
	tip, err := repo.Resolve(ctx, "refs/remotes/origin/"+branch)
	if err == nil {
		if base, err := repo.MergeBase(ctx, commit, tip); err == nil && base != "" && base != commit {
			return base, nil
		}
	}
	base, err := repo.Parent(ctx, commit)
	if err != nil && ctx.Err() != nil {
		return "", err
	}
	if err != nil { // the commit has no parent
		//lint:ignore nilerr a first commit is compared with itself
		return commit, nil
	}
	return cmp.Or(base, commit), nil
}
