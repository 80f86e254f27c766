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
	"strings"

	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// start makes the world, and the clone one of its remote.
func (r *run) start(ctx context.Context) (string, error) {
	c := WorldConfig{
		Dir:        filepath.Join(r.Dir, "world"),
		Runner:     r.Runner,
		Environ:    r.Environ,
		Source:     r.source,
		Branch:     r.branch,
		Channel:    r.w.EmbeddedChannel(),
		Unnamed:    r.w.Config.Channel == "",
		Repository: "rehearsal/" + repositoryName(r.w.Manifest.Name),
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
		r.missing("your channel", "neither PREFIX_CHANNEL nor a manifest names it: a release asks for `channel` in [tool.release]")
	}
	if _, err := gitremote.URL(ctx, r.source, r.w.Config.Remote); errors.Is(err, gitremote.ErrNoRemote) {
		r.missing("that your remote takes the push", "there is none: `git remote add "+operr.Word(r.w.Config.Remote)+" URL`")
	}
	if said := release.NotChecked(r.w); said != "" {
		r.missing("tests", said)
	}
	if r.Builder == nil {
		r.missing("images", "-full makes them by their workflow files, where a builder is there")
		r.missing("deployments", "-full ends with them")
	}
	said := fmt.Sprintf("git remote, %s, GitHub's API at %s", r.world.Prefix.URL, r.world.API)
	if c.CI {
		said += ", and a CI that the channel trusts"
		if why := workflows.Instead(workflows.In(os.DirFS(r.clone)), forge.Workflow); why != "" {
			r.missing("the workflow file that publishes", why+": the embedded CI runs the targets of such jobs itself, and no second build")
		}
	}
	return said, nil
}

// secondBuild is the variable by which release.yml leaves its second build out.
const secondBuild = "REBUILD"

// variables are those of the repository: without -full nothing is built twice.
func (r *run) variables() map[string]string {
	if r.Builder != nil {
		return nil
	}
	return map[string]string{secondBuild: "off"}
}

// by is who publishes.
func (r *run) by() string {
	planned := ""
	if r.unfinished != nil {
		planned = r.unfinished.Plan.Publish
	}
	return cmp.Or(r.Publish, planned, r.w.Config.Publish)
}

// repositoryName is a name that GitHub would take.
func repositoryName(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < 128 && (c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			return c
		}
		return '-'
	}, name)
	if strings.Trim(name, ".") == "" {
		return "workspace"
	}
	return name
}
