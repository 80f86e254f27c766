package prefixdev

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// mostClaims is more than the payload of any ID token has, in bytes.
const mostClaims = 32 << 10

// publisherClaims are what a trusted publisher is registered by, of each CI: known by the first, which all its tokens have. The payload
// of an ID token is no secret, its signature is.
var publisherClaims = [][]string{
	{"repository", "workflow_ref", "job_workflow_ref", "environment"},                        // GitHub
	{"project_path", "ci_config_ref_uri", "ref_type", "ref", "ref_protected", "environment"}, // GitLab
	{"sub", "iss"},
}

// describeClaims says what an ID token says of its job, as far as a trusted publisher is registered by it: a line for each claim; "" where it
// cannot be read. In a reusable workflow, or with an environment, nobody could guess it.
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

// listClaims writes a line for each claim. What calls no other workflow names its own twice.
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
		fmt.Fprintf(&b, "\n  %s: %s", name, httpclient.Said(fmt.Sprint(value)))
	}
	return b.String()
}
