package targets

import (
	"context"
	"strconv"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// App does what the downstreams need that take the packages from the channel.
type App mg.Namespace

// Upgrade moves the downstreams' pins. They move to the newest version on the channel, or to the version in -to. For example: `mage app:upgrade`,
// `mage app:upgrade -to=0.2.0`. Exit statuses: mage help app:upgrade.
func (App) Upgrade(ctx context.Context,
	to *string, // this version, which may be an older one; the channel is then not queried
	only *string, // one downstream, by its name or folder; default: all
	ranges *string, // raise: raise ranges that would not admit the new version
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		f := bumpFlags{to: to, only: only, ranges: ranges, asJSON: json, assumed: yes}
		req, err := f.request()
		if err != nil {
			return err
		}
		b, err := a.bumping(ctx, f)
		if err != nil {
			return err
		}
		return answer(a, isSet(json), func() (bump.Result, error) {
			p, err := b.Upgrade(ctx, req, ourchannel.Available{Channels: a.channels, Name: a.channels.NameOf(b.Workspace)})
			return bump.Result{Plan: p}, err
		}, func(r bump.Result) {
			if r.Plan.Empty() {
				b.Show(r)
				a.next(ctx, "`mage app:check`")
				return
			}
			a.view.Heading("changed; nothing is committed")
			a.view.Next("`mage app:check`, then `git commit -a`")
		})
	})
}

// Check runs the task check of a downstream. The task uses the packages that the downstream pins, from the channel. For example: `mage app:check`,
// `mage app:check -local`. Exit statuses: mage help app:check.
func (App) Check(ctx context.Context,
	local *bool, // use the workspace's packages instead of those on the channel
	only *string, // one downstream, by its name or folder; default: the only one that has the task
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		err := downstreamTask("check", isSet(local), orZero(only))(ctx, a, w)
		if err == nil {
			a.next(ctx, nextstep.AfterCheck(ctx, a.runner, w, orZero(only)))
		}
		return err
	})
}

// Run runs the task run of a downstream. The task uses the packages that the downstream pins, from the channel. For example: `mage app:run`, `mage
// app:run -local`. Exit statuses: mage help app:run.
func (App) Run(ctx context.Context,
	local *bool, // use the workspace's packages instead of those on the channel
	only *string, // one downstream, by its name or folder; default: the only one that has the task
) error {
	return inWorkspace(ctx, downstreamTask("run", isSet(local), orZero(only)))
}

// Dashboard runs a downstream's dashboard. It runs until Ctrl-C, with the packages that the downstream pins, from the channel. For example: `mage
// app:dashboard`, `mage app:dashboard -local`. Exit statuses: mage help app:dashboard.
func (App) Dashboard(ctx context.Context,
	local *bool, // use the workspace's packages instead of those on the channel
	port *int, // port to listen on, passed to the task as --port; default: the task's own; 0 means any free port
	only *string, // one downstream, by its name or folder; default: the only one that has the task
) error {
	var args []string
	if port != nil {
		if *port < 0 || *port > 65535 {
			return operr.NewUsage("use a number from 0 to 65535", "-port=%d is not a port", *port)
		}
		args = []string{"--port=" + strconv.Itoa(*port)}
	}
	return inWorkspace(ctx, downstreamTask("dashboard", isSet(local), orZero(only), args...))
}

// downstreamTask runs a downstream's task as if the user had started it: output is not buffered.
func downstreamTask(name string, local bool, only string, args ...string) body {
	return func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		d, err := toolchain.DownstreamWith(w, name, only)
		if err != nil {
			return err
		}
		if name != "check" {
			a.runner.Watch(command.Silence{}) // the task may be a server, which the user stops
		}
		tools, err := a.toolchain(ctx, w)
		if err != nil {
			return err
		}
		channel := a.channels.NameOf(w)
		supply := toolchain.Supply{Workspace: w, Sources: local, Channel: channel, Moved: a.channels.Redirects(d.Manifest.Channels, channel)}
		if local {
			a.view.Say("%s runs with the packages of this workspace, not with the versions in its pins", d.Name())
		}
		return toolchain.RunTaskOf(ctx, tools, d, supply, toolchain.Task{Name: name, Args: args, Stdout: a.view.Out, Stderr: a.view.Err})
	}
}
