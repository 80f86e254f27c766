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

// State is what is to be done with a package, or was.
type State string

// The states of a package in a delivery.
const (
	Upload  State = "upload"  // the channel has no file of that name
	There   State = "there"   // it has the file, with our bytes
	Kept    State = "kept"    // it has the version, and nothing was built here to compare it with
	Replace State = "replace" // it has the file with other bytes, which are replaced by force
)

// Item is one package in a delivery.
type Item struct {
	Package string
	Level   int // packages of a level need only those of lower ones
	State   State
	Record  condapkg.Record // what the channel has, or will have
	Path    string          // of the artifact; "" where nothing was built here
}

// Delivery says what is to be done with each package, dependencies first.
type Delivery struct {
	Channel string // URL
	Items   []Item
}

// Uploads are the items that are to be sent.
func (p Delivery) Uploads() (items []Item) {
	for _, i := range p.Items {
		if i.State == Upload || i.State == Replace {
			items = append(items, i)
		}
	}
	return items
}

// Records are what the channel is to show once it is sent.
func (p Delivery) Records() (records []condapkg.Record) {
	for _, i := range p.Items {
		records = append(records, i.Record)
	}
	return records
}

// Prepare compares artifacts and channel. Every conflict is in the error: nothing is sent where one part of a release
// cannot follow.
func (p *Publisher) Prepare(ctx context.Context, h Holdings, ready Artifacts) (Delivery, error) {
	delivery := Delivery{Channel: p.Channel.URL()}
	if err := p.onePlatform(h, ready); err != nil {
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

// PrepareFirst makes the delivery for a channel that has nothing yet, of the packages that are ready.
func (p *Publisher) PrepareFirst(ready Artifacts) (Delivery, error) {
	delivery := Delivery{Channel: p.Channel.URL()}
	if err := p.onePlatform(Holdings{}, ready); err != nil {
		return delivery, err
	}
	for level, packages := range p.Workspace.Levels() {
		for _, pkg := range packages {
			a, ok := ready[pkg.Name]
			if !ok {
				return delivery, fmt.Errorf("there is no artifact of %s", pkg.Name)
			}
			if err := checkPlaceholder(pkg, a.Index); err != nil {
				return delivery, err
			}
			delivery.Items = append(delivery.Items, Item{Package: pkg.Name, State: Upload, Level: level, Path: a.Path, Record: record(a)})
		}
	}
	return delivery, nil
}

// onePlatform refuses artifacts that are not noarch: with the file of one platform on the channel, the others would find a
// version that they cannot install. Bytes that the channel has already are left as they are.
func (p *Publisher) onePlatform(h Holdings, ready Artifacts) error {
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
	return operr.New("let it be built as noarch, if it has no compiled code; else keep it in a workspace of its own, and publish it with pixi from a machine of each platform",
		"%s cannot be published, and nothing was sent: only noarch packages are published yet, since a channel would need a package for every platform", strings.Join(files, ", "))
}

func conflictError(delivery Delivery, conflicts []error) error {
	if len(conflicts) == 0 {
		return nil
	}
	var lines []string
	for _, c := range conflicts {
		lines = append(lines, c.Error())
	}
	err := operr.New("raise the version: published bytes are not replaced, and those who locked them would notice; nothing was sent",
		"%s has other bytes than these: %w", delivery.Channel, conflicts[0])
	if len(lines) > 1 {
		err = err.WithDetail(strings.Join(lines, "\n"))
	}
	return err
}

func (p *Publisher) item(ctx context.Context, h Holdings, ready Artifacts, pkg *workspace.Package) (Item, error) {
	a, ok := ready[pkg.Name]
	if !ok {
		return p.kept(ctx, h, pkg)
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
		return p.kept(ctx, h, pkg)
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

// kept takes what the channel has of a package that was not built here: the file of the highest build number, if it is
// what the manifest describes, and not older than the sources.
func (p *Publisher) kept(ctx context.Context, h Holdings, pkg *workspace.Package) (Item, error) {
	item := Item{Package: pkg.Name, State: Kept}
	records := h.Of(pkg.Name, pkg.Version.Text)
	if len(records) == 0 {
		return item, fmt.Errorf("there is neither an artifact of %s nor its version on the channel", pkg.Name)
	}
	item.Record = slices.MaxFunc(records, func(a, b condapkg.Record) int { return int(a.BuildNumber - b.BuildNumber) })
	if err := toolchain.CheckIndex(p.Workspace, pkg, &item.Record.Index, ""); err != nil {
		return item, operr.New("raise the version: what is published stays as it is", "the channel's %s: %w", item.Record.FileName(), err)
	}
	since, err := p.since(ctx, pkg)
	if err != nil {
		return item, err
	}
	if older(item.Record.Index, since) {
		return item, channel.Errorf(channel.ErrExists, "%s on the channel is of %s, and the sources were changed on %s", item.Record.FileName(),
			time.UnixMilli(item.Record.Timestamp).UTC().Format(time.DateTime), since.UTC().Format(time.DateTime))
	}
	return item, nil
}
