package targets

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Build makes conda packages.
type Build mg.Namespace

// All builds every package into output/, and writes their digests beside them.
func (Build) All(ctx context.Context,
	compare *string, // a folder with what another build of the commit made: the bytes are compared
	digests *string, // what that build said it made; in a CI, the output of its job; default: what its folder says
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		output := filepath.Join(w.Root, workspace.OutputDir)
		other, err := readOther(orZero(compare), orZero(digests), output)
		if err != nil {
			return err
		}
		built, err := a.build(ctx, w, w.Order())
		if err != nil {
			return err
		}
		if err := errors.Join(built.WriteTo(output), handOn(built)); err != nil || other == nil {
			return err
		}
		return a.compareBuilds(built, output, other)
	})
}

// Package builds one package, named by its conda name, into output/.
func (Build) Package(ctx context.Context, name string) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		p, err := w.Package(name)
		if err != nil {
			return err
		}
		_, err = a.build(ctx, w, []*workspace.Package{p})
		return err
	})
}

// build builds packages, and takes down what was built of what.
func (a *app) build(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package) (digests publish.Digests, err error) {
	if err := a.versioned(ctx, w, packages); err != nil {
		return digests, err
	}
	if err := sources.Whole(ctx, a.runner, w, packages); err != nil {
		return digests, err
	}
	b, err := a.builder(ctx, w)
	if err != nil {
		return digests, err
	}
	var built []toolchain.Artifact
	err = a.job(ctx, "build of "+operr.Count(len(packages), "package"), "", func(g *group) error {
		request := toolchain.Build{
			Workspace:  w,
			Packages:   packages,
			Dir:        b.Output,
			SourceDate: b.Date,
			AnyWheel:   true,
			Sources:    b.From,
		}
		if a.view.Verbose { // the end of what a builder said stands in its error anyway
			request.Log = g
		}
		built, err = b.Tools.Build(ctx, request)
		return err
	})
	if err != nil {
		return digests, err
	}
	if more := b.sources.Beyond(b.Origin.Commit); b.Origin.Commit != "" && len(more) > 0 {
		a.view.Say("not of the commit, and so never published: it was built with %s", operr.Some(more))
		b.Origin = publish.Origin{}
	}
	if err := b.Record(ctx, built...); err != nil {
		return digests, err
	}
	var rows [][]string
	for _, b := range built {
		rows = append(rows, []string{filepath.Join(workspace.OutputDir, filepath.Base(b.Path)), fmt.Sprint(b.Size), b.SHA256})
	}
	a.view.Table([]string{"ARTIFACT", "BYTES", "SHA256"}, rows)
	for _, line := range toolchain.BetweenTags(packages, built) {
		a.view.Say("%s", line)
	}
	if b.edited != "" {
		a.view.Say("%s is not committed: what was built is never published", b.edited)
	}
	return b.Digests(ctx, runOfCI(), built...)
}

// versioned refuses packages in whose manifests pixi finds no version, each with the line to add.
func (a *app) versioned(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package) error {
	return bump.Versioned(ctx, w, packages, gitrepo.Tags{Runner: a.runner, Dir: w.Root})
}

// builder is what builds the work tree. Where nothing of it is edited, what it builds is of the commit, and counts for publishing.
type builder struct {
	*publish.Publisher
	sources *sources.Sources // that it gives to builds
	edited  string           // a file that is not as it was committed; "" where there is none
}

func (a *app) builder(ctx context.Context, w *workspace.Workspace) (*builder, error) {
	b := &builder{Publisher: &publish.Publisher{Workspace: w, Output: filepath.Join(w.Root, workspace.OutputDir)}}
	var err error
	if b.Tools, err = a.toolchain(ctx, w); err != nil {
		return nil, err
	}
	if b.Date, err = a.sourceDate(ctx, w); err != nil {
		return nil, err
	}
	cache, err := a.cache()
	if err != nil {
		return nil, err
	}
	from := a.sources(w, cache)
	b.sources = from.WorkTree()
	b.From = b.sources
	of, err := a.originOf(ctx, w)
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

// ofTags says whether a commit has the tags of all versions that the manifests have: what is built of it is what is published.
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
