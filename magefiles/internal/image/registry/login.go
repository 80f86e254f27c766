package registry

import (
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Login is what docker keeps for a registry; the zero value where nobody has logged in.
type Login struct {
	Server   string // HOST[:PORT]
	User     string
	Password string
	Token    string // in place of a password
}

// LoginOf is the login of whoever runs us for the registry of an image, by a repository, or with a tag or a digest.
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
