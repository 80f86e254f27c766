package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// Pull makes the engine pull an image, REPOSITORY@sha256:…. It fails if there is no progress for minutes.
func (c *Client) Pull(ctx context.Context, ref string, login Login) error {
	const doing = "pulling %s"
	sent, err := c.encodeLogin(ctx, ref, login)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := time.AfterFunc(silent, func() { stop(errLimit) })
	defer watch.Stop()
	stream, err := c.api.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: sent})
	if err != nil {
		return failure(ctx, err, doing, ref)
	}
	defer stream.Close()
	for message, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return failure(ctx, err, doing, ref)
		}
		if message.Error != nil {
			return failure(ctx, message.Error, doing, ref)
		}
		watch.Reset(silent)
	}
	// A stream that was cut between two messages looks complete, so check that the image exists.
	if _, err := c.Image(ctx, ref); errors.Is(err, NotFound) {
		return &Error{Kind: Unreachable, Doing: "pulling " + ref, Err: errors.New("the engine ended the pull, but does not have the image")}
	} else if err != nil {
		return err
	}
	return nil
}

// Image describes an image in the engine's store.
type Image struct {
	ID       string   // digest of its config
	Tags     []string // REPOSITORY:TAG
	Digests  []string // REPOSITORY@sha256:… of the indexes and manifests by which the image was pulled; Container.Image is the one that runs
	Labels   map[string]string
	Size     int64
	OS, Arch string
	User     string
	Exposed  []string // PORT/tcp, sorted
	Health   *HealthCheck
}

// HealthCheck is an image's HEALTHCHECK. Durations of 0 mean the engine's defaults.
type HealthCheck struct {
	Test                           []string
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

// Image returns a description of an image, given by ID, REPOSITORY:TAG or REPOSITORY@sha256:….
func (c *Client) Image(ctx context.Context, ref string) (Image, error) {
	ctx, done := withLimit(ctx, quick)
	defer done()
	r, err := c.api.ImageInspect(ctx, ref)
	if err != nil {
		return Image{}, failure(ctx, err, "looking for image %s", ref)
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

// RemoveImage removes one reference to an image, and removes the image with its last reference. If a container needs it, the error is Conflict.
func (c *Client) RemoveImage(ctx context.Context, ref string) error {
	ctx, done := withLimit(ctx, slow)
	defer done()
	_, err := c.api.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
	return failure(ctx, err, "removing image %s", ref)
}

// Distribution is a registry's description of an image, obtained through the engine.
type Distribution struct {
	Digest    string
	Platforms []string // OS/ARCH[/VARIANT]
}

// Distribution queries the image's registry through the engine. If it succeeds, the engine can also pull the image.
func (c *Client) Distribution(ctx context.Context, ref string, login Login) (Distribution, error) {
	ctx, done := withLimit(ctx, slow)
	defer done()
	sent, err := c.encodeLogin(ctx, ref, login)
	if err != nil {
		return Distribution{}, err
	}
	r, err := c.api.DistributionInspect(ctx, ref, client.DistributionInspectOptions{EncodedRegistryAuth: sent})
	if err != nil {
		return Distribution{}, failure(ctx, err, "asking for %s at its registry", ref)
	}
	d := Distribution{Digest: r.Descriptor.Digest.String()}
	for _, p := range r.Platforms {
		if p.OS == "unknown" {
			continue // attestations are index entries without a platform
		}
		name := p.OS + "/" + p.Architecture
		if p.Variant != "" {
			name += "/" + p.Variant
		}
		d.Platforms = append(d.Platforms, name)
	}
	return d, nil
}
