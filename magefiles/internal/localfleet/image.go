package localfleet

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localengine"
)

// port is the application's port if no table sets one.
const port = 5006

// `says` is the response header in which a host's application names its image.
const says = "Rehearsed-Image"

// labelRevision is the label with the commit of an image's sources.
const labelRevision = "org.opencontainers.image.revision"

// find returns an image in the registry, in the form that hosts pull. Its containers do not run the image's program, but only respond to health
// checks, on the ports of all environments.
func (f *Fleet) find(ref string) (localengine.Image, bool) {
	ctx, end := context.WithTimeout(context.Background(), time.Minute)
	defer end()
	at, err := localbuilder.Read(ctx, ref)
	if err != nil || len(at.Platforms) == 0 {
		return localengine.Image{}, false
	}
	labels := at.Labels
	answer := map[string]string{}
	var ports []uint16
	for _, e := range f.Environments {
		if e.Revision.JSON != "" {
			answer[e.Revision.JSON] = labels[labelRevision]
		}
		if at := uint16(e.AppPort); at != 0 && !slices.Contains(ports, at) {
			ports = append(ports, at)
		}
	}
	if len(ports) == 0 {
		ports = []uint16{port}
	}
	var arch []string
	for _, platform := range at.Platforms {
		_, of, _ := strings.Cut(platform, "/")
		arch = append(arch, of)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, e := range f.Environments {
			if e.Revision.Header != "" {
				w.Header().Set(e.Revision.Header, labels[labelRevision])
			}
		}
		w.Header().Set(says, at.Digest)
		_ = json.NewEncoder(w).Encode(answer) // an error means that the client is gone
	})
	return localengine.Image{
		Ref:    ref,
		Arch:   arch,
		Labels: labels,
		Ports:  ports[:1], // used by environments whose table does not set a port
		Program: func(ctx context.Context, c *localengine.Container) int {
			return serve(ctx, c, ports, handler)
		},
	}, true
}

func serve(ctx context.Context, c *localengine.Container, ports []uint16, handler http.Handler) int {
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	for _, port := range ports {
		l, err := c.Listen(port)
		if err != nil {
			return 1
		}
		go func() { _ = s.Serve(l) }() // until Shutdown
	}
	<-ctx.Done()
	last, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	_ = s.Shutdown(last)
	return 0
}
