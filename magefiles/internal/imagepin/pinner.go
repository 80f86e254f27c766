package imagepin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// registryWait is how long a registry is waited for, which may be one that this machine does not reach.
const registryWait = 15 * time.Second

// Registry is asked for digests.
type Registry interface {
	// Resolve returns the digest that the name of an image, which may have a tag, stands for.
	Resolve(ctx context.Context, ref string) (digest string, err error)
}

// Pinner writes digests into files that name images.
type Pinner struct {
	Root     string // folder that files are named from
	Registry Registry
	Absent   error                            // what is in the chain of an error about an image that the registry does not have
	Say      func(format string, args ...any) // shows a line
}

// Naming is a file that names images without their digests.
type Naming struct {
	File   string // from the root, with slashes
	Places []Place
	Open   []Open

	text []byte
}

// Pin looks up the digest of each image that a Dockerfile, a workflow or an action among the files names without one, and writes it
// there. An image whose registry cannot be asked from here stays as it is, and is named; what a registry does not have is an
// error. A digest that stands there is left: Renovate renews it, or whoever takes it away.
func (p Pinner) Pin(ctx context.Context, files []string) error {
	namings, err := Unpinned(p.Root, files)
	if err != nil {
		return err
	}
	digests, errs := p.resolve(ctx, namings)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var missing []*operr.Error
	for _, n := range namings {
		for _, at := range n.Places {
			switch err := errs[at.Ref]; {
			case err == nil:
				p.Say("✓ %s:%d: %s is pinned to %s", n.File, at.Line, at.Ref, digests[at.Ref])
			case errors.Is(err, p.Absent) || operr.ExitStatus(err) == operr.Usage:
				missing = append(missing, operr.New("correct it", "%s:%d: %s: %w", n.File, at.Line, at.Ref, err))
			default:
				p.Say("○ %s:%d: %s is not pinned: %s", n.File, at.Line, at.Ref, err)
			}
		}
		for _, o := range n.Open {
			p.Say("○ %s, %s", n.File, o)
		}
		pinned := Pin(n.text, n.Places, func(ref string) string { return digests[ref] })
		if err := replace(filepath.Join(p.Root, filepath.FromSlash(n.File)), n.text, pinned); err != nil {
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
	now, err := beneath.Read(file)
	if err != nil {
		return err
	}
	if string(now) != string(before) {
		return operr.New("run it again", "%s was changed meanwhile", file)
	}
	return atomicfile.WriteFile(file, after, 0o644)
}

// Unpinned reads every Dockerfile, workflow and action among files, which are named from root, and returns those that name an image
// without a digest. One behind a link is left to where git knows it by its own name.
func Unpinned(root string, files []string) (namings []Naming, err error) {
	for _, f := range files {
		if !dockerfile.IsName(f) && !IsWorkflow(f) {
			continue
		}
		if err := beneath.NoLink(root, f); err != nil {
			continue // what it leads to is written where git knows it by its own name
		}
		n := Naming{File: f}
		if n.text, err = beneath.Read(filepath.Join(root, filepath.FromSlash(f))); err != nil {
			return nil, err
		}
		if dockerfile.IsName(f) {
			n.Places, n.Open = Dockerfile(n.text)
		} else if n.Places, n.Open, err = Workflow(n.text); err != nil {
			return nil, operr.New("`mage lint` says more", "reading %s: %w", f, err)
		}
		if len(n.Places)+len(n.Open) > 0 {
			namings = append(namings, n)
		}
	}
	return namings, nil
}

// resolve asks for each image once, side by side.
func (p Pinner) resolve(ctx context.Context, namings []Naming) (digests map[string]string, errs map[string]error) {
	ctx, cancel := context.WithTimeoutCause(ctx, registryWait, fmt.Errorf("its registry does not answer within %v", registryWait))
	defer cancel()
	digests, errs = map[string]string{}, map[string]error{}
	var refs []string
	for _, n := range namings {
		for _, at := range n.Places {
			if !slices.Contains(refs, at.Ref) {
				refs = append(refs, at.Ref)
			}
		}
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, ref := range refs {
		wait.Go(func() {
			digest, err := p.Registry.Resolve(ctx, ref)
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
