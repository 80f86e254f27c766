package publish

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// State is what a delivery does, or did, with a package.
type State string

// The states of a package in a delivery.
const (
	Upload  State = "upload"  // the channel has no file with this name
	There   State = "there"   // the channel already has the file with the same bytes
	Kept    State = "kept"    // the channel has this version, and its file is kept: nothing was built here, or Keeps returned true
	Replace State = "replace" // the channel has the file with other bytes, and Force replaces it
)

// Item is one package in a delivery.
type Item struct {
	Package string
	Level   int // a package depends only on packages of lower levels
	State   State
	Record  condapkg.Record // the channel's record, as it is now or will be after the upload
	Path    string          // path of the artifact; "" if the package is kept
}

// Delivery lists what to do with each package, dependencies first.
type Delivery struct {
	Channel string // URL
	Items   []Item
}

// Uploads returns the items to upload.
func (p Delivery) Uploads() (items []Item) {
	for _, i := range p.Items {
		if i.State == Upload || i.State == Replace {
			items = append(items, i)
		}
	}
	return items
}

// Records returns the records that the channel should have after the upload.
func (p Delivery) Records() (records []condapkg.Record) {
	for _, i := range p.Items {
		records = append(records, i.Record)
	}
	return records
}

// Prepare compares the artifacts with the channel. Its error lists all conflicts. A single conflict stops the whole delivery, so that a release is
// not published in part.
func (p *Publisher) Prepare(ctx context.Context, h Holdings, ready Artifacts) (Delivery, error) {
	delivery := Delivery{Channel: p.Channel.URL()}
	if err := p.refuseOnePlatform(h, ready); err != nil {
		return delivery, err
	}
	var conflicts []error
	for level, packages := range p.Workspace.Levels() {
		for _, pkg := range packages {
			item, err := p.item(ctx, h, ready, pkg)
			if err != nil && !errors.Is(err, channel.ErrExists) {
				return delivery, err
			}
			if err != nil {
				conflicts = append(conflicts, err)
			}
			item.Level = level
			delivery.Items = append(delivery.Items, item)
		}
	}
	return delivery, conflictError(delivery, conflicts)
}

// PrepareFirst prepares a delivery of all packages to an empty channel. Every package must be ready.
func (p *Publisher) PrepareFirst(ready Artifacts) (Delivery, error) {
	delivery := Delivery{Channel: p.Channel.URL()}
	if err := p.refuseOnePlatform(Holdings{}, ready); err != nil {
		return delivery, err
	}
	for level, packages := range p.Workspace.Levels() {
		for _, pkg := range packages {
			a, ok := ready[pkg.Name]
			if !ok {
				return delivery, fmt.Errorf("%s has no built package", pkg.Name)
			}
			if err := checkPlaceholder(pkg, a.Index); err != nil {
				return delivery, err
			}
			delivery.Items = append(delivery.Items, Item{Package: pkg.Name, State: Upload, Level: level, Path: a.Path, Record: record(a)})
		}
	}
	return delivery, nil
}

// refuseOnePlatform returns an error if an artifact is not noarch. If it were published for one platform only, solvers on other platforms could not
// install the new version. Artifacts that the channel already has are ignored.
func (p *Publisher) refuseOnePlatform(h Holdings, ready Artifacts) error {
	var files []string
	for _, pkg := range p.Workspace.Order() {
		a, ok := ready[pkg.Name]
		if !ok || a.Index.Subdir == condapkg.NoarchSubdir || slices.ContainsFunc(h.Records[pkg.Name], func(r condapkg.Record) bool { return r.SHA256 == a.SHA256 }) {
			continue
		}
		files = append(files, a.Index.Subdir+"/"+filepath.Base(a.Path))
	}
	if len(files) == 0 {
		return nil
	}
	return operr.New("if the package has no compiled code, build it as noarch; otherwise move the package to a separate workspace, and publish it with pixi from a machine of each platform",
		"%s cannot be published: only noarch packages can be published, because other packages need a build for each platform; nothing was sent", strings.Join(files, ", "))
}

func conflictError(delivery Delivery, conflicts []error) error {
	if len(conflicts) == 0 {
		return nil
	}
	var lines []string
	for _, c := range conflicts {
		lines = append(lines, c.Error())
	}
	err := operr.New("raise the version: published files are not replaced, because lock files of other people have their sha256",
		"nothing was sent: %s already has a file of the same name with other bytes: %w", delivery.Channel, conflicts[0])
	if len(lines) > 1 {
		err = err.WithDetail(strings.Join(lines, "\n"))
	}
	return err
}

func (p *Publisher) item(ctx context.Context, h Holdings, ready Artifacts, pkg *workspace.Package) (Item, error) {
	a, ok := ready[pkg.Name]
	if !ok {
		return p.checkKept(ctx, h, pkg)
	}
	item := Item{Package: pkg.Name, State: Upload, Path: a.Path, Record: record(a)}
	if err := checkPlaceholder(pkg, a.Index); err != nil {
		return item, err
	}
	have, err := channel.Holds(ctx, p.Channel, a.Index.Subdir, pkg.Name, filepath.Base(a.Path))
	switch {
	case err != nil:
		return item, fmt.Errorf("looking at %s: %w", p.Channel.URL(), err)
	case have == a.SHA256:
		item.State = There
	case p.Keeps != nil && p.Keeps(pkg) && len(h.Of(pkg.Name, a.Index.Version)) > 0:
		return p.checkKept(ctx, h, pkg)
	case have != "" && p.Force:
		item.State = Replace
	case have != "":
		return item, &channel.ExistsError{File: filepath.Base(a.Path), Have: have, Sent: a.SHA256}
	}
	return item, nil
}

func record(a toolchain.Artifact) condapkg.Record {
	return condapkg.Record{Index: a.Index, SHA256: a.SHA256, Size: a.Size}
}

// `checkKept` returns an item that keeps the file on the channel: the one with the highest build number. It returns an error if this file does not
// match the manifest or is older than the sources.
func (p *Publisher) checkKept(ctx context.Context, h Holdings, pkg *workspace.Package) (Item, error) {
	item := Item{Package: pkg.Name, State: Kept}
	records := h.Of(pkg.Name, pkg.Version.Text)
	if len(records) == 0 {
		return item, fmt.Errorf("%s has no built package, and the channel does not have its version either", pkg.Name)
	}
	item.Record = slices.MaxFunc(records, func(a, b condapkg.Record) int { return int(a.BuildNumber - b.BuildNumber) })
	if err := toolchain.CheckIndex(p.Workspace, pkg, &item.Record.Index, ""); err != nil {
		return item, operr.New("raise the version: published files are not replaced", "%s on the channel does not match the manifest: %w", item.Record.FileName(), err)
	}
	since, err := p.sourcesChanged(ctx, pkg)
	if err != nil {
		return item, err
	}
	if older(item.Record.Index, since) {
		return item, channel.Errorf(channel.ErrExists, "%s on the channel was built on %s, but the sources were changed on %s", item.Record.FileName(),
			time.UnixMilli(item.Record.Timestamp).UTC().Format(time.DateTime), since.UTC().Format(time.DateTime))
	}
	return item, nil
}
