package server

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// read serves a file of a channel.
func (s *server) read(w http.ResponseWriter, r *http.Request, token, path string) error {
	name, rest, _ := strings.Cut(path, "/")
	subdir, file, _ := strings.Cut(rest, "/")
	if channel.CheckName(name) != nil || file == "" {
		return channel.Errorf(channel.ErrNotFound, "there is nothing at this address")
	}
	if err := s.Authorize(r.Context(), token, Read, name); err != nil {
		return err
	}
	c, err := s.channels.Channel(r.Context(), name)
	if err != nil {
		return err
	}
	f, err := c.Open(r.Context(), subdir, file)
	if err != nil {
		return err
	}
	defer f.Close()
	serve(w, r, f, contentType(file))
	return nil
}

// serve writes a file to the response. A cache may store a file that can change, but must revalidate it, so that the next solve sees a new
// upload.
func serve(w http.ResponseWriter, r *http.Request, f *channel.File, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if f.Immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if f.ETag != "" {
		h.Set("ETag", f.ETag)
	}
	if seeker, ok := f.ReadCloser.(io.ReadSeeker); ok {
		// Do not send a modification time: a file may change twice in a second. The ETag is exact.
		http.ServeContent(w, r, "", zeroTime, seeker)
		return
	}
	if f.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	}
	if r.Method != http.MethodHead {
		io.Copy(w, f) // an error means that the client has disconnected
	}
}

func contentType(file string) string {
	if strings.HasSuffix(file, ".json") {
		return "application/json"
	}
	return "application/octet-stream"
}
