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

// BuildAll builds all packages into output/, and writes their digests next to them. If `compare` is not "", it is a folder with another build of the
// same commit, and the two builds are compared. If `handed` is not "", it has the digests that the job of the other build reported.
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

// Build builds packages into output/, and writes build records.
func Build(ctx context.Context, c Config, packages []*workspace.Package) (digests publish.Digests, err error) {
	w := c.Workspace
	if err := c.checkVersioned(ctx, packages); err != nil {
		return digests, err
	}
	if err := sources.CheckWhole(ctx, c.Runner, w, packages); err != nil {
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
		if c.Verbose { // an error has the end of the builder's output in any case
			request.Log = log
		}
		built, err = b.Tools.Build(ctx, request)
		return err
	})
	if err != nil {
		return digests, err
	}
	if more := b.sources.Beyond(b.Origin.Commit); b.Origin.Commit != "" && len(more) > 0 {
		c.View.Say("the built packages are never published, because the build used files that are not in the commit: %s", operr.Abbreviate(more))
		b.Origin = publish.Origin{}
	}
	if err := b.Record(ctx, built...); err != nil {
		return digests, err
	}
	var rows [][]string
	for _, b := range built {
		rows = append(rows, []string{filepath.Join(workspace.OutputDir, filepath.Base(b.Path)), columns.Size(b.Size), columns.Digest(b.SHA256)})
		c.View.AddMade(filepath.Base(b.Path), "sha256 "+b.SHA256)
	}
	c.View.Table([]string{"ARTIFACT", "SIZE", "SHA256"}, rows)
	for _, line := range toolchain.BetweenTags(packages, built) {
		c.View.Say("%s", line)
	}
	if b.edited != "" {
		c.View.Say("%s is not committed, so the built packages are never published", b.edited)
	}
	return b.Digests(ctx, c.CI.Run, built...)
}

// checkVersioned returns an error if pixi finds no version in the manifests of a package. The error has the line to add to each manifest.
func (c Config) checkVersioned(ctx context.Context, packages []*workspace.Package) error {
	return released.CheckVersioned(ctx, c.Workspace, packages, gitrepo.Tags{Runner: c.Runner, Dir: c.Workspace.Root})
}

// builder builds packages from the work tree. If no source file is edited, the artifacts count as built from the commit, and may be published.
type builder struct {
	*publish.Publisher
	sources *sources.Sources // the sources for builds
	edited  string           // a source file with uncommitted edits; "" if there is none
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
	if b.edited = of.edited; b.edited != "" || sources.CheckPresent(ctx, of.repo, w) != nil {
		//lint:ignore nilerr a package with missing sources is built, but its build is not recorded
		return b, nil
	}
	b.Origin, b.Builds = of.Origin, of.builds
	tagged, err := checkTags(ctx, of.repo, w, of.Commit)
	if tagged {
		b.sources = from.Commit(of.repo, of.Commit, sources.TagsSeen(w, time.Time{}))
		b.From = b.sources
	}
	return b, err
}

// checkTags reports whether the commit has the tags for all versions in the manifests. If so, building the commit produces the packages to be
// published.
func checkTags(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace, commit string) (bool, error) {
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
