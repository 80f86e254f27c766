package channel

import (
	"errors"
	"fmt"
	"net/http"
)

// Kinds of errors. An error from a Channel wraps one of these, or is a disk or network error.
var (
	ErrMalformed    = errors.New("malformed request")       // the request cannot be parsed
	ErrUnauthorized = errors.New("not authorized")          // no credential, or an unknown one
	ErrForbidden    = errors.New("forbidden")               // the credential does not allow this action
	ErrNotFound     = errors.New("not found")               // no such channel, subdir or file
	ErrExists       = errors.New("already on the channel")  // a file with this name but different bytes; see ExistsError
	ErrTooLarge     = errors.New("too large")               // larger than the channel's limit
	ErrInvalid      = errors.New("not a valid artifact")    // wrong digest, name or metadata
	ErrUnavailable  = errors.New("temporarily unavailable") // a retry may succeed
)

// ErrMayBeThere is wrapped by an upload error if it is unknown whether the file was published, because both the upload and the check of the
// channel failed. Both errors are wrapped too.
var ErrMayBeThere = errors.New("the file may have arrived")

// statuses maps each error to the HTTP status that the server sends for it. The client maps the status back to the error (prefix-protocol.md
// §1.2: rattler_upload, prefix.rs).
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

// Status returns the HTTP status for an error. It returns 200 for nil, and 500 for an error that is not in the table.
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

// OfStatus returns the error for an HTTP status. The protocol considers a status transient (ErrUnavailable) if it is neither a success nor in the
// table. A redirect is ErrMalformed, because an upload must not follow it.
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

// ExistsError is an ErrExists with the digests of both files.
type ExistsError struct {
	File string
	Have string // sha256 of the file on the channel, in hex; "" if unknown
	Sent string // sha256 of the file to upload, in hex
}

func (e *ExistsError) Error() string {
	if e.Have == "" {
		return fmt.Sprintf("%s is already on the channel; the file to upload has sha256 %s", e.File, e.Sent)
	}
	return fmt.Sprintf("%s is already on the channel with sha256 %s; the file to upload has sha256 %s", e.File, e.Have, e.Sent)
}

// Is makes errors.Is(err, ErrExists) true.
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// Errorf returns an error of the given kind. Its text is the formatted message, without the kind's text.
func Errorf(kind error, format string, args ...any) error {
	return &kindError{kind: kind, text: fmt.Errorf(format, args...)}
}

type kindError struct{ kind, text error }

func (e *kindError) Error() string   { return e.text.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.text} }
