package uv

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Network problems cannot be fixed by a commit, whatever was being installed.
func TestNextOfAnInstallationThatFailed(t *testing.T) {
	const commit = "correct it and commit that"
	for said, next := range map[string]string{
		"  cause: invalid peer certificate: UnknownIssuer":                                                     "SSL_CERT_FILE",
		"SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))":  "SSL_CERT_FILE",
		"  cause: tunnel error: proxy authorization required":                                                  "NAME:PASSWORD",
		"OSError('Tunnel connection failed: 407 Proxy Authentication Required')":                               "NAME:PASSWORD",
		"  cause: tunnel error: unsuccessful":                                                                  "the proxy in HTTPS_PROXY",
		"ProxyError('Cannot connect to proxy.', NewConnectionError('refused'))":                                "the proxy in HTTPS_PROXY",
		"error: Failed to fetch: `https://pypi.org/simple/six/`\n  cause: error sending request for url":       "UV_DEFAULT_INDEX",
		"  cause: dns error: failed to lookup address information: Temporary failure in name resolution":       "UV_DEFAULT_INDEX",
		"hint: Packages were unavailable because the network was disabled.":                                    "UV_DEFAULT_INDEX",
		"  cause: HTTP status client error (403 Forbidden) for url (https://mirror.example/simple/six/)":       "the password of the index in UV_DEFAULT_INDEX",
		"Because there is no version of six==99 and you require six==99, your requirements are unsatisfiable":  commit,
		"ModuleNotFoundError: No module named 'setup_helpers'\nhint: This usually indicates a problem with it": commit,
	} {
		exit := &command.ExitError{Name: "uv", Code: 1, Tail: said}
		err := operr.New(commit, "the task qa: %w", explain(exit, "installing"))
		require.Contains(t, operr.NextOf(err), next, said)
		require.Equal(t, said, operr.DetailOf(err))
		var kept *command.ExitError
		require.ErrorAs(t, err, &kept)
	}
	require.NoError(t, explain(nil, "installing"))
	require.Contains(t, operr.NextOf(explain(errors.New("odd"), "installing")), "UV_DEFAULT_INDEX")
	require.False(t, strings.Contains(reachable, "commit"))
}

// An interrupted installation does not mean that the index is unreachable.
func TestAnInstallationThatWasStopped(t *testing.T) {
	why := errors.New("enough")
	ctx, end := context.WithCancelCause(t.Context())
	end(why)
	err := explain(command.NewSystem(nil, nil).Run(ctx, command.Cmd{Name: "uv"}), "installing")
	require.ErrorIs(t, err, why)
	require.Empty(t, operr.NextOf(err))
}
