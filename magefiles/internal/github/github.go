// Package github is a client for the parts of GitHub's REST API that a release needs.
//
//	Look      reads the state of a tag: its commit, the published release, the drafts
//	Check     checks whether a release is published and complete, and changes nothing
//	Ensure    makes the release: drafts it, attaches missing files, compares digests, publishes once
//	Runs      lists the workflow runs of a commit; Jobs lists a run's jobs, and Artifact reads a record that a run has stored
//	Dispatch  starts a workflow run, if none has started automatically
//	Pulls     lists a branch's pull requests; OpenPull and EditPull write one, LandsBy reads the rules of its base branch
//	Notes     builds release notes within GitHub's limit
//
// Everything is idempotent, because the state is read first. Ensure reads the state, makes missing changes, and repeats this until nothing is
// missing. It may be killed anywhere, and run again, on another machine or twice at once, with the same result. A request that creates something is
// only retried after the state was read again. Missing files are added to a published release, but it is never changed otherwise.
//
// The API is documented at https://docs.github.com/en/rest; the version is 2022-11-28. Sub-package server implements it for rehearsals.
package github

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// DefaultAPI is the public API. On a runner, GITHUB_API_URL is the URL of the runner's API.
const DefaultAPI = "https://api.github.com"

// Token is a bearer token. Package fmt never prints it.
type Token = httpclient.Token

// Options configures a client.
type Options struct {
	API        string            // URL; "" means DefaultAPI. Its path is kept, because the URL of an enterprise server ends in /api/v3
	Repository string            // "owner/name"
	Token      Token             // "" can only read public data
	Transport  http.RoundTripper // nil means a default transport, which uses the proxy variables of the environment
	Attempts   int               // maximum number of attempts per request; 0 means 4
	Patience   time.Duration     // how long a transfer may stall before the request fails; 0 means two minutes

	// Wait is called before each retry, with the pause that the server asked for, or 0. If the context ends first, it returns the context's error.
	// If nil, httpclient.BackOff is used.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error

	// Sent is called with the number of bytes of a file sent so far, which restarts at zero for each attempt. It may be nil.
	Sent func(file string, sent, size int64)
}

// Client sends requests for one repository.
type Client struct {
	base       *url.URL // ends with a slash
	repository string
	token      Token
	retry      httpclient.Retry
	patience   time.Duration
	sent       func(file string, sent, size int64)
	reader     *http.Client // follows redirects, with the token only within the API's origin
	loader     *http.Client // follows redirects to stored files, without the token
	writer     *http.Client // refuses redirects
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$`)

// CheckRepository rejects a text that cannot be a repository name, "owner/name".
func CheckRepository(name string) error {
	if !repositoryName.MatchString(name) || strings.HasSuffix(name, "/.") || strings.HasSuffix(name, "/..") {
		return operr.NewUsage("write the repository as owner/name", "%.120q is not the name of a repository", name)
	}
	return nil
}

// New creates a client without sending a request. It rejects invalid URLs and names, and a token that would be sent over the network unencrypted.
func New(o Options) (*Client, error) {
	if o.API == "" {
		o.API = DefaultAPI
	}
	base, err := parseAPI(o.API)
	if err != nil {
		return nil, err
	}
	if err := o.Token.CheckFor(base); err != nil {
		return nil, err
	}
	if err := CheckRepository(o.Repository); err != nil {
		return nil, err
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	if o.Transport == nil {
		o.Transport = httpclient.Transport()
	}
	c := &Client{
		base:       base,
		repository: o.Repository,
		token:      o.Token,
		retry:      httpclient.Retry{Attempts: o.Attempts, Wait: o.Wait, Final: said},
		patience:   o.Patience,
		sent:       o.Sent,
	}
	c.reader = &http.Client{Transport: o.Transport, CheckRedirect: c.checkRedirect}
	c.loader = &http.Client{Transport: o.Transport, CheckRedirect: c.followSigned}
	c.writer = &http.Client{Transport: o.Transport, CheckRedirect: httpclient.Refuse}
	return c, nil
}

func parseAPI(api string) (*url.URL, error) {
	u, err := url.Parse(api)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return nil, operr.NewUsage("set GITHUB_API_URL to a URL such as "+DefaultAPI, "the address of GitHub's API is not an http or https URL")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, operr.NewUsage("remove all other parts from GITHUB_API_URL; set a token in GITHUB_TOKEN", "the address of GitHub's API at %s must have only a scheme, a host and a path", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}

// url returns a URL below the repository's. The parts are escaped, and may contain slashes, as tags do.
func (c *Client) url(parts ...string) *url.URL {
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(p), "%2F", "/")
	}
	return c.base.JoinPath(append([]string{"repos", c.repository}, parts...)...)
}

// trusted reports whether the token may be sent to u. It may be sent to the API's own origin, which also accepts uploads on an enterprise server.
// From the API of github.com, or of a ghe.com tenant, it may also be sent to the same owner's upload host. The upload URL comes from a response, and
// is not trusted beyond that.
func (c *Client) trusted(u *url.URL) bool {
	if u.User != nil {
		return false
	}
	if httpclient.SameOrigin(u, c.base) {
		return true
	}
	domain, ok := strings.CutPrefix(c.base.Host, "api.")
	return ok && (domain == "github.com" || strings.HasSuffix(domain, ".ghe.com")) &&
		c.base.Scheme == "https" && u.Scheme == "https" && u.Host == "uploads."+domain
}

// Details holds the facts about the repository that a release needs.
type Details struct {
	DefaultBranch string `json:"defaultBranch"`
	Private       bool   `json:"private"`
	Archived      bool   `json:"archived"` // the repository is read-only
	URL           string `json:"url"`      // web page
	ForkOf        string `json:"forkOf"`   // "owner/name" of the parent repository; "" if it is not a fork
	Push          *bool  `json:"push"`     // whether the token's owner may push; nil if GitHub does not report it, as for some job tokens
}

// installation is the prefix of app tokens, such as a job's (https://github.blog/engineering/behind-githubs-new-authentication-token-formats/). A
// repository's permissions are a user's, and do not apply to such a token.
const installation = "ghs_"

// Details reads facts about the repository (https://docs.github.com/en/rest/repos/repos#get-a-repository).
func (c *Client) Details(ctx context.Context) (Details, error) {
	var answer struct {
		DefaultBranch string `json:"default_branch"`
		Private       bool   `json:"private"`
		Archived      bool   `json:"archived"`
		HTMLURL       string `json:"html_url"`
		Parent        struct {
			FullName string `json:"full_name"`
		} `json:"parent"`
		Permissions *struct {
			Push *bool `json:"push"`
		} `json:"permissions"`
	}
	if _, err := c.get(ctx, c.url(), &answer); err != nil {
		return Details{}, c.explain(err, contents, "asking for the repository %s", c.repository)
	}
	d := Details{DefaultBranch: answer.DefaultBranch, Private: answer.Private, Archived: answer.Archived, URL: answer.HTMLURL, ForkOf: answer.Parent.FullName}
	if answer.Permissions != nil && !strings.HasPrefix(string(c.token), installation) {
		d.Push = answer.Permissions.Push
	}
	return d, nil
}
