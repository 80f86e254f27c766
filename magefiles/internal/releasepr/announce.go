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

// Announce makes the GitHub release of the tag that started a job, which runs no code of the repository: with the files of -from, each with the digest
// that the job which uploaded has handed over by -digests, and the changelog's section as the tag has it.
func (p *Proposer) Announce(ctx context.Context, f publishing.Flags) (Result, error) {
	if f.From == "" || f.Digests == "" || f.Check || f.Verify || f.Force {
		return Result{}, operr.NewUsage("say -announce -from=DIR -digests=… alone", "-announce takes what was uploaded")
	}
	tag, dir, digests := p.CI.Tag, f.From, f.Digests
	b, err := bumping.Open(ctx, bumping.Config{Runner: p.Runner, Dir: p.Dir, View: p.View, Confirm: p.Confirm})
	if err != nil {
		return Result{}, err
	}
	if b.Repo == nil || tag == "" {
		return Result{}, operr.New("run it in the job of a run for a tag", "there is no tag that started this: no GitHub release is made")
	}
	hub, err := p.Hub(ctx, b.Repo, b.Workspace)
	if err != nil {
		return Result{}, err
	}
	if why := hub.Refuse(); why != "" {
		return Result{}, operr.New("give the step GITHUB_TOKEN, and the job `permissions: contents: write`", "no GitHub release is made: %s", why)
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
		return Result{}, operr.NewStopped("run the whole workflow again, so that all jobs are of one commit", "the digests are of the commit %.12s, and %.12s is checked out; no GitHub release was made", handed.Commit, head.Commit)
	}
	var items []publish.Published
	files := map[string]string{}
	for _, d := range handed.Files {
		if !release.IsOf(tag, d.Package) {
			continue // it stays as it was published, whatever this commit would make of it
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
			return Result{}, operr.NewStopped("find out who has replaced it", "%s has sha256 %s, and %s was uploaded; no GitHub release was made", d.File, have.SHA256, d.SHA256)
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
