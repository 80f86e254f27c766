package publishing

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// BuildAll builds every package into output/, and writes their digests beside them. compare is a folder with what another build of the
// commit made, whose bytes are compared, and handed are the digests that it said it made; both may be "".
func BuildAll(ctx context.Context, c Config, compare, handed string) error {
	output := filepath.Join(c.Workspace.Root, workspace.OutputDir)
	other, err := readOther(compare, handed, output)
	if err != nil {
		return err
	}
	built, err := Build(ctx, c, c.Workspace.Order())
	if err != nil {
		return err
	}
	if err := errors.Join(built.WriteTo(output), c.CI.HandOn(built)); err != nil || other == nil {
		return err
	}
	return c.compare(built, output, other)
}

// Build builds packages into output/, and takes down what was built of what.
func Build(ctx context.Context, c Config, packages []*workspace.Package) (digests publish.Digests, err error) {
	w := c.Workspace
	if err := c.versioned(ctx, packages); err != nil {
		return digests, err
	}
	if err := sources.Whole(ctx, c.Runner, w, packages); err != nil {
		return digests, err
	}
	b, err := c.builder(ctx)
	if err != nil {
		return digests, err
	}
	var built []toolchain.Artifact
	err = c.Job(ctx, "build of "+operr.Count(len(packages), "package"), "", func(log io.Writer) error {
		request := toolchain.Build{
			Workspace:  w,
			Packages:   packages,
			Dir:        b.Output,
			SourceDate: b.Date,
			AnyWheel:   true,
			Sources:    b.From,
		}
		if c.Verbose { // the end of what a builder said stands in its error anyway
			request.Log = log
		}
		built, err = b.Tools.Build(ctx, request)
		return err
	})
	if err != nil {
		return digests, err
	}
	if more := b.sources.Beyond(b.Origin.Commit); b.Origin.Commit != "" && len(more) > 0 {
		c.View.Say("not of the commit, and so never published: it was built with %s", operr.Some(more))
		b.Origin = publish.Origin{}
	}
	if err := b.Record(ctx, built...); err != nil {
		return digests, err
	}
	var rows [][]string
	for _, b := range built {
		rows = append(rows, []string{filepath.Join(workspace.OutputDir, filepath.Base(b.Path)), columns.Size(b.Size), columns.Digest(b.SHA256)})
		c.View.Made(filepath.Base(b.Path), "sha256 "+b.SHA256)
	}
	c.View.Table([]string{"ARTIFACT", "SIZE", "SHA256"}, rows)
	for _, line := range toolchain.BetweenTags(packages, built) {
		c.View.Say("%s", line)
	}
	if b.edited != "" {
		c.View.Say("%s is not committed: what was built is never published", b.edited)
	}
	return b.Digests(ctx, c.CI.Run, built...)
}

// versioned refuses packages in whose manifests pixi finds no version, each with the line to add.
func (c Config) versioned(ctx context.Context, packages []*workspace.Package) error {
	return released.Versioned(ctx, c.Workspace, packages, gitrepo.Tags{Runner: c.Runner, Dir: c.Workspace.Root})
}

// builder is what builds the work tree. Where nothing of it is edited, what it builds is of the commit, and counts for publishing.
type builder struct {
	*publish.Publisher
	sources *sources.Sources // that it gives to builds
	edited  string           // a file that is not as it was committed; "" where there is none
}

func (c Config) builder(ctx context.Context) (*builder, error) {
	w := c.Workspace
	b := &builder{Publisher: &publish.Publisher{Workspace: w, Output: filepath.Join(w.Root, workspace.OutputDir)}}
	var err error
	if b.Tools, err = c.Toolchain(ctx); err != nil {
		return nil, err
	}
	if b.Date, err = c.date(ctx); err != nil {
		return nil, err
	}
	from, err := c.Sources()
	if err != nil {
		return nil, err
	}
	b.sources = from.WorkTree()
	b.From = b.sources
	of, err := c.origin(ctx)
	if errors.Is(err, gitrepo.ErrNoCommit) {
		return b, nil
	}
	if err != nil || of == nil {
		return b, err
	}
	if b.edited = of.edited; b.edited != "" || sources.AllThere(ctx, of.repo, w) != nil {
		//lint:ignore nilerr of what is not all there nothing is recorded
		return b, nil
	}
	b.Origin, b.Builds = of.Origin, of.builds
	tagged, err := ofTags(ctx, of.repo, w, of.Commit)
	if tagged {
		b.sources = from.Commit(of.repo, of.Commit, sources.TagsSeen(w, time.Time{}))
		b.From = b.sources
	}
	return b, err
}

// ofTags reports whether a commit has the tags of all versions that the manifests have: what is built of it is what is published.
func ofTags(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace, commit string) (bool, error) {
	tags, err := repo.Tags(ctx)
	if err != nil {
		return false, err
	}
	for _, t := range bump.PresentTags(w) {
		if tags[t.Name] != commit {
			return false, nil
		}
	}
	return true, nil
}
