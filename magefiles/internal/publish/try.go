package publish

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// Try installs the delivery's packages into a clean environment and imports them before the upload, so that a package that lacks a module is
// detected before anyone else can install it. All packages are installed from a temporary channel of this process; kept packages are first
// downloaded from the real channel. Try is a no-op if there is nothing to upload.
func (s *Sequence) Try(ctx context.Context) (v Verified, err error) {
	if len(s.Delivery.Uploads()) == 0 {
		return v, nil
	}
	if v.Files, err = s.files(ctx); err != nil {
		return v, err
	}
	if err := s.installLocally(ctx, s.Delivery, &v); err != nil {
		return v, err
	}
	s.tried = &tried{digests: s.Delivery.digests(), installed: v.Installed}
	return v, s.Publisher.Import(ctx, s.Delivery, &v)
}

// `installLocally` copies the files to a temporary channel of this process and installs from there.
func (s *Sequence) installLocally(ctx context.Context, delivery Delivery, v *Verified) (err error) {
	dir := filepath.Join(s.Scratch, "channels")
	if err := os.RemoveAll(dir); err != nil { // left by a killed run
		return err
	}
	trial, end, err := s.Trial(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for _, file := range v.Files {
		u, err := channel.NewUpload(file)
		if err != nil {
			return err
		}
		if _, err := trial.Put(ctx, u); err != nil {
			return err
		}
	}
	of := *s.Publisher
	of.Channel = trial
	return of.Install(ctx, delivery, v)
}

// tried is an environment, with the digests of the artifacts that are installed in it.
type tried struct {
	digests   []string
	installed toolchain.Environment
}

func (p Delivery) digests() (all []string) {
	for _, i := range p.Items {
		all = append(all, i.Record.SHA256)
	}
	return all
}

// Install is like Publisher.Install, but reuses the environment of Try if that environment has the same bytes and was installed without a solver. A
// solved environment also depends on the channel, so Install creates a new one. Packages of a private channel are installed from a temporary channel
// of this process, because the solver may not be logged in.
func (s *Sequence) Install(ctx context.Context, delivery Delivery, v *Verified) error {
	if s.tried != nil && !s.tried.installed.Solved && slices.Equal(s.tried.digests, delivery.digests()) {
		v.Installed = s.tried.installed
		return nil
	}
	if s.Private(ctx) {
		return s.installLocally(ctx, delivery, v)
	}
	return s.Publisher.Install(ctx, delivery, v)
}

// Verify calls Download, Install and Import.
func (s *Sequence) Verify(ctx context.Context, delivery Delivery) (v Verified, err error) {
	for _, step := range []func(context.Context, Delivery, *Verified) error{s.Download, s.Install, s.Import} {
		if err := step(ctx, delivery, &v); err != nil {
			return v, err
		}
	}
	return v, nil
}

// `files` returns the paths of the delivery's files, in the order of its items. It downloads the files that are kept on the channel.
func (s *Sequence) files(ctx context.Context) (files []string, err error) {
	dir := filepath.Join(s.Scratch, "kept")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, err
	}
	for _, i := range s.Delivery.Items {
		if a, ok := s.Artifacts[i.Package]; ok && a.SHA256 == i.Record.SHA256 {
			files = append(files, a.Path)
			continue
		}
		file := filepath.Join(dir, i.Record.FileName())
		if err := channel.Download(ctx, s.Channel, i.Record, file); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
