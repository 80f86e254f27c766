package channeltest

import (
	"context"
	"crypto/subtle"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
)

// APIKey returns an Authorizer that allows everyone to read, and the key's bearer to do everything. If the key is empty, nobody can write.
func APIKey(key string) server.Authorizer {
	return func(_ context.Context, token string, action server.Action, _ string) error {
		switch {
		case action == server.Read:
			return nil
		case token == "":
			return channel.Errorf(channel.ErrUnauthorized, "no token was sent; this request needs the header Authorization: Bearer TOKEN")
		case key == "" || subtle.ConstantTimeCompare([]byte(token), []byte(key)) != 1:
			return channel.Errorf(channel.ErrUnauthorized, "the token is unknown or has expired")
		}
		return nil
	}
}

// GitLabClaims returns the claims that GitLab makes about a project's job.
func GitLabClaims(project, file, ref string) map[string]any {
	namespace, _, _ := strings.Cut(project, "/")
	return map[string]any{
		"sub": "project_path:" + project + ":ref_type:tag:ref:" + ref, "project_path": project, "namespace_path": namespace,
		"ref": ref, "ref_type": "tag", "ci_config_ref_uri": "gitlab.com/" + project + "//" + file + "@refs/tags/" + ref,
	}
}
