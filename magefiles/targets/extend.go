package targets

import (
	"bytes"
	"context"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Extension is what packages of targets have that a magefile imports by choice, beside this one: what they link, others do not.
type Extension struct {
	Workspace *workspace.Workspace
	View      *view.View

	pipeline *pipeline
}

// Extend runs a target of such a package in the workspace, as those of this package are run.
func Extend(ctx context.Context, f func(ctx context.Context, x *Extension) error) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return f(ctx, &Extension{Workspace: w, View: a.view, pipeline: a})
	})
}

// Confirm asks before something outside is changed; without a terminal it stops unless yes is said.
func (x *Extension) Confirm(ctx context.Context, yes bool, question string) error {
	return x.pipeline.confirm(ctx, yes, question)
}

// Answer shows what f returns: as one JSON object where that is asked for, or else by show.
func Answer[T any](x *Extension, asJSON bool, f func() (T, error), show func(T)) error {
	return answer(x.pipeline, asJSON, f, show)
}

// Variable is a variable of the environment.
func (*Extension) Variable(name string) (value string, there bool) { return variable(name) }

// SSHLogin is a private key and lines of known_hosts that are given by the environment; "" where the operator's count.
func (*Extension) SSHLogin() (key, knownHosts string) { return sshLogin() }

// Environ is the whole environment of children: who starts one withholds credentials from it (command.Withhold).
func (x *Extension) Environ() []string { return x.pipeline.runner.Environ() }

// Runner starts children.
func (x *Extension) Runner() command.Runner { return x.pipeline.runner }

// Output is what a command of the person's prints. Nobody is shown it.
func (x *Extension) Output(ctx context.Context, argv []string) ([]byte, error) {
	var out bytes.Buffer
	err := x.pipeline.runner.Run(ctx, command.Cmd{
		Name:    argv[0],
		Args:    argv[1:],
		Dir:     x.Workspace.Root,
		Stdout:  &out,
		Asks:    true,
		Answers: true,
		Theirs:  true,
	})
	return out.Bytes(), err
}

// Pushed is the image of a downstream that the registry has: by its digest, by a tag, or the one of HEAD.
func (x *Extension) Pushed(ctx context.Context, d *workspace.Downstream, tag, digest string) (imagejob.Pushed, error) {
	m, err := x.pipeline.images(ctx, x.Workspace)
	if err != nil {
		return imagejob.Pushed{}, err
	}
	return m.Pushed(ctx, d, tag, digest)
}

// VerifyPushed refuses an image of a downstream that is not as a build of ours has left it: its labels, and what is attested about it.
func (x *Extension) VerifyPushed(ctx context.Context, d *workspace.Downstream, digest string) error {
	m, err := x.pipeline.images(ctx, x.Workspace)
	if err != nil {
		return err
	}
	return m.VerifyPushed(ctx, d, digest)
}

// State is the folder, in the clone's git folder, for what must be known of a run that was killed.
func (x *Extension) State(ctx context.Context) (string, error) {
	repo, err := gitrepo.Open(ctx, x.pipeline.runner, x.pipeline.dir)
	if err != nil {
		return "", err
	}
	return filepath.Join(repo.Common, folders.State), nil
}

// Operator says who runs us, on which machine, and in which run of a CI.
func (*Extension) Operator() (who, machine, run string) { return operator() }

// Version is that of this program.
func (*Extension) Version() string { return gomodule.BuiltAs(modulePath) }
