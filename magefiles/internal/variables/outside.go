package variables

import (
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
)

// Channel returns our channel, and the sources of its credential outside of a CI: an API key, and the credential files of the rattler tools. home is
// the person's home folder; "" if there is none.
func (v Variables) Channel(home string) ourchannel.Config {
	c := ourchannel.Config{
		Server:   v.Getenv("PREFIX_SERVER_URL"),
		Name:     v.Getenv("PREFIX_CHANNEL"),
		Sources:  prefixdev.Sources{APIKey: v.Getenv("PREFIX_API_KEY")},
		AuthFile: v.Getenv("RATTLER_AUTH_FILE"),
	}
	if c.AuthFile != "" {
		c.Sources.Files = append(c.Sources.Files, c.AuthFile)
	}
	if home != "" {
		c.Sources.Files = append(c.Sources.Files, filepath.Join(home, ".rattler", "credentials.json"))
	}
	return c
}

// GitHub returns how to access the repository on GitHub. The repository comes from GITHUB_REPOSITORY, or otherwise from the remote's URL, which
// remote returns. Without a repository, the hub is not GitHub.
func (v Variables) GitHub(remote func() (address string, err error)) (o github.Options, err error) {
	o = github.Options{
		API:        v.Getenv("GITHUB_API_URL"),
		Repository: v.Getenv("GITHUB_REPOSITORY"),
		Token:      github.Token(v.Getenv("GITHUB_TOKEN")),
	}
	if o.Repository == "" {
		address, err := remote()
		if err != nil {
			return o, err
		}
		name, host, ok := github.RepositoryOf(address)
		if !ok || host != "github.com" && o.API == "" {
			return o, nil
		}
		o.Repository = name
	}
	o.Patience, err = v.Patience()
	return o, err
}

// PullToken returns the token of a GitHub App, with which a job opens the pull request of a release; "" if the job uses its own token.
func (v Variables) PullToken() string { return v.Getenv("RELEASE_PR_TOKEN") }

// SSH returns a CI's credentials for its hosts: a private key, and lines of known_hosts.
func (v Variables) SSH() (key, knownHosts string) {
	return v.Getenv("DEPLOY_SSH_PRIVATE_KEY"), v.Getenv("DEPLOY_KNOWN_HOSTS")
}
