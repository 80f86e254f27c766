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

// Verified is what came back from the channel.
type Verified struct {
	Files     []string // downloaded and compared, in the order of the delivery
	Installed toolchain.Environment
	Imports   map[string][]string // the modules that were imported, by package; none of one that has none
}

// Imported counts the packages of which something was imported.
func (v Verified) Imported() (n int) {
	for _, modules := range v.Imports {
		n += min(1, len(modules))
	}
	return n
}

// How says how the environment was made.
func (v Verified) How() string {
	if v.Installed.Solved {
		return "a clean environment, solved by pixi"
	}
	return "a clean environment: the artifacts' files, and PyPI for what they depend on"
}

// Download fetches every file of the delivery and compares it with what was built and tested, or, for one that was kept,
// with the index: sha256, and what info/index.json says.
func (p *Publisher) Download(ctx context.Context, delivery Delivery, v *Verified) error {
	dir := filepath.Join(p.Scratch, "downloads")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	for _, i := range delivery.Items {
		file := filepath.Join(dir, i.Record.FileName())
		if err := channel.Download(ctx, p.Channel, i.Record, file); err != nil {
			return operr.New("look at it on the channel before anyone installs it", "%w", err)
		}
		got, err := condapkg.Identify(file)
		if err != nil {
			return err
		}
		if err := sameIndex(i.Record.Index, got.Index); err != nil {
			return operr.New("look at it on the channel before anyone installs it", "%s came back changed: %w", i.Record.FileName(), err)
		}
		v.Files = append(v.Files, file)
	}
	return nil
}

// Install makes a clean environment from what came back, for this machine.
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

// here reports whether a package can be installed on this machine.
func here(r condapkg.Record) bool {
	return r.Subdir == condapkg.NoarchSubdir || r.Subdir == workspace.HostPlatform()
}

// otherChannels are the workspace's channels, for everything that is not ours.
func (p *Publisher) otherChannels() []string {
	return slices.DeleteFunc(slices.Clone(p.Workspace.Manifest.Channels), func(c string) bool {
		return path.Base(strings.TrimRight(c, "/")) == path.Base(p.Channel.URL())
	})
}
