package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// slack is the size that a request may have in addition to its artifact, for part headers and an attestation.
const slack = 5 << 20

var zeroTime time.Time

// upload receives an artifact, checks it, and publishes it on the channel.
func (s *server) upload(w http.ResponseWriter, r *http.Request, token, name string) error {
	if err := channel.CheckName(name); err != nil {
		return err
	}
	if err := s.Authorize(r.Context(), token, Write, name); err != nil {
		return err
	}
	force, err := parseForce(r)
	if err != nil {
		return err
	}
	u, err := s.receive(w, r)
	if u.Path != "" {
		defer os.Remove(u.Path)
	}
	if err != nil {
		return err
	}
	u.Force = force
	if err := s.checkAttestation(r, token, name, u); err != nil {
		return err
	}
	c, err := s.channel(r, name, u)
	if err != nil {
		return err
	}
	receipt, err := c.Put(r.Context(), u)
	if err != nil {
		return err
	}
	where := name + "/" + u.Record.Subdir
	if receipt.Existed && !force {
		return channel.Errorf(channel.ErrExists, "%s is already in %s, with the same sha256 %s", u.File, where, u.Record.SHA256)
	}
	s.Log.Info("stored", "channel", name, "subdir", u.Record.Subdir, "file", u.File, "sha256", u.Record.SHA256, "force", force)
	answer(w, http.StatusCreated, fmt.Sprintf("stored %s in %s", u.File, where))
	return nil
}

// channel returns the channel. It creates a missing channel, unless the upload needs v3 repodata.
func (s *server) channel(r *http.Request, name string, u channel.Upload) (channel.Channel, error) {
	c, err := s.channels.Channel(r.Context(), name)
	if !errors.Is(err, channel.ErrNotFound) {
		return c, err
	}
	if u.Record.NeedsV3() {
		return nil, channel.Errorf(channel.ErrForbidden, "Channel '%s' does not allow v3 repodata uploads", name)
	}
	return s.channels.Create(r.Context(), name)
}

func parseForce(r *http.Request) (bool, error) {
	text := r.URL.Query().Get("force")
	if text == "" {
		return false, nil
	}
	force, err := strconv.ParseBool(text)
	if err != nil {
		return false, channel.Errorf(channel.ErrMalformed, "force must be true or false, not %.20q", text)
	}
	return force, nil
}

// claim contains the artifact's file name, sha256 and length from the request headers. A field is empty if its header is missing.
type claim struct{ file, sha256, length string }

// receive stores the body in the spool folder and makes every check that does not need the channel. The caller must remove the file at the
// upload's path, even if receive returns an error.
func (s *server) receive(w http.ResponseWriter, r *http.Request) (u channel.Upload, err error) {
	if r.ContentLength > s.MaxUpload+slack {
		return u, s.tooLarge()
	}
	body := http.MaxBytesReader(w, r.Body, s.MaxUpload+slack)
	var c claim
	var sum *condapkg.Digester
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		if err != nil || params["boundary"] == "" {
			return u, channel.Errorf(channel.ErrMalformed, "multipart/form-data needs a boundary")
		}
		u.Path, c, sum, u.Attestation, err = s.form(multipart.NewReader(body, params["boundary"]))
	} else {
		c = claim{file: r.Header.Get("X-File-Name"), sha256: r.Header.Get("X-File-Sha256"), length: ""}
		u.Path, sum, err = s.spool(body)
	}
	if err != nil {
		return u, s.bodyError(err)
	}
	if err := c.check(sum); err != nil {
		return u, err
	}
	u.File, u.Owned = c.file, true
	u.Record, err = inspect(u.Path, sum)
	if err != nil {
		return u, err
	}
	return u, u.Check()
}

func (s *server) tooLarge() error {
	return channel.Errorf(channel.ErrTooLarge, "the artifact is longer than the limit of %d bytes", s.MaxUpload)
}

// bodyError adds a kind (ErrTooLarge or ErrMalformed) to an error from reading the body.
func (s *server) bodyError(err error) error {
	var limit *http.MaxBytesError
	var pathError *os.PathError
	switch {
	case errors.As(err, &limit):
		return s.tooLarge()
	case errors.As(err, &pathError), channel.Status(err) != http.StatusInternalServerError:
		return err // a disk error, or an error that already has a kind
	}
	return channel.Errorf(channel.ErrMalformed, "the body cannot be read: %v", err)
}

// form reads the parts of a multipart form. It spools the part named file, and reads the optional part named attestation.
func (s *server) form(parts *multipart.Reader) (path string, c claim, sum *condapkg.Digester, attestation []byte, err error) {
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && errors.Unwrap(err) == nil { // an EOF inside a part is wrapped
			break
		}
		if err != nil {
			return path, c, sum, nil, err
		}
		switch name := part.FormName(); {
		case name == "file" && sum == nil:
			if c, err = claimOf(part); err != nil {
				return path, c, sum, nil, err
			}
			if path, sum, err = s.spool(part); err != nil {
				return path, c, sum, nil, err
			}
		case name == "attestation" && attestation == nil:
			if attestation, err = readAttestation(part); err != nil {
				return path, c, sum, nil, err
			}
		default:
			return path, c, sum, nil, channel.Errorf(channel.ErrMalformed, "the form has an unexpected part %.40q", name)
		}
	}
	if sum == nil {
		return path, c, sum, nil, channel.Errorf(channel.ErrMalformed, `the form has no part named "file"`)
	}
	return path, c, sum, attestation, nil
}

// claimOf parses the headers of a file part. It uses the raw file name, because part.FileName strips the directory.
func claimOf(part *multipart.Part) (claim, error) {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return claim{}, channel.Errorf(channel.ErrMalformed, "the file part's content-disposition cannot be read")
	}
	c := claim{file: part.Header.Get("X-File-Name"), sha256: part.Header.Get("X-File-Sha256"), length: part.Header.Get("Content-Length")}
	switch name := params["filename"]; {
	case c.file == "":
		c.file = name
	case name != "" && name != c.file:
		return claim{}, channel.Errorf(channel.ErrMalformed, "the file part has two different names: %.120q and %.120q", name, c.file)
	}
	return c, nil
}

// spool copies r to a new file and computes its digests.
func (s *server) spool(r io.Reader) (path string, sum *condapkg.Digester, err error) {
	f, err := os.CreateTemp(s.Spool, "upload-*.partial")
	if err != nil {
		return "", nil, err
	}
	sum = condapkg.NewDigester()
	_, err = io.CopyBuffer(io.MultiWriter(f, sum), io.LimitReader(r, s.MaxUpload+1), make([]byte, 256<<10))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && sum.Size() > s.MaxUpload {
		err = s.tooLarge()
	}
	return f.Name(), sum, err
}

var sha256Form = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// check compares the claim with the received file.
func (c claim) check(sum *condapkg.Digester) error {
	switch {
	case c.file == "":
		return channel.Errorf(channel.ErrMalformed, "the file has no name: the header X-File-Name is missing")
	case strings.ContainsAny(c.file, "/\\\x00"):
		return channel.Errorf(channel.ErrInvalid, "%.120q is a path, not the name of a file", c.file)
	case c.length != "" && c.length != strconv.FormatInt(sum.Size(), 10):
		return channel.Errorf(channel.ErrMalformed, "the file has %d bytes, but its content-length is %.20q", sum.Size(), c.length)
	case c.sha256 != "" && !sha256Form.MatchString(c.sha256):
		return channel.Errorf(channel.ErrMalformed, "x-file-sha256 must be 64 hexadecimal digits")
	case c.sha256 != "" && !strings.EqualFold(c.sha256, sum.SHA256()):
		return channel.Errorf(channel.ErrInvalid, "the file has sha256 %s, but x-file-sha256 is %s", sum.SHA256(), c.sha256)
	}
	return nil
}

// inspect reads the whole archive and returns its record.
func inspect(path string, sum *condapkg.Digester) (condapkg.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return condapkg.Record{}, err
	}
	defer f.Close()
	a, err := condapkg.New(f, sum.Size(), condapkg.DefaultLimits)
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		return condapkg.Record{}, channel.Errorf(channel.ErrInvalid, "%w", err)
	}
	r, err := a.Record(sum)
	if err != nil {
		return r, channel.Errorf(channel.ErrInvalid, "%w", err)
	}
	return r, nil
}
