package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Sent lists the release's files on the channel.
type Sent struct {
	Channel string              `json:"channel"` // URL
	By      string              `json:"by"`      // who uploaded the files, if known
	Items   []publish.Published `json:"items"`   // dependencies first
}

func (p Sent) String() string {
	return fmt.Sprintf("%s on %s, sent by %s", operr.Count(len(p.Items), "file"), p.Channel, p.By)
}

// definePublish defines the step that publishes the packages: it uploads them from this machine, or waits until a CI has uploaded them.
func (r *Release) definePublish(planned given[*plan.Plan], commit given[trace.Commit], built given[Artifacts], shop *workshop) workflow.Step[Sent] {
	// ready returns who publishes, and the artifacts to upload from this machine, if any.
	ready := func() (a Artifacts, by string) {
		by = r.By(planned.Get())
		if by == settings.PublishHere && built.Known() {
			a = built.Get()
		}
		return a, by
	}
	check := func(ctx context.Context, before *Sent) (Sent, bool, error) {
		a, by := ready()
		return isPublished(ctx, by, a, shop, before)
	}
	return workflow.Step[Sent]{
		Name:  trace.StepPublish,
		Check: check,
		Do: func(ctx context.Context) (Sent, error) {
			a, by := ready()
			if by == settings.PublishCI {
				return r.watchCI(planned.Get(), commit.Get()).waitForChannel(ctx, shop, check)
			}
			return send(ctx, a, shop)
		},
		Say:   Sent.String,
		Waits: true,
	}
}

// isPublished reports whether the channel has every package of the workspace, and with the same content as the artifacts in `ready`.
func isPublished(ctx context.Context, publisher string, ready Artifacts, shop *workshop, before *Sent) (Sent, bool, error) {
	s, _, err := shop.openSequence(ctx)
	if err != nil {
		return Sent{}, false, err
	}
	whole, err := decide(ctx, s, ready, shop)
	if err != nil || !whole || len(s.Delivery.Uploads()) > 0 {
		return Sent{}, false, err
	}
	by := "CI"
	switch {
	case before != nil:
		by = before.By
	case publisher == settings.PublishHere:
		by = "an earlier run"
	}
	return Sent{Channel: s.Channel.URL(), By: by, Items: s.Published(s.Delivery)}, true, nil
}

// decide plans the uploads. It returns false if the channel lacks a package that is not among the artifacts.
func decide(ctx context.Context, s *publish.Sequence, ready Artifacts, shop *workshop) (whole bool, err error) {
	files, err := shop.artifacts(ctx, ready)
	if err != nil {
		return false, err
	}
	if err := s.Look(ctx, files); err != nil || len(s.Missing) > 0 {
		return false, err
	}
	return true, s.Decide(ctx)
}

// send uploads the artifacts in `ready` that the channel lacks.
func send(ctx context.Context, ready Artifacts, shop *workshop) (Sent, error) {
	s, _, err := shop.openSequence(ctx)
	if err != nil {
		return Sent{}, err
	}
	access, err := s.Channel.Authorize(ctx)
	if err != nil {
		return Sent{}, err
	}
	whole, err := decide(ctx, s, ready, shop)
	if err != nil {
		return Sent{}, err
	}
	if !whole {
		return Sent{}, operr.New("run this command again to build the missing package again", "a package that was built, but is not on the channel yet, is missing in %s", s.Output)
	}
	if _, err := s.Send(ctx); err != nil {
		return Sent{}, err
	}
	return Sent{Channel: s.Channel.URL(), By: access.String(), Items: s.Published(s.Delivery)}, nil
}

// findRecords returns the channel's records of the published packages. It is an error if one is missing or has another digest.
func findRecords(ctx context.Context, p *publish.Sequence, items []publish.Published) (publish.Delivery, error) {
	delivery := publish.Delivery{Channel: p.Channel.URL()}
	for _, i := range items {
		found, err := p.Channel.Records(ctx, i.Subdir, i.Name)
		if err != nil {
			return delivery, err
		}
		n := slices.IndexFunc(found, func(rec condapkg.Record) bool { return rec.FileName() == i.File })
		if n < 0 {
			return delivery, operr.New("run this command again to continue waiting", "the channel %s does not show %s yet", delivery.Channel, i.File)
		}
		if found[n].SHA256 != i.SHA256 {
			return delivery, operr.NewStopped("find out who replaced the file on the channel", "%s on %s changed after it was published: expected sha256 %[4]s, found %[3]s", i.File, delivery.Channel, found[n].SHA256, i.SHA256)
		}
		delivery.Items = append(delivery.Items, publish.Item{Package: i.Name, State: publish.Kept, Record: found[n]})
	}
	return delivery, nil
}

// defineVisible defines the step that waits until all variants of the channel's index list the published packages.
func (r *Release) defineVisible(sent given[Sent], shop *workshop) workflow.Step[string] {
	return workflow.Step[string]{
		Name: trace.StepVisible,
		Check: func(ctx context.Context, _ *string) (string, bool, error) {
			return isVisible(ctx, sent.Get().Items, shop)
		},
		Do:  func(ctx context.Context) (string, error) { return show(ctx, sent.Get().Items, shop) },
		Say: echo,
	}
}

// isVisible checks the index once, without waiting.
func isVisible(ctx context.Context, items []publish.Published, shop *workshop) (string, bool, error) {
	p, _, err := shop.openSequence(ctx)
	if err != nil {
		return "", false, err
	}
	delivery, err := findRecords(ctx, p, items)
	if err != nil {
		//lint:ignore nilerr show waits for the records, and says why if they do not appear
		return "", false, nil
	}
	seen, err := publish.Visible(ctx, p.Channel, delivery.Records(), pause.Wait{For: time.Nanosecond})
	return seen, err == nil, nil
}

// show waits until all variants of the index list the published packages.
func show(ctx context.Context, items []publish.Published, shop *workshop) (string, error) {
	p, _, err := shop.openSequence(ctx)
	if err != nil {
		return "", err
	}
	var want []condapkg.Record
	for _, i := range items {
		name, err := condapkg.ParseFileName(i.File)
		if err != nil {
			return "", err
		}
		rec := condapkg.Record{SHA256: i.SHA256, Size: i.Size}
		rec.Name, rec.Version, rec.Build, rec.Subdir = name.Name, name.Version, name.Build, i.Subdir
		want = append(want, rec)
	}
	return p.WaitUntilShown(ctx, want)
}

// Proof is the result of verifying the published packages.
type Proof struct {
	Files     []publish.Digest `json:"files"`
	Installed string           `json:"installed"`          // how the packages were installed
	Unsolved  bool             `json:"unsolved,omitempty"` // the environment was not installed by a conda solve
	Imports   []string         `json:"imports"`            // "name version"
	Without   []string         `json:"without,omitempty"`  // "name version" of packages that have no module to import
	Compared  string           `json:"compared"`           // what the digests were compared with
}

func (v Proof) String() string {
	var said []string
	if len(v.Imports) > 0 {
		said = append(said, strings.Join(v.Imports, ", ")+"; imported from "+v.Installed)
	}
	if len(v.Without) > 0 {
		said = append(said, strings.Join(v.Without, ", ")+" installed in "+v.Installed+" (no Python modules)")
	}
	return strings.Join(append(said, v.Compared), "; ")
}

// defineVerify defines the step that downloads the published packages and compares them with the packages built here, if any, and with those that a
// CI recorded.
func (r *Release) defineVerify(planned given[*plan.Plan], commit given[trace.Commit], built given[Artifacts], sent given[Sent], shop *workshop) workflow.Step[Proof] {
	return workflow.Step[Proof]{
		Name: trace.StepVerify,
		Check: func(_ context.Context, before *Proof) (Proof, bool, error) {
			return isVerified(sent.Get().Items, before)
		},
		Do: func(ctx context.Context) (Proof, error) {
			return verify(ctx, sent.Get().Items, shop, func(s *publish.Sequence) (string, error) {
				var own *Artifacts
				if built.Known() {
					a := built.Get()
					own = &a
				}
				if r.By(planned.Get()) == settings.PublishCI {
					return r.watchCI(planned.Get(), commit.Get()).compare(ctx, s, own, sent.Get().Items)
				}
				return compareWithOwn(own, sent.Get().Items)
			})
		},
		Say: Proof.String,
	}
}

// isVerified reports whether the journal's record covers the same files and digests.
func isVerified(items []publish.Published, before *Proof) (Proof, bool, error) {
	if before == nil || !slices.EqualFunc(before.Files, items, func(a publish.Digest, i publish.Published) bool {
		return a.File == i.File && a.SHA256 == i.SHA256
	}) {
		return Proof{}, false, nil
	}
	return *before, true, nil
}

// verify downloads the packages, installs them into a clean environment, imports them, and compares their digests.
func verify(ctx context.Context, items []publish.Published, shop *workshop, compare func(s *publish.Sequence) (string, error)) (Proof, error) {
	p, _, err := shop.openSequence(ctx)
	if err != nil {
		return Proof{}, err
	}
	delivery, err := findRecords(ctx, p, items)
	if err != nil {
		return Proof{}, err
	}
	v := Proof{Imports: []string{}}
	var log tail
	p.Log = &log
	seen, err := p.Verify(ctx, delivery)
	if err != nil {
		return v, withDetail(err, log.text())
	}
	if v.Compared, err = compare(p); err != nil { // last, because a CI may still be verifying
		return v, err
	}
	v.Installed, v.Unsolved = seen.How(), !seen.Installed.Solved
	for _, i := range delivery.Items {
		v.Files = append(v.Files, publish.Digest{Package: i.Package, File: i.Record.FileName(), SHA256: i.Record.SHA256, Size: i.Record.Size})
		if name := i.Package + " " + i.Record.Version; len(seen.Imports[i.Package]) > 0 {
			v.Imports = append(v.Imports, name)
		} else {
			v.Without = append(v.Without, name)
		}
	}
	return v, nil
}

// compareWithOwn compares the digests on the channel with those of the artifacts built here. `own` is nil if nothing was built here.
func compareWithOwn(own *Artifacts, items []publish.Published) (string, error) {
	if own == nil {
		return "digests not compared: nothing was built here", nil
	}
	n := 0
	for _, a := range own.Artifacts {
		for _, i := range items {
			if i.File == a.File && i.SHA256 != a.SHA256 {
				return "", differs(i, a.SHA256, "was built here")
			}
			if i.File == a.File {
				n++
			}
		}
	}
	return fmt.Sprintf("%d of %s as built here", n, operr.Count(len(items), "digest")), nil
}

func differs(i publish.Published, want, whose string) error {
	return operr.NewStopped("find out where the packages on the channel came from before anyone installs them; published packages are not changed",
		"%s on the channel has sha256 %s, but sha256 %s %s", i.File, i.SHA256, want, whose)
}

// download returns the local paths of the published files, keyed by file name. It downloads files that are missing or have changed.
func download(ctx context.Context, items []publish.Published, shop *workshop) (map[string]string, error) {
	p, _, err := shop.openSequence(ctx)
	if err != nil {
		return nil, err
	}
	delivery, err := findRecords(ctx, p, items)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(p.Scratch, "release")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, i := range delivery.Items {
		file := filepath.Join(dir, i.Record.FileName())
		if have, err := condapkg.Identify(file); err != nil || have.SHA256 != i.Record.SHA256 {
			if err := channel.Download(ctx, p.Channel, i.Record, file); err != nil {
				return nil, err
			}
		}
		files[i.Record.FileName()] = file
	}
	return files, nil
}
