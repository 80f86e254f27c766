package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// checkout reads the manifests from the commit, so that edits and ignored files in the work tree do not affect the rehearsal.
func (r *run) checkout(ctx context.Context) (string, error) {
	var err error
	if r.source, err = gitrepo.Open(ctx, r.Runner, r.Root); err != nil {
		return "", err
	}
	if r.head, err = r.source.Head(ctx); err != nil {
		return "", err
	}
	changes, err := r.source.Changes(ctx)
	if err != nil {
		return "", err
	}
	if len(changes) > 0 {
		r.missing("uncommitted changes ("+operr.Abbreviate(changes)+")", "a rehearsal uses only the commit")
	}
	r.clone = filepath.Join(r.Dir, "clone")
	if err := gitclone.Borrow(ctx, r.source, r.clone, r.head.Commit); err != nil {
		return "", err
	}
	r.root = filepath.Join(r.clone, filepath.FromSlash(r.source.Prefix))
	if r.w, err = workspace.LoadAs(r.root, r.Name); err != nil {
		return "", err
	}
	clone, err := gitrepo.Open(ctx, r.Runner, r.clone)
	if err != nil {
		return "", err
	}
	if err := release.Complete(ctx, r.source, clone, r.w); err != nil {
		return "", err
	}
	r.report.Workspace, r.report.Commit = r.w.Manifest.Name, r.head.Commit
	if err := r.begin(ctx); err != nil {
		return "", err
	}
	said := fmt.Sprintf("commit %s of %s: %s, %s", r.head.Short(), r.head.Time.Format(time.DateOnly),
		operr.Count(len(r.w.Packages), "package"), operr.Count(len(r.w.Downstreams), "downstream"))
	if r.unfinished != nil {
		said += fmt.Sprintf("; the release of %s is unfinished here, and its continuation is rehearsed", r.unfinished.Plan.Title)
	}
	if r.landed != nil {
		said += fmt.Sprintf("; %s has landed with this commit and is not tagged, so the rest of the release is rehearsed", strings.Join(r.landed.TagNames(), ", "))
	}
	return said, nil
}

// settle makes the clone like a user's clone: on the branch, up to date with the remote, with an identity for commits and the user's hooks.
func (r *run) settle(ctx context.Context) error {
	if err := r.person(ctx); err != nil {
		return err
	}
	remote := "remote." + r.w.Config.Remote
	for _, args := range [][]string{
		{"-c", "core.hooksPath=" + os.DevNull, "switch", "--quiet", "--force-create=" + r.branch},
		{"config", remote + ".url", r.world.Remote},
		{"config", "--unset-all", "remote.origin.pushurl"}, // a clone that shares objects has this setting
		{"config", remote + ".fetch", "+refs/heads/*:refs/remotes/" + r.w.Config.Remote + "/*"},
		{"config", "core.hooksPath", filepath.Join(r.Dir, hooksDir)},
		{"-c", "core.hooksPath=" + os.DevNull, "fetch", "--quiet", "--prune", "--no-tags", "--", r.w.Config.Remote},
	} {
		if err := r.inClone(ctx, args...); err != nil {
			return err
		}
	}
	if err := r.settleTags(ctx); err != nil {
		return err
	}
	if err := r.settleIdentity(ctx); err != nil {
		return err
	}
	if err := errors.Join(r.takeJournal(), r.mark()); err != nil {
		return err
	}
	return r.shareEnvironments()
}

// mark records in the clone that it may publish only to the world's server. With -keep, the user may look around in the clone.
func (r *run) mark() error {
	file := filepath.Join(r.clone, ".git", folders.State, publishing.RehearsalMark)
	return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(r.world.Prefix.URL), 0o644))
}

func (r *run) inClone(ctx context.Context, args ...string) error {
	if _, err := gitsettings.Ask(ctx, r.Runner, r.gitEnviron(r.Environ), r.clone, args...); err != nil {
		return fmt.Errorf("preparing the clone: %w", err)
	}
	return nil
}

// settleTags deletes all tags from the clone except the remote's and those of an unfinished release. Other tags are on unrelated commits.
func (r *run) settleTags(ctx context.Context) error {
	out, err := r.git(ctx, r.clone, "for-each-ref", "--format=%(refname:strip=2)", "refs/tags")
	if err != nil {
		return err
	}
	for tag := range strings.Lines(out) {
		tag = strings.TrimSpace(tag)
		ours := r.unfinished != nil && slices.Contains(r.unfinished.Plan.Tags, tag)
		if r.remoteTags[tag] == "" && !ours {
			if err := r.inClone(ctx, "-c", "core.hooksPath="+os.DevNull, "update-ref", "-d", "--", "refs/tags/"+tag); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleIdentity sets an identity for commits if neither git's settings nor the environment has one.
func (r *run) settleIdentity(ctx context.Context) error {
	if r.inClone(ctx, "var", "GIT_AUTHOR_IDENT") == nil && r.inClone(ctx, "var", "GIT_COMMITTER_IDENT") == nil {
		return nil
	}
	r.missing("committing under your name", "git has no name or no email address here, but a release needs both: set them with `git config user.name …` and `git config user.email …`")
	return errors.Join(r.inClone(ctx, "config", "user.name", "rehearsal"), r.inClone(ctx, "config", "user.email", "rehearsal@example.invalid"))
}

// shareEnvironments makes the release reuse the environments of earlier rehearsals.
func (r *run) shareEnvironments() error {
	dir, link := filepath.Join(r.Dir, folder.Environments), filepath.Join(r.root, workspace.OutputDir, "release", "environments")
	if err := errors.Join(os.MkdirAll(dir, 0o755), atomicfile.MakeIgnored(filepath.Dir(link))); err != nil {
		return err
	}
	return os.Symlink(dir, link)
}
