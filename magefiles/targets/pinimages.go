package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// pinWait is how long a registry is waited for, which may be one that this machine does not reach.
const pinWait = 15 * time.Second

// naming is a file that names images without their digests.
type naming struct {
	file   string
	text   []byte
	places []imagepin.Place
	open   []imagepin.Open
}

// pinImages looks up the digest of each image that a Dockerfile, a workflow or an action names without one, and writes it
// there. An image whose registry cannot be asked from here stays as it is, and is named; what a registry does not have is an
// error. A digest that stands there is left: Renovate renews it, or whoever takes it away.
func (a *app) pinImages(ctx context.Context, w *workspace.Workspace, registry *image.Registry) error {
	namings, err := a.namings(ctx, w)
	if err != nil {
		return err
	}
	digests, errs := resolved(ctx, registry, namings)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var missing []*operr.Error
	for _, n := range namings {
		for _, p := range n.places {
			switch err := errs[p.Ref]; {
			case err == nil:
				a.view.Line("✓ %s:%d: %s is pinned to %s", n.file, p.Line, p.Ref, digests[p.Ref])
			case errors.Is(err, image.ErrNotFound) || operr.ExitStatus(err) == operr.Usage:
				missing = append(missing, operr.New("correct it", "%s:%d: %s: %w", n.file, p.Line, p.Ref, err))
			default:
				a.view.Line("○ %s:%d: %s is not pinned: %s", n.file, p.Line, p.Ref, err)
			}
		}
		for _, o := range n.open {
			a.view.Line("○ %s, %s", n.file, o)
		}
		pinned := imagepin.Pin(n.text, n.places, func(ref string) string { return digests[ref] })
		if err := replace(filepath.Join(w.Root, filepath.FromSlash(n.file)), n.text, pinned); err != nil {
			return err
		}
	}
	return operr.Join(missing, "the rest is pinned; correct these, and run it again", "%s cannot be pinned", operr.Count(len(missing), "image"))
}

// replace writes a file that is what it was when it was read.
func replace(file string, before, after []byte) error {
	if string(before) == string(after) {
		return nil
	}
	now, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if string(now) != string(before) {
		return operr.New("run it again", "%s was changed meanwhile", file)
	}
	return atomicfile.WriteFile(file, after, 0o644)
}

// namings reads every Dockerfile, workflow and action that git knows of and that names an image without a digest. One that
// cannot be read names none: whoever runs it says so.
func (a *app) namings(ctx context.Context, w *workspace.Workspace) (namings []naming, err error) {
	files, err := a.trackedFiles(ctx, w)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !isDockerfile(f) && !isWorkflow(f) {
			continue
		}
		if err := beneath.NoLink(w.Root, f); err != nil {
			continue // what it leads to is written where git knows it by its own name
		}
		n := naming{file: f}
		if n.text, err = os.ReadFile(filepath.Join(w.Root, filepath.FromSlash(f))); err != nil {
			return nil, err
		}
		if isDockerfile(f) {
			n.places, n.open = imagepin.Dockerfile(n.text)
		} else if n.places, n.open, err = imagepin.Workflow(n.text); err != nil {
			return nil, operr.New("`mage lint` says more", "reading %s: %w", f, err)
		}
		if len(n.places)+len(n.open) > 0 {
			namings = append(namings, n)
		}
	}
	return namings, nil
}

// examinePins says where images are named by tags alone. What keeps that from being known is said elsewhere.
func (a *app) examinePins(ctx context.Context) []view.Finding {
	w, err := a.workspace()
	if err != nil {
		return nil
	}
	namings, err := a.namings(ctx, w)
	if err != nil || len(namings) == 0 {
		return nil
	}
	var files []string
	count := 0
	for _, n := range namings {
		files = append(files, n.file)
		count += len(n.places) + len(n.open)
	}
	return []view.Finding{{
		What: "the digest of " + operr.Count(count, "image"),
		For:  "builds and jobs that are the same tomorrow: " + strings.Join(files, ", "),
		Get:  "run `mage lock -images` where the registries can be reached, and commit the files",
	}}
}

// resolved asks for each image once, side by side.
func resolved(ctx context.Context, registry *image.Registry, namings []naming) (digests map[string]string, errs map[string]error) {
	ctx, cancel := context.WithTimeoutCause(ctx, pinWait, fmt.Errorf("its registry does not answer within %v", pinWait))
	defer cancel()
	digests, errs = map[string]string{}, map[string]error{}
	var refs []string
	for _, n := range namings {
		for _, p := range n.places {
			if !slices.Contains(refs, p.Ref) {
				refs = append(refs, p.Ref)
			}
		}
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, ref := range refs {
		wait.Go(func() {
			digest, err := registry.Resolve(ctx, ref)
			if err != nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			mu.Lock()
			defer mu.Unlock()
			if digests[ref], errs[ref] = digest, err; err == nil && !strings.HasPrefix(digest, "sha256:") {
				delete(digests, ref)
				errs[ref] = errors.New("its digest is none that is known here: " + digest)
			}
		})
	}
	wait.Wait()
	return digests, errs
}
