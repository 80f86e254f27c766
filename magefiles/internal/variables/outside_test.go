package variables_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// The repository comes from GITHUB_REPOSITORY, or otherwise from the remote's URL, if that is on GitHub or on the named server.
func TestRepository(t *testing.T) {
	const enterprise = "https://github.example.org/api/v3"
	for name, c := range map[string]struct {
		set    map[string]string
		remote string
		want   string
	}{
		"named":                  {set: map[string]string{"GITHUB_REPOSITORY": "octo/mono"}, remote: "https://github.com/other/mono", want: "octo/mono"},
		"the remote's":           {remote: "git@github.com:octo/mono.git", want: "octo/mono"},
		"on a server":            {set: map[string]string{"GITHUB_API_URL": enterprise}, remote: "https://github.example.org/octo/mono", want: "octo/mono"},
		"on a server, unnamed":   {remote: "https://github.example.org/octo/mono"},
		"elsewhere":              {remote: "https://gitlab.com/octo/mono"},
		"a folder":               {set: map[string]string{"GITHUB_API_URL": enterprise}, remote: "/srv/mono.git"},
		"a remote of no address": {},
	} {
		o, err := of(c.set).GitHub(func() (string, error) { return c.remote, nil })
		require.NoError(t, err, name)
		require.Equal(t, c.want, o.Repository, name)
	}
	asked := errors.New("git does not answer")
	_, err := of(nil).GitHub(func() (string, error) { return "", asked })
	require.ErrorIs(t, err, asked)
	_, err = of(map[string]string{"GITHUB_REPOSITORY": "octo/mono", "PIPELINE_PATIENCE": "soon"}).GitHub(nil)
	require.ErrorContains(t, err, "PIPELINE_PATIENCE=soon is not a duration")
}

// A file that a variable names takes precedence over the file in the person's home folder.
func TestTheFilesOfAChannelsKeys(t *testing.T) {
	require.Equal(t, []string{"/home/x/.rattler/credentials.json"}, of(nil).Channel("/home/x").Sources.Files)
	require.Equal(t, []string{"/keys", "/home/x/.rattler/credentials.json"}, of(map[string]string{"RATTLER_AUTH_FILE": "/keys"}).Channel("/home/x").Sources.Files)
	require.Empty(t, of(nil).Channel("").Sources.Files)
}
