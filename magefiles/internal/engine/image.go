package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// Pull brings an image to the engine: REPOSITORY@sha256:…. It ends when the engine says nothing for minutes.
func (c *Client) Pull(ctx context.Context, ref string, login Login) error {
	const doing = "pulling %s"
	sent, err := c.sent(ctx, ref, login)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := time.AfterFunc(silent, func() { stop(errLimit) })
	defer watch.Stop()
	stream, err := c.api.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: sent})
	if err != nil {
		return failed(ctx, err, doing, ref)
	}
	defer stream.Close()
	for message, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return failed(ctx, err, doing, ref)
		}
		if message.Error != nil {
			return failed(ctx, message.Error, doing, ref)
		}
		watch.Reset(silent)
	}
	// A stream that was cut between two messages ends as a whole one does.
	if _, err := c.Image(ctx, ref); errors.Is(err, NotFound) {
		return &Error{Kind: Unreachable, Doing: "pulling " + ref, Err: errors.New("the pull ended without the image")}
	} else if err != nil {
		return err
	}
	return nil
}

// Image is one that the engine has.
type Image struct {
	ID       string   // digest of its config
	Tags     []string // REPOSITORY:TAG
	Digests  []string // REPOSITORY@sha256:… of each index and manifest by which it was pulled: which of them runs, a container's Image says
	Labels   map[string]string
	Size     int64
	OS, Arch string
	User     string
	Exposed  []string // PORT/tcp, sorted
	Health   *HealthCheck
}

// HealthCheck is how an image wants to be looked after; a time of 0 is the engine's default.
type HealthCheck struct {
	Test                           []string
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

// Image says what the engine knows of an image by its ID, REPOSITORY:TAG or REPOSITORY@sha256:….
func (c *Client) Image(ctx context.Context, ref string) (Image, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.ImageInspect(ctx, ref)
	if err != nil {
		return Image{}, failed(ctx, err, "looking for image %s", ref)
	}
	return imageOf(r.InspectResponse), nil
}

func imageOf(r image.InspectResponse) Image {
	i := Image{ID: r.ID, Tags: r.RepoTags, Digests: r.RepoDigests, Size: r.Size, OS: r.Os, Arch: r.Architecture}
	if r.Config == nil {
		return i
	}
	i.User, i.Labels = r.Config.User, r.Config.Labels
	for port := range r.Config.ExposedPorts {
		i.Exposed = append(i.Exposed, port)
	}
	slices.Sort(i.Exposed)
	if h := r.Config.Healthcheck; h != nil && len(h.Test) > 0 && h.Test[0] != "NONE" {
		i.Health = &HealthCheck{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries}
	}
	return i
}

// RemoveImage takes one name of an image away, and the image with its last one. It is a Conflict where a container needs it.
func (c *Client) RemoveImage(ctx context.Context, ref string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
	return failed(ctx, err, "removing image %s", ref)
}

// Distribution is what a registry says of an image, as the engine asks it.
type Distribution struct {
	Digest    string
	Platforms []string // OS/ARCH[/VARIANT]
}

// Distribution asks the image's registry, through the engine: what it can see, the engine can pull.
func (c *Client) Distribution(ctx context.Context, ref string, login Login) (Distribution, error) {
	ctx, done := limited(ctx, slow)
	defer done()
	sent, err := c.sent(ctx, ref, login)
	if err != nil {
		return Distribution{}, err
	}
	r, err := c.api.DistributionInspect(ctx, ref, client.DistributionInspectOptions{EncodedRegistryAuth: sent})
	if err != nil {
		return Distribution{}, failed(ctx, err, "asking for %s at its registry", ref)
	}
	d := Distribution{Digest: r.Descriptor.Digest.String()}
	for _, p := range r.Platforms {
		if p.OS == "unknown" {
			continue // what is attested about an image lies beside it as one of no platform
		}
		name := p.OS + "/" + p.Architecture
		if p.Variant != "" {
			name += "/" + p.Variant
		}
		d.Platforms = append(d.Platforms, name)
	}
	return d, nil
}
