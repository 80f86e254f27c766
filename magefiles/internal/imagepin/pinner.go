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

// registryWait is the timeout for registries, which may be unreachable from this machine.
const registryWait = 15 * time.Second

// Registry resolves images to digests.
type Registry interface {
	// Resolve returns the digest of an image, given by name with an optional tag.
	Resolve(ctx context.Context, ref string) (digest string, err error)
}

// Pinner pins the images in files.
type Pinner struct {
	Root     string // file names are relative to this folder
	Registry Registry
	Absent   error                            // the error to wrap if the registry does not have an image
	Say      func(format string, args ...any) // prints a line
}

// Naming is a file that names images without digests.
type Naming struct {
	File   string // relative to the root, with slashes
	Places []Place
	Open   []Open

	text []byte
}

// Pin resolves each image that a Dockerfile, workflow or action names without a digest, and inserts the digest. If a registry cannot be reached, Pin
// leaves its images unchanged, and lists them. An image that does not exist is an error. Pin does not update existing digests. Renovate does that, or
// the user deletes a digest and pins again.
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
				missing = append(missing, operr.New("correct the name of the image", "%s:%d: %s: %w", n.File, at.Line, at.Ref, err))
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
	return operr.Join(missing, "correct these names, and run this command again; images without an error are pinned", "%s cannot be pinned", operr.Count(len(missing), "image"))
}

// replace writes a file unless it has changed since it was read.
func replace(file string, before, after []byte) error {
	if string(before) == string(after) {
		return nil
	}
	now, err := beneath.Read(file)
	if err != nil {
		return err
	}
	if string(now) != string(before) {
		return operr.New("run this command again", "%s changed while the digests of its images were looked up", file)
	}
	return atomicfile.WriteFile(file, after, 0o644)
}

// Unpinned returns the Dockerfiles, workflows and actions among files that name an image without a digest. Paths are relative to root. It skips
// files below testdata, which are never built, and files behind a symbolic link, which git lists under their real names.
func Unpinned(root string, files []string) (namings []Naming, err error) {
	for _, f := range files {
		if !dockerfile.IsName(f) && !IsWorkflow(f) || slices.Contains(strings.Split(f, "/"), "testdata") {
			continue
		}
		if err := beneath.NoLink(root, f); err != nil {
			continue // git lists the target under its own name
		}
		n := Naming{File: f}
		if n.text, err = beneath.Read(filepath.Join(root, filepath.FromSlash(f))); err != nil {
			return nil, err
		}
		if dockerfile.IsName(f) {
			n.Places, n.Open = Dockerfile(n.text)
		} else if n.Places, n.Open, err = Workflow(n.text); err != nil {
			return nil, operr.New("run `mage lint`, which shows the errors in the file", "reading %s: %w", f, err)
		}
		if len(n.Places)+len(n.Open) > 0 {
			namings = append(namings, n)
		}
	}
	return namings, nil
}

// resolve looks up the digest of each image once, concurrently.
func (p Pinner) resolve(ctx context.Context, namings []Naming) (digests map[string]string, errs map[string]error) {
	ctx, cancel := context.WithTimeoutCause(ctx, registryWait, fmt.Errorf("its registry did not answer within %v", registryWait))
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
				errs[ref] = errors.New("the digest has an unknown algorithm: " + digest)
			}
		})
	}
	wait.Wait()
	return digests, errs
}
