package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Verified holds the results of verifying a delivery.
type Verified struct {
	Files     []string // paths of the downloaded files, in the order of the delivery
	Installed toolchain.Environment
	Imports   map[string][]string // imported modules by package; empty for a package without modules
}

// Imported returns the number of packages that have an imported module.
func (v Verified) Imported() (n int) {
	for _, modules := range v.Imports {
		n += min(1, len(modules))
	}
	return n
}

// How describes how the environment was created.
func (v Verified) How() string {
	if v.Installed.Solved {
		return "a clean environment, solved by pixi"
	}
	return "a clean environment: the artifacts' files, and PyPI for their dependencies"
}

// Download downloads every file of the delivery. It compares sha256 and info/index.json with the artifact that was built and tested, or, for a kept
// file, with the channel's index.
func (p *Publisher) Download(ctx context.Context, delivery Delivery, v *Verified) error {
	dir := filepath.Join(p.Scratch, "downloads")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	for _, i := range delivery.Items {
		file := filepath.Join(dir, i.Record.FileName())
		if err := channel.Download(ctx, p.Channel, i.Record, file); err != nil {
			return operr.New("look at this file on the channel before anyone installs it", "%w", err)
		}
		got, err := condapkg.Identify(file)
		if err != nil {
			return err
		}
		if err := sameIndex(i.Record.Index, got.Index); err != nil {
			return operr.New("look at this file on the channel before anyone installs it", "%s was downloaded again, and differs from the uploaded file: %w", i.Record.FileName(), err)
		}
		v.Files = append(v.Files, file)
	}
	return nil
}

// Install creates a clean environment with the downloaded packages that can be installed on this machine.
func (p *Publisher) Install(ctx context.Context, delivery Delivery, v *Verified) (err error) {
	dir := filepath.Join(p.Scratch, "environment")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	install := toolchain.Install{
		Dir:      dir,
		Channels: append([]string{p.Channel.URL()}, p.otherChannels()...),
		Log:      p.Log,
	}
	for n, i := range delivery.Items {
		if here(i.Record) {
			install.Specs = append(install.Specs, fmt.Sprintf("%s ==%s", i.Package, i.Record.Version))
			install.Artifacts = append(install.Artifacts, v.Files[n])
		}
	}
	v.Installed, err = p.Tools.Install(ctx, install)
	return err
}

// `here` reports whether a package can be installed on this machine.
func here(r condapkg.Record) bool {
	return r.Subdir == condapkg.NoarchSubdir || r.Subdir == workspace.HostPlatform()
}

// otherChannels returns the workspace's channels other than ours.
func (p *Publisher) otherChannels() []string {
	return slices.DeleteFunc(slices.Clone(p.Workspace.Manifest.Channels), func(c string) bool {
		return path.Base(strings.TrimRight(c, "/")) == path.Base(p.Channel.URL())
	})
}
