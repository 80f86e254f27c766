package registry

import (
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Login is docker's stored login for a registry. It is the zero value if nobody has logged in.
type Login struct {
	Server   string // HOST[:PORT]
	User     string
	Password string
	Token    string // used instead of a password
}

// LoginOf returns the user's login for an image's registry. `image` is a repository with an optional tag or digest.
func LoginOf(image string) (Login, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return Login{}, err
	}
	repo := ref.Context()
	found, err := authn.DefaultKeychain.Resolve(repo)
	if err == nil && found == authn.Anonymous {
		return Login{}, nil
	}
	var has *authn.AuthConfig
	if err == nil {
		has, err = found.Authorization()
	}
	if err != nil {
		if why := explainLogin("reading the login for "+repo.RegistryStr(), err); why != nil {
			err = why
		}
		return Login{}, err
	}
	return Login{Server: repo.RegistryStr(), User: has.Username, Password: has.Password, Token: has.IdentityToken}, nil
}
