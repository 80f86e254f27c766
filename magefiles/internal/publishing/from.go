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

// readHanded reads the digests that were passed, and returns an error if they do not come from a build of this run. If there is only a folder, it
// reads the digests in the folder.
func (p *Publication) readHanded() (err error) {
	if p.flags.Digests == "" {
		if p.flags.From != "" {
			return p.makeDigests()
		}
		return nil
	}
	if p.given, err = publish.ParseDigests(p.flags.Digests); err != nil {
		return err
	}
	const again = "run the whole workflow again, so that all its jobs belong to one run and one commit"
	so := "nothing was sent"
	if p.flags.Verify {
		so = "nothing was checked" // the files are on the channel already
	}
	switch run := p.config.CI.Run; {
	case run == "" && !p.flags.Verify:
		return operr.New("run this command without -digests, because this clone has a record of each package that it built", "-digests is for packages that another CI job built, but this is not a CI job")
	case run != "" && p.given.Run != run:
		return operr.NewStopped(again, "the digests come from the run %q, but this is the run %q; %s", p.given.Run, run, so)
	case p.given.Commit == "":
		return operr.NewStopped("commit the edits, or find out which step of the job edits files", "the packages with these digests were built from uncommitted edits; %s", so)
	case p.given.Commit != p.result.Commit:
		return operr.NewStopped(again, "the digests come from the commit %.12s, but the commit %.12s is checked out; %s", p.given.Commit, p.result.Commit, so)
	}
	return nil
}

// makeDigests reads the digests in the folder, and completes them from this clone's build records.
func (p *Publication) makeDigests() error {
	const next = "build the packages in this clone, from the committed files: `mage build:all`"
	text, err := os.ReadFile(filepath.Join(p.flags.From, publish.DigestsJSON))
	if err != nil {
		return operr.New(next, "reading the digests of the built packages: %w", err)
	}
	d, err := publish.ParseDigests(string(text))
	if err != nil {
		return err
	}
	if p.Builds == nil {
		return operr.New("run `mage publish` without -from, to build the packages and upload them", "-from needs the records of built packages, which this folder does not have, because it is not in a git repository")
	}
	for i, f := range d.Files {
		if d.Files[i], err = p.rebuiltDigest(f); err != nil {
			return err
		}
	}
	p.given, err = p.OfRecords(d)
	return err
}

// rebuiltDigest updates the digest of a file that was built again after the digests were written, for example by `publish`. It returns an error if
// the file does not match its digest and there is no build record for it.
func (p *Publication) rebuiltDigest(f publish.Digest) (publish.Digest, error) {
	path := filepath.Join(p.flags.From, f.File)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		//lint:ignore nilerr Take returns an error for a missing file and for anything but a regular file
		return f, nil
	}
	have, err := condapkg.Identify(path)
	if err != nil || have.SHA256 == f.SHA256 {
		//lint:ignore nilerr Take returns an error for a package that cannot be read
		return f, nil
	}
	r, known, err := p.Builds.Of(have.SHA256)
	if err != nil {
		return f, err
	}
	if !known || r.Package != f.Package || r.File != f.File {
		return f, operr.NewStopped("find out who replaced the file, and build the packages again with `mage build:all`",
			"%s changed after the build: expected sha256 %[3]s, found %[2]s; nothing was sent", f.File, have.SHA256, f.SHA256)
	}
	f.SHA256, f.Size = have.SHA256, have.Size
	return f, nil
}

// take checks the files in the folder and uses them as the artifacts.
func (p *Publication) take(context.Context) (string, error) {
	artifacts, err := p.Take(p.flags.From, p.given)
	if err != nil {
		return "", err
	}
	p.Artifacts = artifacts
	return operr.Count(len(artifacts), "artifact") + ", each with its sha256", nil
}

// compareGiven compares the files on the channel with the digests that were passed.
func (p *Publication) compareGiven() error {
	if p.flags.Digests == "" {
		return nil
	}
	for _, i := range p.Delivery.Items {
		n := slices.IndexFunc(p.given.Files, func(f publish.Digest) bool { return f.Package == i.Package })
		if n < 0 {
			return operr.NewStopped("pass the digests that `mage publish -from` wrote to sent.json", "%s is on the channel, but the digests do not name this file", i.Record.FileName())
		}
		if sent := p.given.Files[n].SHA256; i.Record.SHA256 != sent {
			return operr.NewStopped("find out who replaced this file", "%s on the channel changed after the upload: expected sha256 %[3]s, found %[2]s", i.Record.FileName(), i.Record.SHA256, sent)
		}
	}
	return nil
}

// `publishedDigests` returns the digests of the files that are on the channel now.
func (p *Publication) publishedDigests() publish.Digests {
	d := publish.Digests{Run: p.config.CI.Run, Commit: p.result.Commit, Reproducible: p.given.Reproducible, Files: []publish.Digest{}}
	for _, r := range p.result.Packages {
		d.Files = append(d.Files, publish.Digest{Package: r.Name, File: r.File, SHA256: r.SHA256, Size: r.Size, Tools: p.result.Tools[r.Name]})
	}
	return d
}
