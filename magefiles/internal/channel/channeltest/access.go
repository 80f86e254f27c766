package channeltest

import (
	"context"
	"crypto/subtle"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
)

// APIKey lets everyone read, and the bearer of the key do everything. An empty key lets no one write.
func APIKey(key string) server.Authorizer {
	return func(_ context.Context, token string, action server.Action, _ string) error {
		switch {
		case action == server.Read:
			return nil
		case token == "":
			return channel.Errorf(channel.ErrUnauthorized, "this needs a token: Authorization: Bearer …")
		case key == "" || subtle.ConstantTimeCompare([]byte(token), []byte(key)) != 1:
			return channel.Errorf(channel.ErrUnauthorized, "the token is not known here")
		}
		return nil
	}
}

// GitLabClaims are what GitLab says of a job of a project.
func GitLabClaims(project, file, ref string) map[string]any {
	namespace, _, _ := strings.Cut(project, "/")
	return map[string]any{
		"sub": "project_path:" + project + ":ref_type:tag:ref:" + ref, "project_path": project, "namespace_path": namespace,
		"ref": ref, "ref_type": "tag", "ci_config_ref_uri": "gitlab.com/" + project + "//" + file + "@refs/tags/" + ref,
	}
}
