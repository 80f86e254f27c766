package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// start starts the embedded world, and connects the clone to the embedded remote.
func (r *run) start(ctx context.Context) (string, error) {
	c := WorldConfig{
		Dir:        filepath.Join(r.Dir, "world"),
		Runner:     r.Runner,
		Environ:    r.Environ,
		Source:     r.source,
		Branch:     r.branch,
		Channel:    r.w.EmbeddedChannel(),
		Unnamed:    r.w.Config.Channel == "",
		Repository: "rehearsal/" + server.NameOf(r.w.Manifest.Name),
		Program:    r.Program,
		CI:         r.by() == settings.PublishCI,
		Pycache:    filepath.Join(r.Dir, folder.Environments, "pycache-ci"),
		Tags:       slices.Sorted(maps.Keys(r.remoteTags)),
		Variables:  r.variables(),
		StandIns:   r.w.Config.Actions,
		Past:       r.made,
		Secrets:    map[string]string{"RELEASE_PR_TOKEN": ""},
		JobsOpen:   true,
	}
	if past := r.unfinished; past != nil {
		if past.Did(trace.StepPush) {
			c.Pending = past.Plan.Tags
		} else {
			c.Commit = past.Plan.Base
		}
	}
	if r.Seed != 0 {
		c.Dice, c.Reruns = faults.New(r.Seed, faultRate), 20
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return "", err
	}
	var err error
	if r.world, err = NewWorld(ctx, c); err != nil {
		return "", err
	}
	if err := r.settle(ctx); err != nil {
		return "", err
	}
	if c.Unnamed {
		r.missing("your channel", "neither PREFIX_CHANNEL nor a manifest names the channel: a release needs `channel` in [tool.release]")
	}
	if _, err := gitremote.URL(ctx, r.source, r.w.Config.Remote); errors.Is(err, gitremote.ErrNoRemote) {
		r.missing("whether your remote accepts the push", "the clone has no such remote; add one with `git remote add "+operr.Word(r.w.Config.Remote)+" URL`")
	}
	if said := release.WarnNotChecked(r.w); said != "" {
		r.missing("tests", said)
	}
	if r.Builder == nil {
		r.missing("images", "-full builds the images with their workflow files, if there is a builder")
		r.missing("deployments", "-full also rehearses the deployments, at its end")
	}
	said := fmt.Sprintf("git remote, %s, GitHub's API at %s", r.world.Prefix.URL, r.world.API)
	if c.CI {
		if !r.w.Config.PublishSet && r.Publish == "" && r.unfinished == nil {
			r.report.noCI = forge.Hub{}.FindNoCI(ctx, r.source, r.clone, r.w.Config.Remote)
		}
		said += ", and a CI that the channel trusts"
		if why := workflows.ExplainInstead(workflows.FileReader(os.DirFS(r.clone)), forge.Workflow); why != "" {
			r.missing("the workflow file that publishes", why+"; the embedded CI runs the targets of the usual jobs instead, without a second build")
		}
	}
	return said, nil
}

// secondBuild is the variable that makes release.yml skip its second build.
const secondBuild = "REBUILD"

// variables returns the repository's variables. Without -full, nothing is built twice.
func (r *run) variables() map[string]string {
	if r.Builder != nil {
		return nil
	}
	return map[string]string{secondBuild: "off"}
}

// `by` returns who publishes.
func (r *run) by() string {
	planned := ""
	if r.unfinished != nil {
		planned = r.unfinished.Plan.Publish
	}
	return cmp.Or(r.Publish, planned, r.w.Config.Publish)
}
