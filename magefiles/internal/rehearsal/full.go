package rehearsal

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/images"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// upgrading is the state of pushing the upgraded downstreams, including the runs and deliveries that the push starts.
type upgrading struct {
	*run

	w       *workspace.Workspace // workspace after the upgrade
	event   workflows.Event
	started workflows.Started
	images  *images.Images
}

// `full` pushes the upgraded downstreams, runs the workflow files that this starts, and delivers to hosts.
func (r *run) full(ctx context.Context) error {
	u := &upgrading{run: r}
	if err := u.commit(ctx); err != nil {
		return err
	}
	var err error
	if u.w, err = workspace.LoadAs(r.root, r.Name); err != nil {
		return err
	}
	if u.images, err = images.Start(ctx, r.Builder, r.Registry, filepath.Join(r.Dir, "images"), r.Environ, r.world.token, r.world.packages); err != nil {
		return err
	}
	defer u.images.End()
	r.further = append(r.further, u.images.Environ()...)
	u.event.Further, u.event.Home = append(u.event.Further, u.images.OfJobs()...), u.images.Furnish
	u.event.Logins = map[string]string{settings.GitHubRegistry: u.images.Host}
	for _, d := range u.w.Downstreams {
		if d.Image != nil {
			u.event.Logins[d.Image.Host()] = u.images.Host
		}
	}
	if u.images.Why != "" {
		r.missing("images", u.images.Why+": stand-ins with the same labels and platforms are pushed instead")
	}
	if u.event.Before == u.event.Commit {
		r.missing("the push of "+r.branch, "no downstream was upgraded, so there is nothing to push")
		return nil
	}
	if r.landsByPull() {
		if err := r.world.Bare().Guard(""); err != nil {
			return err
		}
		r.missing("the pull request of the upgrade", r.branch+" gets the upgrade by a push here, which starts the same workflows as a merge")
	}
	if u.started, err = r.world.files.OnPush(ctx, u.event); err != nil {
		return err
	}
	for _, left := range u.started.Left {
		r.missing(left[0], left[1])
	}
	if len(u.started.Files) > 0 {
		r.missing("the push of the release's own commit to "+r.branch, "the workflows that this push starts are rehearsed only for the next push")
	}
	if err := u.buildByHand(ctx); err != nil {
		return err
	}
	return u.deliver(ctx)
}

// commit commits the upgrade, and determines the commits before and after the push.
func (u *upgrading) commit(ctx context.Context) error {
	changed, err := u.git(ctx, u.clone, "status", "--porcelain", "--untracked-files=no")
	if err == nil && changed != "" {
		_, err = gitsettings.Ask(ctx, u.Runner, u.gitEnviron(u.Environ), u.clone, "commit", "--quiet", "--all", "--message=chore: upgrade the downstreams")
	}
	if err != nil {
		return fmt.Errorf("committing the upgrade: %w", err)
	}
	u.event = workflows.Event{
		Name:    "push",
		Branch:  u.branch,
		Attempt: 1,
	}
	if u.event.Commit, err = u.git(ctx, u.clone, "rev-parse", "HEAD"); err != nil {
		return err
	}
	if u.event.Before, err = u.tip(ctx); err != nil {
		return err
	}
	// Push the parent commit first, because workflow files are read from the remote.
	return u.inClone(ctx, "push", "--quiet", "--no-verify", "--", u.world.Remote, u.event.Commit+":refs/rehearsal/upgrade")
}

// tip returns the commit of the remote's branch.
func (u *upgrading) tip(ctx context.Context) (string, error) {
	return u.world.gitAtRemote(ctx, "rev-parse", "refs/heads/"+u.branch)
}

// `buildByHand` builds the images that no workflow file builds, as a user would on this machine.
func (u *upgrading) buildByHand(ctx context.Context) error {
	for _, d := range u.w.Downstreams {
		if d.Image == nil || u.started.Makes(d.Dir, d.Name()) {
			continue
		}
		err := u.step(d.Name()+": image", func() (string, error) {
			_, err := u.mage(ctx, "docker:image", d.Dir, "-push", "-yes", "-json")
			return "by `mage docker:image " + operr.Word(d.Dir) + " -push`, because no workflow file builds it", err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// push pushes the branch. It is only called if there is no delivery, which would push it.
func (u *upgrading) push(ctx context.Context) error {
	return u.step("push the upgrade", func() (string, error) {
		err := u.inClone(ctx, "push", "--quiet", "--no-verify", "--", u.world.Remote, u.event.Commit+":refs/heads/"+u.branch)
		return "to " + u.branch, err
	})
}

// runBeside calls a function that pushes the branch. Concurrently, it runs the workflow files that the push triggers, and waits for them. A failed
// run stops the other runs and the function.
func (u *upgrading) runBeside(ctx context.Context, do func(ctx context.Context) error) error {
	inside, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ci sync.WaitGroup
	ci.Go(func() {
		if err := u.runs(inside, cancel); err != nil {
			cancel(err)
		}
	})
	err := do(inside)
	if err != nil {
		cancel(err)
	}
	if err == nil && len(u.started.Files) > 0 {
		err = u.step("the workflow files of the push", func() (string, error) {
			ci.Wait()
			if cause := context.Cause(inside); cause != nil {
				return "", cause
			}
			return u.started.String(), nil
		})
	}
	ci.Wait()
	if cause := context.Cause(inside); cause != nil && ctx.Err() == nil {
		err = cause
	}
	u.report.Jobs = u.world.Jobs()
	u.takeRuns()
	return err
}

// `runs` waits for the push, then runs the workflow files that it triggers. The first failure stops the others.
func (u *upgrading) runs(ctx context.Context, end context.CancelCauseFunc) error {
	_, err := pause.Wait{First: 50 * time.Millisecond, Times: 1}.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		at, err := u.tip(ctx)
		return pause.Seen{Done: at == u.event.Commit}, err
	})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, name := range u.started.Files {
		all.Go(func() {
			if err := u.world.runOf(ctx, name, u.event); err != nil {
				end(err)
			}
		})
	}
	all.Wait()
	return nil
}

// runOf runs a workflow file for the push of a branch.
func (w *World) runOf(ctx context.Context, name string, e workflows.Event) error {
	job := w.attempts(ctx, name, e, func(e workflows.Event) Job { return w.runFile(ctx, name, e) })
	if !job.OK && ctx.Err() == nil {
		return operr.New("", "the run of %s for the push of %s failed", name, e.Branch).WithDetail(job.Log)
	}
	return nil
}
