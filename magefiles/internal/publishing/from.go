package publishing

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// handed reads the digests that were handed over, and refuses those that no build of this run wrote.
func (p *Publication) handed() (err error) {
	if p.flags.Digests == "" {
		if p.flags.From != "" {
			return p.ofRecords()
		}
		return nil
	}
	if p.given, err = publish.ParseDigests(p.flags.Digests); err != nil {
		return err
	}
	const again = "run the whole workflow again, so that all jobs are of one run, and of one commit"
	so := "nothing was sent"
	if p.flags.Verify {
		so = "nothing was looked at" // what was sent is on the channel
	}
	switch run := p.config.CI.Run; {
	case run == "" && !p.flags.Verify:
		return operr.New("leave -digests out: what was built in this clone is known here", "-digests hands over what another job of a CI's run built, and this is not a run of a CI")
	case run != "" && p.given.Run != run:
		return operr.NewStopped(again, "the digests are of the run %q, and this is the run %q; %s", p.given.Run, run, so)
	case p.given.Commit == "":
		return operr.NewStopped("commit what was edited, or find out what edits it", "what the digests name was built with edits that are not committed; %s", so)
	case p.given.Commit != p.result.Commit:
		return operr.NewStopped(again, "the digests are of the commit %.12s, and %.12s is checked out; %s", p.given.Commit, p.result.Commit, so)
	}
	return nil
}

// ofRecords makes the digests of what lies in the folder, if this clone has records of all of it.
func (p *Publication) ofRecords() error {
	const next = "build it here, from what is committed: `mage build:all`"
	text, err := os.ReadFile(filepath.Join(p.flags.From, publish.DigestsJSON))
	if err != nil {
		return operr.New(next, "it is not said what was built: %w", err)
	}
	d, err := publish.ParseDigests(string(text))
	if err != nil {
		return err
	}
	if p.Builds == nil {
		return operr.New("leave -from out: `mage publish` builds, and sends what it has built", "outside of git nothing is known of what was built")
	}
	for i, f := range d.Files {
		if d.Files[i], err = p.builtSince(f); err != nil {
			return err
		}
	}
	p.given, err = p.OfRecords(d)
	return err
}

// builtSince is a file as it lies in the folder, where it was built again after the digests were written: by `publish`, for example.
// Where there is no record of what lies there, it is what the digests say that it was.
func (p *Publication) builtSince(f publish.Digest) (publish.Digest, error) {
	path := filepath.Join(p.flags.From, f.File)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		//lint:ignore nilerr Take says what it thinks of that
		return f, nil
	}
	have, err := condapkg.Identify(path)
	if err != nil || have.SHA256 == f.SHA256 {
		//lint:ignore nilerr Take says what it thinks of one that cannot be read
		return f, nil
	}
	r, known, err := p.Builds.Of(have.SHA256)
	if err != nil {
		return f, err
	}
	if !known || r.Package != f.Package || r.File != f.File {
		return f, operr.NewStopped("`mage build:all` makes it again; if nobody has built here since, find out who has replaced it",
			"%s has sha256 %s, and the build made %s; nothing was sent", f.File, have.SHA256, f.SHA256)
	}
	f.SHA256, f.Size = have.SHA256, have.Size
	return f, nil
}

// take takes the files of the folder.
func (p *Publication) take(context.Context) (string, error) {
	artifacts, err := p.Take(p.flags.From, p.given)
	if err != nil {
		return "", err
	}
	p.Artifacts = artifacts
	return operr.Count(len(artifacts), "artifact") + ", each with its sha256", nil
}

// asGiven compares what the channel has with the digests that were handed over.
func (p *Publication) asGiven() error {
	if p.flags.Digests == "" {
		return nil
	}
	for _, i := range p.Delivery.Items {
		n := slices.IndexFunc(p.given.Files, func(f publish.Digest) bool { return f.Package == i.Package })
		if n < 0 {
			return operr.NewStopped("hand over what `mage publish -from` wrote (sent.json)", "the digests do not name %s, which the channel has", i.Record.FileName())
		}
		if sent := p.given.Files[n].SHA256; i.Record.SHA256 != sent {
			return operr.NewStopped("find out who has replaced it", "%s on the channel has sha256 %s, and %s was sent", i.Record.FileName(), i.Record.SHA256, sent)
		}
	}
	return nil
}

// sent are the digests of what the channel has now.
func (p *Publication) sent() publish.Digests {
	d := publish.Digests{Run: p.config.CI.Run, Commit: p.result.Commit, Reproducible: p.given.Reproducible, Files: []publish.Digest{}}
	for _, r := range p.result.Packages {
		d.Files = append(d.Files, publish.Digest{Package: r.Name, File: r.File, SHA256: r.SHA256, Size: r.Size, Tools: p.result.Tools[r.Name]})
	}
	return d
}
