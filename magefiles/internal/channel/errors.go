package channel

import (
	"errors"
	"fmt"
	"net/http"
)

// What can be wrong. Errors of a Channel wrap one of these, or are those of the disk or the network.
var (
	ErrMalformed    = errors.New("malformed request")       // the request itself cannot be read
	ErrUnauthorized = errors.New("not authorized")          // no credential, or one that is not known
	ErrForbidden    = errors.New("forbidden")               // a known credential that may not do this
	ErrNotFound     = errors.New("not found")               // no such channel, subdir or file
	ErrExists       = errors.New("already on the channel")  // the same name with other bytes; see ExistsError
	ErrTooLarge     = errors.New("too large")               // more bytes than the channel takes
	ErrInvalid      = errors.New("not a valid artifact")    // digest, name or metadata do not agree
	ErrUnavailable  = errors.New("temporarily unavailable") // it may go well when it is tried again
)

// ErrMayBeThere is in the chain of an upload's error, beside those of its answer and of the question what the channel holds: neither says what came of it.
var ErrMayBeThere = errors.New("it may have arrived")

// statuses is the table (prefix-protocol.md §1.2: rattler_upload, prefix.rs): what the server answers for an error, and what
// the client takes an answer for.
var statuses = []struct {
	err    error
	status int
}{
	{ErrMalformed, http.StatusBadRequest},
	{ErrUnauthorized, http.StatusUnauthorized},
	{ErrForbidden, http.StatusForbidden},
	{ErrNotFound, http.StatusNotFound},
	{ErrExists, http.StatusConflict},
	{ErrTooLarge, http.StatusRequestEntityTooLarge},
	{ErrInvalid, http.StatusUnprocessableEntity},
	{ErrUnavailable, http.StatusServiceUnavailable},
}

// Status is the HTTP status that stands for an error: 500 for one that is not in the table, and 200 for nil.
func Status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

// OfStatus is the error that an HTTP status stands for. Every status that is neither a success nor in the table is one
// that the protocol calls transient (ErrUnavailable), but for redirects, which an upload must not follow and which are
// ErrMalformed.
func OfStatus(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return ErrMalformed
	}
	for _, s := range statuses {
		if s.status == status {
			return s.err
		}
	}
	return ErrUnavailable
}

// ExistsError is an ErrExists that knows both sides: the same file name stands for other bytes on the channel.
type ExistsError struct {
	File string
	Have string // sha256 of what the channel has, in hex; "" where it could not be learned
	Sent string // sha256 of what was to be put, in hex
}

func (e *ExistsError) Error() string {
	if e.Have == "" {
		return fmt.Sprintf("%s is already on the channel; this one has sha256 %s", e.File, e.Sent)
	}
	return fmt.Sprintf("%s is already on the channel with sha256 %s; this one has %s", e.File, e.Have, e.Sent)
}

// Is makes errors.Is(err, ErrExists) true.
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// Errorf makes an error of one of the kinds above, whose text is the formatted sentence alone.
func Errorf(kind error, format string, args ...any) error {
	return &kindError{kind: kind, text: fmt.Errorf(format, args...)}
}

type kindError struct{ kind, text error }

func (e *kindError) Error() string   { return e.text.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.text} }
