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

// Try installs what the delivery sends into a clean environment, and imports it, before anybody else can: what lacks a module is found out
// while nothing is published. A channel of this process has the artifacts for that time; what is kept comes from the channel, as it
// will afterwards. Nothing is tried where nothing is sent.
func (s *Sequence) Try(ctx context.Context) (v Verified, err error) {
	if len(s.Delivery.Uploads()) == 0 {
		return v, nil
	}
	if v.Files, err = s.files(ctx); err != nil {
		return v, err
	}
	if err := s.apart(ctx, s.Delivery, &v); err != nil {
		return v, err
	}
	s.tried = &tried{digests: s.Delivery.digests(), installed: v.Installed}
	return v, s.Publisher.Import(ctx, s.Delivery, &v)
}

// apart is Install from a channel of this process that has the files.
func (s *Sequence) apart(ctx context.Context, delivery Delivery, v *Verified) (err error) {
	dir := filepath.Join(s.Scratch, "channels")
	if err := os.RemoveAll(dir); err != nil { // of a run that was killed
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

// tried is an environment that was made of the artifacts of these digests.
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

// Install is that of the Publisher. The environment in which the same bytes were tried is used again, where it was made of files; one
// that was solved says something of the channel, and is made again. What came back from a private channel is installed from a channel of
// this process: what solves has logins of its own, or none.
func (s *Sequence) Install(ctx context.Context, delivery Delivery, v *Verified) error {
	if s.tried != nil && !s.tried.installed.Solved && slices.Equal(s.tried.digests, delivery.digests()) {
		v.Installed = s.tried.installed
		return nil
	}
	if s.Private(ctx) {
		return s.apart(ctx, delivery, v)
	}
	return s.Publisher.Install(ctx, delivery, v)
}

// Verify is Download, Install and Import, one after the other.
func (s *Sequence) Verify(ctx context.Context, delivery Delivery) (v Verified, err error) {
	for _, step := range []func(context.Context, Delivery, *Verified) error{s.Download, s.Install, s.Import} {
		if err := step(ctx, delivery, &v); err != nil {
			return v, err
		}
	}
	return v, nil
}

// files are those of the delivery on this machine, in its order: of what is kept, as the channel has it.
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
