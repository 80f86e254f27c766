package localengine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/api/types/system"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image for the stand-in. Only Ref is required.
type Image struct {
	Ref    string   // REPOSITORY@sha256:…
	ID     string   // digest of the config; "" derives it from Ref. Two references with the same ID are two indexes of one image
	Arch   []string // architectures; defaults to amd64
	Labels map[string]string
	Env    []string
	User   string
	Ports  []uint16 // EXPOSE
	Size   int64

	// Program runs in a container, and returns the exit status. When ctx is canceled, which stands for SIGTERM, it must return soon, or it is
	// killed. A nil Program sleeps until then.
	Program func(ctx context.Context, c *Container) int

	// Check is the HEALTHCHECK, which runs every Interval; nil means none. After Retries consecutive failures (default 3) the container is
	// unhealthy.
	Check    func(c *Container) bool
	Interval time.Duration // defaults to 30 s
	Retries  int

	// Command handles an exec if it returns true. Otherwise, this machine's sh runs it.
	Command func(c *Container, argv []string, stdin io.Reader, stdout, stderr io.Writer) (exit int, answered bool)

	digests []string // digests by which the image was pulled
	tags    []string
}

// Digest returns the digest of a text, for tests that need arbitrary digests.
func Digest(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

func (i *Image) arch() []string {
	if len(i.Arch) == 0 {
		return []string{"amd64"}
	}
	return i.Arch
}

// Offer adds an image to its registry, from which it can be pulled.
func (e *Engine) Offer(i Image) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i.ID == "" {
		i.ID = Digest("config of " + i.Ref)
	}
	e.offered[i.Ref] = &i
}

// find looks up an image with Find, and offers it.
func (e *Engine) find(ref string) {
	e.mu.Lock()
	there := e.offered[ref] != nil
	e.mu.Unlock()
	if there || e.Find == nil {
		return
	}
	if i, found := e.Find(ref); found {
		e.Offer(i)
	}
}

// Withdraw removes an image from its registry.
func (e *Engine) Withdraw(ref string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.offered, ref)
}

// Protect makes a registry require a login.
func (e *Engine) Protect(registry, user, password string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins[registry] = user + ":" + password
}

// Insecure makes the engine access a registry, HOST[:PORT], without TLS. A network, such as 10.0.0.0/8, stands for all registries in it.
func (e *Engine) Insecure(registry string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.insecure = append(e.insecure, registry)
}

// info returns the parts of the engine's system information that our client uses.
func (e *Engine) info(w http.ResponseWriter, _ *http.Request, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	config := &registry.ServiceConfig{
		InsecureRegistryCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		IndexConfigs:          map[string]*registry.IndexInfo{"docker.io": {Name: "docker.io", Secure: true, Official: true}},
	}
	for _, r := range e.insecure {
		if network, err := netip.ParsePrefix(r); err == nil {
			config.InsecureRegistryCIDRs = append(config.InsecureRegistryCIDRs, network)
		} else {
			config.IndexConfigs[r] = &registry.IndexInfo{Name: r}
		}
	}
	send(w, http.StatusOK, system.Info{RegistryConfig: config})
	return nil
}

// RemoveImage removes an image with all its names even if it is in use, like a user with -f.
func (e *Engine) RemoveImage(ref string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.image(ref); i != nil {
		delete(e.images, i.ID)
	}
}

// image finds an image that was pulled. The caller must hold mu.
func (e *Engine) image(ref string) *Image {
	if i := e.images[ref]; i != nil {
		return i
	}
	for _, i := range e.images {
		if slices.Contains(i.digests, ref) || slices.Contains(i.tags, ref) {
			return i
		}
	}
	return nil
}

// allowed reports whether a request has the login that a registry requires. The caller must hold mu.
func (e *Engine) allowed(r *http.Request, ref string) bool {
	host, _, _ := strings.Cut(ref, "/")
	want, protected := e.logins[host]
	if !protected {
		return true
	}
	var login registry.AuthConfig
	text, err := base64.URLEncoding.DecodeString(r.Header.Get(registry.AuthHeader))
	return err == nil && json.Unmarshal(text, &login) == nil && login.Username+":"+login.Password == want
}

func (e *Engine) denialError(ref string) error {
	return says(http.StatusNotFound, "pull access denied for %s, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", ref)
}

func (e *Engine) pull(w http.ResponseWriter, r *http.Request, _ string) error {
	name, tag := r.URL.Query().Get("fromImage"), r.URL.Query().Get("tag")
	ref := name + ":" + tag
	if strings.HasPrefix(tag, "sha256:") {
		ref = name + "@" + tag
	}
	e.find(ref)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.allowed(r, ref) {
		return e.denialError(name)
	}
	i := e.offered[ref]
	if i == nil {
		return says(http.StatusNotFound, "manifest for %s not found: manifest unknown: manifest unknown", ref)
	}
	if !slices.Contains(i.arch(), e.Arch) {
		send(w, http.StatusOK, jsonstream.Message{Error: &jsonstream.Error{Message: "no matching manifest for linux/" + e.Arch + " in the manifest list entries"}})
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	_ = encoder.Encode(jsonstream.Message{Status: "Pulling from " + name, ID: tag})
	old := e.images[i.ID]
	if old == nil {
		clone := *i
		old = &clone
		e.images[i.ID] = old
	}
	if !strings.HasPrefix(tag, "sha256:") {
		if !slices.Contains(old.tags, ref) {
			old.tags = append(old.tags, ref)
		}
		ref = name + "@" + Digest("index of "+i.ID)
	}
	if !slices.Contains(old.digests, ref) {
		old.digests = append(old.digests, ref)
	}
	_ = encoder.Encode(jsonstream.Message{Status: "Digest: " + tag})
	return nil
}

func (e *Engine) inspectImage(w http.ResponseWriter, _ *http.Request, ref string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.image(ref)
	if i == nil {
		return says(http.StatusNotFound, "No such image: %s", ref)
	}
	config := dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{User: i.User, Env: i.Env, Labels: i.Labels, ExposedPorts: map[string]struct{}{}}}
	for _, p := range i.Ports {
		config.ExposedPorts[fmt.Sprintf("%d/tcp", p)] = struct{}{}
	}
	if i.Check != nil {
		config.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "check"}, Interval: i.Interval, Retries: i.Retries}
	}
	send(w, http.StatusOK, image.InspectResponse{
		ID:           i.ID,
		RepoDigests:  i.digests,
		RepoTags:     i.tags,
		Config:       &config,
		Architecture: e.Arch,
		Os:           "linux",
		Size:         i.Size,
	})
	return nil
}

func (e *Engine) listImages(w http.ResponseWriter, _ *http.Request, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []image.Summary{}
	for _, id := range slices.Sorted(maps.Keys(e.images)) {
		i := e.images[id]
		all = append(all, image.Summary{ID: id, RepoDigests: i.digests, Labels: i.Labels, Size: i.Size})
	}
	send(w, http.StatusOK, all)
	return nil
}

func (e *Engine) removeImage(w http.ResponseWriter, _ *http.Request, ref string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.image(ref)
	if i == nil {
		return says(http.StatusNotFound, "No such image: %s", ref)
	}
	for _, c := range e.containers { // as with our images, all references in a repository count as one name
		if c.imageID == i.ID {
			return says(http.StatusConflict, "conflict: unable to remove repository reference %q (must force) - container %s is using its referenced image", ref, c.ID[:12])
		}
	}
	gone := []image.DeleteResponse{{Untagged: ref}}
	if last := ref == i.ID || len(i.digests) == 1; !last {
		i.digests = slices.DeleteFunc(i.digests, func(d string) bool { return d == ref })
		send(w, http.StatusOK, gone)
		return nil
	}
	delete(e.images, i.ID)
	send(w, http.StatusOK, append(gone, image.DeleteResponse{Deleted: i.ID}))
	return nil
}

func (e *Engine) distribution(w http.ResponseWriter, r *http.Request, ref string) error {
	e.find(ref)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.allowed(r, ref) {
		return says(http.StatusForbidden, "errors: denied: requested access to the resource is denied")
	}
	i := e.offered[ref]
	if i == nil {
		return says(http.StatusNotFound, "manifest unknown: manifest unknown")
	}
	_, hash, _ := strings.Cut(ref, "@")
	d := registry.DistributionInspect{Descriptor: ocispec.Descriptor{Digest: digest.Digest(hash)}}
	for _, arch := range i.arch() {
		d.Platforms = append(d.Platforms, ocispec.Platform{OS: "linux", Architecture: arch})
	}
	send(w, http.StatusOK, d)
	return nil
}
