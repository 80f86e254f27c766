package variables

import (
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
)

// Channel is which channel is ours, and where its credential may come from but for a CI: from an API key, and from the files that the
// rattler tools keep. home is the person's folder; "" where there is none.
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

// GitHub is how the repository there is reached: the one that GITHUB_REPOSITORY names, or else that of the remote, whose address is asked
// for. Without a repository the hub is not GitHub.
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

// PullToken is the token of a GitHub App, by which a job opens the pull request of a release in place of its own; "" for none.
func (v Variables) PullToken() string { return v.Getenv("RELEASE_PR_TOKEN") }

// SSH is by what hosts let a CI in, and how they are known: a private key, and lines of known_hosts.
func (v Variables) SSH() (key, knownHosts string) {
	return v.Getenv("DEPLOY_SSH_PRIVATE_KEY"), v.Getenv("DEPLOY_KNOWN_HOSTS")
}
