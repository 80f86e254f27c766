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

// Sent is what the channel has of the release.
type Sent struct {
	Channel string              `json:"channel"` // URL
	By      string              `json:"by"`      // who sent it, as far as that is known
	Items   []publish.Published `json:"items"`   // dependencies first
}

func (p Sent) String() string {
	return fmt.Sprintf("%s on %s, sent by %s", operr.Count(len(p.Items), "file"), p.Channel, p.By)
}

// definePublish has every package of the release on the channel: sent from here, where something was built for that, or by a CI.
func (r *Release) definePublish(planned given[*plan.Plan], commit given[trace.Commit], built given[Artifacts], shop *workshop) workflow.Step[Sent] {
	// ready is what was built here, where that is what is published.
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

// isPublished compares the channel with the artifacts that are ready, and with the manifests.
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

// decide plans what would have to be done with each package; false where the channel lacks one that is not built here.
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

// send sends the artifacts that are ready.
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
		return Sent{}, operr.New("run it again: it is built first", "an artifact that the channel lacks is not in %s any more", s.Output)
	}
	if _, err := s.Send(ctx); err != nil {
		return Sent{}, err
	}
	return Sent{Channel: s.Channel.URL(), By: access.String(), Items: s.Published(s.Delivery)}, nil
}

// findRecords finds what the channel says of the published packages.
func findRecords(ctx context.Context, p *publish.Sequence, items []publish.Published) (publish.Delivery, error) {
	delivery := publish.Delivery{Channel: p.Channel.URL()}
	for _, i := range items {
		found, err := p.Channel.Records(ctx, i.Subdir, i.Name)
		if err != nil {
			return delivery, err
		}
		n := slices.IndexFunc(found, func(rec condapkg.Record) bool { return rec.FileName() == i.File })
		if n < 0 {
			return delivery, operr.New("run it again: it goes on waiting", "%s does not show %s yet", delivery.Channel, i.File)
		}
		if found[n].SHA256 != i.SHA256 {
			return delivery, operr.NewStopped("find out who has replaced it", "%s on %s has sha256 %s, and had %s", i.File, delivery.Channel, found[n].SHA256, i.SHA256)
		}
		delivery.Items = append(delivery.Items, publish.Item{Package: i.Name, State: publish.Kept, Record: found[n]})
	}
	return delivery, nil
}

// defineVisible has every form of the index show what was published.
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

// isVisible looks once.
func isVisible(ctx context.Context, items []publish.Published, shop *workshop) (string, bool, error) {
	p, _, err := shop.openSequence(ctx)
	if err != nil {
		return "", false, err
	}
	delivery, err := findRecords(ctx, p, items)
	if err != nil {
		//lint:ignore nilerr show waits for it, and says why where it waits in vain
		return "", false, nil
	}
	seen, err := publish.Visible(ctx, p.Channel, delivery.Records(), pause.Wait{For: time.Nanosecond})
	return seen, err == nil, nil
}

// show waits until every form of the index has what was published.
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
	return p.Shown(ctx, want)
}

// Proof is what came back from the channel.
type Proof struct {
	Files     []publish.Digest `json:"files"`
	Installed string           `json:"installed"`          // how
	Unsolved  bool             `json:"unsolved,omitempty"` // that was not by a conda solve of the environment
	Imports   []string         `json:"imports"`            // "name version"
	Without   []string         `json:"without,omitempty"`  // the same, of those that have no module to import
	Compared  string           `json:"compared"`           // with which digests
}

func (v Proof) String() string {
	var said []string
	if len(v.Imports) > 0 {
		said = append(said, strings.Join(v.Imports, ", ")+" imported from "+v.Installed)
	}
	if len(v.Without) > 0 {
		said = append(said, strings.Join(v.Without, ", ")+" installed in "+v.Installed+" (no Python modules)")
	}
	return strings.Join(append(said, v.Compared), "; ")
}

// defineVerify has what was published come back from the channel, and compared with what was built: here, where that was done, and by a CI.
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

// isVerified takes the journal's word, which is bound to the digests.
func isVerified(items []publish.Published, before *Proof) (Proof, bool, error) {
	if before == nil || !slices.EqualFunc(before.Files, items, func(a publish.Digest, i publish.Published) bool {
		return a.File == i.File && a.SHA256 == i.SHA256
	}) {
		return Proof{}, false, nil
	}
	return *before, true, nil
}

// verify downloads, installs into a clean environment, imports, and compares.
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
	if v.Compared, err = compare(p); err != nil { // last, since a CI may still be at work, verifying too
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

// compareWithOwn holds the channel's digests against those of what was built and tested here; nil where nothing was.
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
	return operr.NewStopped("find out where they came from before anyone installs them; what is published stays as it is",
		"%s on the channel has sha256 %s, and %s %s", i.File, i.SHA256, want, whose)
}

// download returns the published files on this machine, by name; those that are not there any more are fetched again.
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
