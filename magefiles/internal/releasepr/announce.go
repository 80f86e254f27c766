package releasepr

import (
	"context"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release"
)

// Announce creates the GitHub release of the tag that started the job. The job runs no code of the repository. It uses the files in -from, whose
// digests the upload job has passed in -digests, and the changelog section at the tag.
func (p *Proposer) Announce(ctx context.Context, f publishing.Flags) (Result, error) {
	if f.From == "" || f.Digests == "" || f.Check || f.Verify || f.Force {
		return Result{}, operr.NewUsage("pass only -announce -from=DIR -digests=…", "-announce needs -from and -digests of the uploaded packages, and allows no other flag")
	}
	tag, dir, digests := p.CI.Tag, f.From, f.Digests
	b, err := bumping.Open(ctx, bumping.Config{Runner: p.Runner, Dir: p.Dir, View: p.View, Confirm: p.Confirm})
	if err != nil {
		return Result{}, err
	}
	if b.Repo == nil || tag == "" {
		return Result{}, operr.New("run this command in a job that the push of a tag started", "cannot make a GitHub release, because this run was not started by a tag")
	}
	hub, err := p.Hub(ctx, b.Repo, b.Workspace)
	if err != nil {
		return Result{}, err
	}
	if why := hub.Refuse(); why != "" {
		return Result{}, operr.New("set GITHUB_TOKEN in `env:` of the step, and `permissions: contents: write` for the job", "cannot make a GitHub release: %s", why)
	}
	head, err := b.Repo.Head(ctx)
	if err != nil {
		return Result{}, err
	}
	handed, err := publish.ParseDigests(digests)
	if err != nil {
		return Result{}, err
	}
	if handed.Commit != head.Commit {
		return Result{}, operr.NewStopped("run the whole workflow again, so that all jobs use the same commit", "the digests belong to the commit %.12s, but the commit %.12s is checked out; no GitHub release was made", handed.Commit, head.Commit)
	}
	var items []publish.Published
	files := map[string]string{}
	for _, d := range handed.Files {
		if !release.IsOf(tag, d.Package) {
			continue // the tag does not release this package, so its published files remain as they are
		}
		pkg, err := b.Workspace.Package(d.Package)
		if err != nil {
			return Result{}, err
		}
		path := filepath.Join(dir, filepath.Base(d.File))
		have, err := condapkg.Identify(path)
		if err != nil {
			return Result{}, err
		}
		if have.SHA256 != d.SHA256 {
			return Result{}, operr.NewStopped("find out who replaced the file", "%s changed after the upload: expected sha256 %[3]s, found %[2]s; no GitHub release was made", d.File, have.SHA256, d.SHA256)
		}
		files[d.File] = path
		items = append(items, publish.Published{Name: d.Package, Version: pkg.Version.Text, File: d.File, SHA256: d.SHA256, Size: d.Size})
	}
	notes, file := release.NotesOf(b.Workspace, b.Repo.Prefix, []string{tag})
	made, err := hub.Client.Ensure(ctx, release.Show(hub, tag, head.Commit, items, files, notes, file))
	if err != nil {
		return Result{}, err
	}
	p.View.Heading("%s is released: %s", tag, made.URL)
	return Result{Merged: head.Commit, Tags: []string{tag}, URL: made.URL}, nil
}
