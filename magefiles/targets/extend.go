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

// Extension is the pipeline for packages of further targets. A magefile that does not import such a package does not link its dependencies.
type Extension struct {
	Workspace *workspace.Workspace
	View      *view.View

	pipeline *pipeline
}

// Extend runs a target of such a package in the workspace, in the same way as a target of this package.
func Extend(ctx context.Context, f func(ctx context.Context, x *Extension) error) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return f(ctx, &Extension{Workspace: w, View: a.view, pipeline: a})
	})
}

// Confirm asks before something outside is changed. Without a terminal it stops unless yes is set.
func (x *Extension) Confirm(ctx context.Context, yes bool, question string) error {
	return x.pipeline.confirm(ctx, yes, question)
}

// Answer shows the result of f: as one JSON object if asJSON is set, and otherwise by show.
func Answer[T any](x *Extension, asJSON bool, f func() (T, error), show func(T)) error {
	return answer(x.pipeline, asJSON, f, show)
}

// Next shows the next step to a person.
func (x *Extension) Next(ctx context.Context, step string) { x.pipeline.next(ctx, step) }

// Variable returns a variable of the environment.
func (*Extension) Variable(name string) (value string, there bool) { return variable(name) }

// SSHLogin returns a private key and lines of known_hosts from the environment; "" if the operator's own files are used.
func (*Extension) SSHLogin() (key, knownHosts string) { return sshLogin() }

// Environ returns the whole environment. A caller that starts a child withholds credentials from it (command.Withhold).
func (x *Extension) Environ() []string { return x.pipeline.runner.Environ() }

// Runner returns the runner that starts children.
func (x *Extension) Runner() command.Runner { return x.pipeline.runner }

// Output returns the output of a person's command. The output is shown to nobody.
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

// Pushed returns the image of a downstream that the registry has: by its digest, by a tag, or the image of HEAD.
func (x *Extension) Pushed(ctx context.Context, d *workspace.Downstream, tag, digest string) (imagejob.Pushed, error) {
	m, err := x.pipeline.images(ctx, x.Workspace)
	if err != nil {
		return imagejob.Pushed{}, err
	}
	return m.Pushed(ctx, d, tag, digest)
}

// VerifyPushed refuses an image of a downstream whose labels or attestations are not as the pipeline's own build makes them.
func (x *Extension) VerifyPushed(ctx context.Context, d *workspace.Downstream, digest string) error {
	m, err := x.pipeline.images(ctx, x.Workspace)
	if err != nil {
		return err
	}
	return m.VerifyPushed(ctx, d, digest)
}

// State returns the folder for the journals of runs. It is in the git folder that all work trees of the clone share.
func (x *Extension) State(ctx context.Context) (string, error) {
	repo, err := gitrepo.Open(ctx, x.pipeline.runner, x.pipeline.dir)
	if err != nil {
		return "", err
	}
	return filepath.Join(repo.Common, folders.State), nil
}

// Operator reports who runs this program, on which machine, and in which run of a CI.
func (*Extension) Operator() (who, machine, run string) { return operator() }

// Version returns the version of this program.
func (*Extension) Version() string { return gomodule.BuiltAs(modulePath) }
