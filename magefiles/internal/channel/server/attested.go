package server

import (
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/attestation"
	"github.com/foopack/foopack/magefiles/internal/channel"
)

// readAttestation reads the form part that contains a bundle.
func readAttestation(part io.Reader) ([]byte, error) {
	const most = attestation.MaxSize - 2 // leaves room for the brackets of the sidecar's array
	data, err := io.ReadAll(io.LimitReader(part, most+1))
	if err == nil && len(data) > most {
		return nil, channel.Errorf(channel.ErrTooLarge, "the attestation is longer than the limit of %d bytes", most)
	}
	return data, err
}

// checkAttestation checks an upload's attestation without network access. It checks the statement, verifies the signature with the bundle's
// certificate, and checks that the certificate names the repository whose job the token was minted for.
func (s *server) checkAttestation(r *http.Request, token, name string, u channel.Upload) error {
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
		return channel.Errorf(channel.ErrForbidden, "the attestation is from %.150q, but the token was minted for %.100q", a.Repository, repository)
	}
	return nil
}
