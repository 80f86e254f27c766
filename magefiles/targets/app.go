package targets

import (
	"context"
	"path/filepath"
	"strconv"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// App does what the downstreams need that take the packages from the channel.
type App mg.Namespace

// Upgrade moves the downstreams' pins. They go to the newest version on the channel, or to one that is named. For example: `mage app:upgrade`, `mage
// app:upgrade -to=0.2.0`.
func (App) Upgrade(ctx context.Context,
	to *string, // this version, which may be an older one; the channel is then not asked
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
				return
			}
			a.view.Heading("changed; nothing is committed")
			a.view.Next("`mage app:check`, then `git commit`")
		})
	})
}

// Check runs a downstream's task check. It gets the packages that it pins, from the channel. For example: `mage app:check`, `mage app:check -local`.
func (App) Check(ctx context.Context,
	local *bool, // with the workspace's own packages in place of the channel's
	only *string, // one downstream, by its name or folder; default: the only one that has the task
) error {
	return inWorkspace(ctx, downstreamTask("check", isSet(local), orZero(only)))
}

// Run runs a downstream's task run. It gets the packages that it pins, from the channel. For example: `mage app:run`, `mage app:run -local`.
func (App) Run(ctx context.Context,
	local *bool, // with the workspace's own packages in place of the channel's
	only *string, // one downstream, by its name or folder; default: the only one that has the task
) error {
	return inWorkspace(ctx, downstreamTask("run", isSet(local), orZero(only)))
}

// Dashboard runs a downstream's dashboard. It goes on until Ctrl-C, with the packages that it pins, from the channel. For example: `mage
// app:dashboard`, `mage app:dashboard -local`.
func (App) Dashboard(ctx context.Context,
	local *bool, // with the workspace's own packages in place of the channel's
	port *int, // to listen on, which the task is given as --port; default: the task's own; 0 is any free one
	only *string, // one downstream, by its name or folder; default: the only one that has the task
) error {
	var args []string
	if port != nil {
		if *port < 0 || *port > 65535 {
			return operr.NewUsage("say a number from 0 to 65535", "-port=%d is no port", *port)
		}
		args = []string{"--port=" + strconv.Itoa(*port)}
	}
	return inWorkspace(ctx, downstreamTask("dashboard", isSet(local), orZero(only), args...))
}

// downstreamTask runs a task of a downstream as if it had been started by hand: what it prints is seen at once.
func downstreamTask(name string, local bool, only string, args ...string) body {
	return func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		d, err := toolchain.DownstreamWith(w, name, only)
		if err != nil {
			return err
		}
		if name != "check" {
			a.runner.Watch(command.Silence{}) // it may be a server, and a person is there
		}
		tools, err := a.toolchain(ctx, w)
		if err != nil {
			return err
		}
		channel := a.channels.NameOf(w)
		supply := &toolchain.Supply{Workspace: w, Sources: local, Channel: channel, Moved: a.channels.Moved(d.Manifest.Channels, channel)}
		if local {
			a.view.Say("%s runs with the workspace's own packages, whatever it pins", d.Name())
		}
		err = tools.Run(ctx, toolchain.Task{
			Dir:    filepath.Join(w.Root, filepath.FromSlash(d.Dir)),
			Name:   name,
			Args:   args,
			Supply: supply,
			Stdout: a.view.Out,
			Stderr: a.view.Err,
		})
		if ctx.Err() != nil {
			return err
		}
		return ofChild(err, "see above", "task "+name+" of "+d.Name())
	}
}
