package prefixdev

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// mostClaims limits the size of an ID token's payload, in bytes. No real payload is this large.
const mostClaims = 32 << 10

// publisherClaims lists, for each CI, the claims that identify a trusted publisher. The first claim identifies the CI, because all of its tokens have
// it. It is safe to print claims, because only the signature of an ID token is secret.
var publisherClaims = [][]string{
	{"repository", "workflow_ref", "job_workflow_ref", "environment"},                        // GitHub
	{"project_path", "ci_config_ref_uri", "ref_type", "ref", "ref_protected", "environment"}, // GitLab
	{"sub", "iss"},
}

// describeClaims returns the claims of an ID token with which a trusted publisher must be registered, one per line. It returns "" if the token
// cannot be parsed. The user could not guess these claims if the job uses a reusable workflow or an environment.
func describeClaims(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	if len(payload) > mostClaims {
		return ""
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(payload, "="))
	if err != nil {
		return ""
	}
	var claims map[string]any
	if json.Unmarshal(data, &claims) != nil {
		return ""
	}
	for _, names := range publisherClaims {
		if claims[names[0]] != nil {
			return "the ID token says:" + listClaims(claims, names)
		}
	}
	return ""
}

// listClaims formats each claim as a line. It omits job_workflow_ref if it equals workflow_ref, which means that no reusable workflow is used.
func listClaims(claims map[string]any, names []string) string {
	var b strings.Builder
	for _, name := range names {
		value, there := claims[name]
		switch {
		case name == "job_workflow_ref" && (!there || value == claims["workflow_ref"]):
			continue
		case name == "environment" && (!there || value == nil || value == ""):
			value = "(none)"
		case !there:
			continue
		}
		fmt.Fprintf(&b, "\n  %s: %s", name, httpclient.Sanitize(fmt.Sprint(value)))
	}
	return b.String()
}
