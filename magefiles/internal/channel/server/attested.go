package server

import (
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/attestation"
	"github.com/foopack/foopack/magefiles/internal/channel"
)

// readAttestation reads the part of a form that holds a bundle.
func readAttestation(part io.Reader) ([]byte, error) {
	const most = attestation.MaxSize - 2 // the sidecar is an array of it
	data, err := io.ReadAll(io.LimitReader(part, most+1))
	if err == nil && len(data) > most {
		return nil, channel.Errorf(channel.ErrTooLarge, "an attestation may have %d bytes, and this has more", most)
	}
	return data, err
}

// attested checks an upload's attestation, as far as that can be done offline: what it says, that it was signed by its own
// certificate, and that this is of the repository for whose job the token was minted.
func (s *server) attested(r *http.Request, token, name string, u channel.Upload) error {
	if u.Attestation == nil {
		return nil
	}
	a, err := attestation.Parse(u.Attestation)
	if err == nil {
		err = a.Check(u.File, u.Record.SHA256, r.Host, name)
	}
	if err != nil {
		return channel.Errorf(channel.ErrInvalid, "%w", err)
	}
	if s.Accounts == nil {
		return nil
	}
	repository, minted := s.Accounts.Repository(token)
	if minted && a.Repository != "" && !strings.HasSuffix(strings.ToLower(a.Repository), "/"+strings.ToLower(repository)) {
		return channel.Errorf(channel.ErrForbidden, "the attestation is of %.150q, and the token was minted for %.100q", a.Repository, repository)
	}
	return nil
}
