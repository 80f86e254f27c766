package prefixdev

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Put implements channel.Channel.
//
// It retries if the protocol considers the failure transient. If it is unclear whether the file arrived, Put checks the channel for the file
// before it sends the file again. A 409 is not simply treated as success: Put compares the digests, and returns a *channel.ExistsError if the
// channel's file has different bytes.
func (c *Channel) Put(ctx context.Context, u channel.Upload) (channel.Receipt, error) {
	receipt, err := c.put(ctx, u)
	if err != nil {
		return receipt, c.explain(ctx, u, err)
	}
	return receipt, nil
}

func (c *Channel) put(ctx context.Context, u channel.Upload) (channel.Receipt, error) {
	if err := u.Check(); err != nil {
		return channel.Receipt{}, err
	}
	var receipt channel.Receipt
	retry := c.client.retry
	retry.Settle = func(ctx context.Context, failed error) (arrived bool, err error) { return c.doubt(ctx, u, failed) }
	err := retry.Do(ctx, func(attempt int) error {
		token, late, err := c.fresh(ctx)
		if err != nil {
			return httpclient.MarkFinal(err)
		}
		err = explainEnd(c.send(ctx, token, u), late)
		switch {
		case err == nil:
			// This upload may have created the channel, so check now whether it is private. Check with the new file, because the index is not
			// updated yet. On an error, the check is repeated later.
			_, _ = c.private(ctx, u.Record.Subdir, u.File)
		case errors.Is(err, channel.ErrExists):
			receipt, err = c.compare(ctx, u, err)
			receipt.Existed = receipt.Existed && attempt == 1 // after a retry, it may be our own earlier attempt
			return httpclient.MarkFinal(err)
		}
		return err
	})
	return receipt, err
}

// doubt checks whether the channel has the file of a failed upload that may have arrived. If this fails too, the returned error wraps both
// errors, and the upload must not be retried.
func (c *Channel) doubt(ctx context.Context, u channel.Upload, failed error) (arrived bool, err error) {
	have, err := c.holds(ctx, u)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w; %w, but the channel could not be asked whether it has the file: %w", failed, channel.ErrMayBeThere, err)
	case have == u.Record.SHA256:
		return true, nil
	case have != "" && !u.Force:
		return false, &channel.ExistsError{File: u.File, Have: have, Sent: u.Record.SHA256}
	}
	return false, nil
}

// send sends the upload request once.
func (c *Channel) send(ctx context.Context, token Token, u channel.Upload) error {
	f, err := os.Open(u.Path)
	if err != nil {
		return channel.Errorf(channel.ErrInvalid, "%w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.Size() != u.Record.Size {
		return channel.Errorf(channel.ErrInvalid, "%s was replaced by another file after it was read", u.Path)
	}
	if err := checkUnchanged(f, u.Record.SHA256); err != nil {
		return channel.Errorf(channel.ErrInvalid, "%s changed after it was read: %w", u.Path, err)
	}
	ctx, w := httpclient.NewWatch(ctx, c.client.patience)
	defer w.Stop()
	r, err := c.request(ctx, u, w.Sending(f, u.Sent))
	if err != nil {
		return err
	}
	return c.client.write(r, token, w)
}

// `checkUnchanged` verifies a file's digest just before it is sent. The file may have changed since it was first read, for example while the
// program waited for the user or for an index.
func checkUnchanged(f *os.File, want string) error {
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return fmt.Errorf("expected sha256 %[2]s, found %[1]s", got, want)
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// request returns the same multipart request that rattler_upload sends (prefix-protocol.md §1.1). It sets the exact Content-Length, and streams
// the file.
func (c *Channel) request(ctx context.Context, u channel.Upload, file io.Reader) (*http.Request, error) {
	sum := u.Record.SHA256
	if len(sum) != 2*sha256.Size {
		return nil, channel.Errorf(channel.ErrInvalid, "the sha256 of %s is not known", u.File)
	}
	// The boundary is the file's digest. A file cannot contain its own digest, so the boundary cannot occur in the file.
	boundary := strings.Join([]string{sum[:16], sum[16:32], sum[32:48], sum[48:]}, "-")
	head := fmt.Sprintf("--%s\r\n"+
		"Content-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"+
		"content-type: application/octet-stream\r\n"+
		"content-length: %d\r\n"+
		"x-file-name: %s\r\n"+
		"x-file-sha256: %s\r\n\r\n", boundary, u.File, u.Record.Size, u.File, sum)
	tail := "\r\n"
	if u.Attestation != nil {
		tail += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"attestation\"\r\n\r\n" + string(u.Attestation) + "\r\n"
	}
	tail += "--" + boundary + "--\r\n"

	to := c.client.url("api/v1/upload", c.name)
	if u.Force {
		to.RawQuery = "force=true"
	}
	// NopCloser keeps the HTTP client from closing the file, which a later attempt needs, and from detecting its size.
	body := io.MultiReader(strings.NewReader(head), io.LimitReader(file, u.Record.Size), strings.NewReader(tail))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	r.ContentLength = int64(len(head)) + u.Record.Size + int64(len(tail))
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	return r, nil
}

// `holds` returns the sha256 of the upload's file on the channel, or "" if the channel does not have it.
func (c *Channel) holds(ctx context.Context, u channel.Upload) (string, error) {
	if _, err := c.Private(ctx); err != nil {
		return "", err
	}
	return channel.Holds(ctx, c, u.Record.Subdir, u.Record.Name, u.File)
}

// compare handles a 409 by comparing digests. The channel has the file but may not show it yet, so compare polls for it, with the same number of
// attempts as a request.
func (c *Channel) compare(ctx context.Context, u channel.Upload, conflict error) (channel.Receipt, error) {
	var have string
	err := c.client.retry.Do(ctx, func(int) (err error) {
		have, err = c.holds(ctx, u)
		if err != nil {
			return httpclient.MarkFinal(fmt.Errorf("%w; asking the channel whether it has the file: %w", conflict, err))
		}
		if have == "" {
			return unseen{error: conflict}
		}
		return nil
	})
	var none unseen
	switch {
	case err != nil && (ctx.Err() != nil || !errors.As(err, &none)):
		return channel.Receipt{}, err
	case have == u.Record.SHA256:
		return channel.Receipt{Existed: true}, nil
	}
	return channel.Receipt{}, &channel.ExistsError{File: u.File, Have: have, Sent: u.Record.SHA256}
}

// unseen is the error for a file that the channel reports as existing but does not show yet. It implements httpclient.Answer.
type unseen struct{ error }

func (e unseen) Unwrap() error { return e.error }

// Again implements httpclient.Answer.
func (unseen) Again() (bool, time.Duration) { return true, 0 }

// explain adds the next step to an upload error.
func (c *Channel) explain(ctx context.Context, u channel.Upload, err error) error {
	next := ""
	var exists *channel.ExistsError
	switch {
	case errors.As(err, &exists) && exists.Have == "":
		next = "run the same command again: the channel reports that it has the file, but does not show the file yet"
	case errors.Is(err, channel.ErrExists):
		next = "raise the version: published files are not replaced, because lock files of other people have their sha256"
	case errors.Is(err, channel.ErrUnauthorized):
		next = "check the API key, or the trusted publisher of the channel"
	case errors.Is(err, channel.ErrForbidden):
		next = "check that the owner of the key may write to this channel"
	case errors.Is(err, channel.ErrNotFound):
		next = "create the channel first, on " + c.client.Server()
	case errors.Is(err, channel.ErrUnavailable):
		next = "run the same command again later: uploaded files are not sent twice"
	case errors.Is(err, channel.ErrTooLarge):
		next = "make the package smaller, or check the size limit of " + c.client.Server()
	case errors.Is(err, channel.ErrInvalid):
		next = "build the package again; the answer of " + c.client.Server() + " above has the reason"
	case errors.Is(err, channel.ErrMalformed):
		next = "check the server's address " + c.client.Server() + ", and whether a proxy in front of the server refuses uploads"
	case ctx.Err() == nil && channel.Status(err) == http.StatusInternalServerError: // a network error
		next = "check that " + c.client.Server() + " can be reached, then run the same command again: uploaded files are not sent twice"
	}
	return operr.New(next, "uploading %s to %s: %w", u.File, c.URL(), err)
}
