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
// It is tried again where the protocol calls the outcome transient. After anything that leaves open whether the file
// arrived, the channel is asked what it holds before the file is sent again. A 409 is not taken for success, but
// compared: the same bytes are done, others are a *channel.ExistsError.
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
			return httpclient.NotAgain(err)
		}
		err = explainEnd(c.send(ctx, token, u), late)
		switch {
		case err == nil:
			// The first upload may have made the channel. Where this cannot be answered, it is asked later; the index, which
			// has to be written anew now, is not asked for.
			_, _ = c.private(ctx, u.Record.Subdir, u.File)
		case errors.Is(err, channel.ErrExists):
			receipt, err = c.compare(ctx, u, err)
			receipt.Existed = receipt.Existed && attempt == 1 // an earlier attempt had arrived
			return httpclient.NotAgain(err)
		}
		return err
	})
	return receipt, err
}

// doubt asks the channel whether an upload arrived whose answer left that open. The error is the upload's where it did
// not, and could be sent again: nothing may be sent again before that is known.
func (c *Channel) doubt(ctx context.Context, u channel.Upload, failed error) (arrived bool, err error) {
	have, err := c.holds(ctx, u)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w; %w, and asking what the channel holds went wrong too: %w", failed, channel.ErrMayBeThere, err)
	case have == u.Record.SHA256:
		return true, nil
	case have != "" && !u.Force:
		return false, &channel.ExistsError{File: u.File, Have: have, Sent: u.Record.SHA256}
	}
	return false, nil
}

// send makes one attempt.
func (c *Channel) send(ctx context.Context, token Token, u channel.Upload) error {
	f, err := os.Open(u.Path)
	if err != nil {
		return channel.Errorf(channel.ErrInvalid, "%w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.Size() != u.Record.Size {
		return channel.Errorf(channel.ErrInvalid, "%s is not the file any more that it was when it was read", u.Path)
	}
	if err := same(f, u.Record.SHA256); err != nil {
		return channel.Errorf(channel.ErrInvalid, "%s is not the file any more that it was when it was read: %w", u.Path, err)
	}
	ctx, w := httpclient.NewWatch(ctx, c.client.patience)
	defer w.Stop()
	r, err := c.request(ctx, u, w.Sending(f, u.Sent))
	if err != nil {
		return err
	}
	return c.client.write(r, token, w)
}

// same compares what is about to be sent with its digest: people are asked, and indexes waited for, after it was read.
func same(f *os.File, want string) error {
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return fmt.Errorf("its sha256 is %s, and was %s", got, want)
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// request is the form that rattler_upload sends (prefix-protocol.md §1.1), with its exact length in front and the file
// streamed into the middle.
func (c *Channel) request(ctx context.Context, u channel.Upload, file io.Reader) (*http.Request, error) {
	sum := u.Record.SHA256
	if len(sum) != 2*sha256.Size {
		return nil, channel.Errorf(channel.ErrInvalid, "the sha256 of %s is not known", u.File)
	}
	// The file cannot hold its own digest, so that what is made of it never stands in the file.
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
	// Without the wrapper the HTTP client would close the file under a later attempt's feet, or find its size.
	body := io.MultiReader(strings.NewReader(head), io.LimitReader(file, u.Record.Size), strings.NewReader(tail))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	r.ContentLength = int64(len(head)) + u.Record.Size + int64(len(tail))
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	return r, nil
}

// holds is the sha256 of what the channel has under the name of an upload, or "".
func (c *Channel) holds(ctx context.Context, u channel.Upload) (string, error) {
	if _, err := c.Private(ctx); err != nil {
		return "", err
	}
	return channel.Holds(ctx, c, u.Record.Subdir, u.Record.Name, u.File)
}

// compare decides what a 409 means. The file is there, but may not be seen yet: it is asked for as often as a request is
// tried.
func (c *Channel) compare(ctx context.Context, u channel.Upload, conflict error) (channel.Receipt, error) {
	var have string
	err := c.client.retry.Do(ctx, func(int) (err error) {
		have, err = c.holds(ctx, u)
		if err != nil {
			return httpclient.NotAgain(fmt.Errorf("%w; asking what the channel holds: %w", conflict, err))
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

// unseen says of a file that is there that it is not seen yet. It is an httpclient.Answer.
type unseen struct{ error }

func (e unseen) Unwrap() error { return e.error }

// Again implements httpclient.Answer.
func (unseen) Again() (bool, time.Duration) { return true, 0 }

// explain says what to do next.
func (c *Channel) explain(ctx context.Context, u channel.Upload, err error) error {
	next := ""
	var exists *channel.ExistsError
	switch {
	case errors.As(err, &exists) && exists.Have == "":
		next = "run it again: the channel says that it has the file and does not show it yet"
	case errors.Is(err, channel.ErrExists):
		next = "raise the version: published bytes are not replaced, and those who locked them would notice"
	case errors.Is(err, channel.ErrUnauthorized):
		next = "check the API key, or the trusted publisher of the channel"
	case errors.Is(err, channel.ErrForbidden):
		next = "check that the key's owner may write to this channel, and what the channel allows"
	case errors.Is(err, channel.ErrNotFound):
		next = "make the channel first, on " + c.client.Server()
	case errors.Is(err, channel.ErrUnavailable):
		next = "run it again later: what has arrived is not sent twice"
	case errors.Is(err, channel.ErrTooLarge):
		next = "make the package smaller, or see what " + c.client.Server() + " takes"
	case errors.Is(err, channel.ErrInvalid):
		next = "build it again, and see what " + c.client.Server() + " says of it"
	case errors.Is(err, channel.ErrMalformed):
		next = "correct the server's address: see what " + c.client.Server() + ", or a proxy before it, does with uploads"
	case ctx.Err() == nil && channel.Status(err) == http.StatusInternalServerError: // the network's
		next = "see whether " + c.client.Server() + " can be reached, and run it again: what has arrived is not sent twice"
	}
	return operr.New(next, "uploading %s to %s: %w", u.File, c.URL(), err)
}
