// Package github is GitHub as a place for releases: the client side of its REST API, as far as a release needs it.
//
//	Look      what is there of a tag: the commit it names, the published release, the drafts
//	Check     is a release there as it should be? Nothing is changed
//	Ensure    makes it so: draft, attach what is missing, compare digests, publish once
//	Runs      the workflow runs of a commit, Jobs those of one of them, and Artifact what it has recorded
//	Dispatch  begins a run of a workflow, where none has begun by itself
//	Pulls     the pull requests of a branch; OpenPull and EditPull write one, LandsBy asks the rules of the branch that it goes to
//	Notes     the notes of a release, as long as GitHub takes them
//
// Everything is idempotent by asking. Ensure looks, does what is missing, and looks again, until nothing is missing; so it
// may be killed anywhere, run again, on another machine or twice at once, and it ends the same. Nothing that creates is
// sent again before it is known what is there. What is published is added to where it lacks something, and never changed.
//
// The API is that of https://docs.github.com/en/rest, version 2022-11-28. The sub-package server speaks it too, for
// rehearsals.
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

// DefaultAPI is the public API. A runner says in GITHUB_API_URL which one is its own.
const DefaultAPI = "https://api.github.com"

// Token is a bearer token. However it is formatted, it does not show.
type Token = httpclient.Token

// Options are what a client needs to know.
type Options struct {
	API        string            // URL; DefaultAPI where it is empty. A path in it is kept: an enterprise server's ends in /api/v3
	Repository string            // "owner/name"
	Token      Token             // "" reads what is public
	Transport  http.RoundTripper // nil is one of the client's own, which obeys the proxy variables of the environment
	Attempts   int               // how often a thing is tried in all, where trying again can help; 0 is 4
	Patience   time.Duration     // how long nothing may move before a request counts as lost; 0 is two minutes

	// Wait is called before attempt 2 and later ones, with what the server asked for, or 0. It returns the context's error
	// when that ends first. Nil is httpclient.BackOff.
	Wait func(ctx context.Context, attempt int, asked time.Duration) error

	// Sent is told how much of a file is out, in bytes; from zero again when it is sent again. Nil is told nothing.
	Sent func(file string, sent, size int64)
}

// Client reaches one repository.
type Client struct {
	base       *url.URL // ends in a slash
	repository string
	token      Token
	retry      httpclient.Retry
	patience   time.Duration
	sent       func(file string, sent, size int64)
	reader     *http.Client // follows redirects, with the token only on the API's own origin
	loader     *http.Client // follows redirects to stored files, without the token
	writer     *http.Client // refuses redirects
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$`)

// CheckRepository refuses what cannot be the name of a repository, "owner/name".
func CheckRepository(name string) error {
	if !repositoryName.MatchString(name) || strings.HasSuffix(name, "/.") || strings.HasSuffix(name, "/..") {
		return operr.NewUsage("give it as owner/name", "%.120q is no name of a repository", name)
	}
	return nil
}

// New makes a client, and asks nothing. It refuses addresses and names that are none, and a token that would go over the
// network in the clear.
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
	c.reader = &http.Client{Transport: o.Transport, CheckRedirect: c.followed}
	c.loader = &http.Client{Transport: o.Transport, CheckRedirect: c.signed}
	c.writer = &http.Client{Transport: o.Transport, CheckRedirect: httpclient.Refuse}
	return c, nil
}

func parseAPI(api string) (*url.URL, error) {
	u, err := url.Parse(api)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return nil, operr.NewUsage("give a URL such as "+DefaultAPI, "the address of GitHub's API is no http or https URL")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, operr.NewUsage("give the token by itself", "the address of GitHub's API at %s has more in it than scheme, host and path", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}

// url is an address below the repository's. The parts are escaped, and may hold slashes, as tags do.
func (c *Client) url(parts ...string) *url.URL {
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(p), "%2F", "/")
	}
	return c.base.JoinPath(append([]string{"repos", c.repository}, parts...)...)
}

// trusted reports whether the token may go to u: to the API's own origin, which is the enterprise server's for uploads as
// well, and from the API of github.com, or of a tenant of ghe.com, to the host that the same owner has for uploads. The
// address of an upload comes out of an answer, and is believed no further than that.
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

// Details of the repository, as far as a release asks for them.
type Details struct {
	DefaultBranch string `json:"defaultBranch"`
	Private       bool   `json:"private"`
	Archived      bool   `json:"archived"` // nothing can be written to it
	URL           string `json:"url"`      // for people
	ForkOf        string `json:"forkOf"`   // "owner/name" of the repository that this one was forked from; "" where it was not
	Push          *bool  `json:"push"`     // whether the token's owner may push; nil where that is not said, as it may be for a job's own token
}

// installation begins the tokens of apps, such as that of a job (https://github.blog/engineering/behind-githubs-new-authentication-token-formats/).
// Permissions of a repository are those of a person, and say nothing of such a token.
const installation = "ghs_"

// Details asks what the repository is (https://docs.github.com/en/rest/repos/repos#get-a-repository).
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
