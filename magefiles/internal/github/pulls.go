package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Pull is a pull request.
type Pull struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
	Body   string `json:"body"`
	Open   bool   `json:"open"`
	Merged bool   `json:"merged"` // a pull request that is neither open nor merged was closed
	Base   string `json:"base"`   // the branch into which it is merged
	Head   string `json:"head"`   // the source branch
	Commit string `json:"commit"` // the last commit of the source branch
	Became string `json:"became"` // the resulting commit on the base branch; "" if it was not merged
	URL    string `json:"url"`    // web page
}

// NewPull is a pull request to open.
type NewPull struct {
	Title, Body string
	Base, Head  string // branches of the repository
}

type apiPull struct {
	Number   int    `json:"number"`
	Title    string `json:"title"`
	Body     string `json:"body"`
	State    string `json:"state"`
	MergedAt string `json:"merged_at"`
	Became   string `json:"merge_commit_sha"`
	HTMLURL  string `json:"html_url"`
	Base     struct {
		Ref string `json:"ref"`
	} `json:"base"`
	Head struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	} `json:"head"`
}

func (a apiPull) pull() Pull {
	p := Pull{
		Number: a.Number,
		Title:  a.Title,
		Body:   a.Body,
		Open:   a.State == "open",
		Merged: a.MergedAt != "",
		Base:   a.Base.Ref,
		Head:   a.Head.Ref,
		Commit: a.Head.SHA,
		URL:    a.HTMLURL,
	}
	if p.Merged { // before the merge, this is only a test merge commit
		p.Became = a.Became
	}
	return p
}

// Pulls returns the pull requests from a branch of the repository itself, open or not, newest first. Pull requests from forks, whose branches may
// have the same name, are excluded (https://docs.github.com/en/rest/pulls/pulls#list-pull-requests).
func (c *Client) Pulls(ctx context.Context, branch string) ([]Pull, error) {
	owner, _, _ := strings.Cut(c.repository, "/")
	u := c.url("pulls")
	u.RawQuery = url.Values{"state": {"all"}, "head": {owner + ":" + branch}, "sort": {"created"}, "direction": {"desc"}}.Encode()
	all := []Pull{}
	err := pages(ctx, c, u, func(page entries[apiPull]) {
		for _, a := range page {
			if a.Head.Ref == branch {
				all = append(all, a.pull())
			}
		}
	})
	if err != nil {
		return nil, c.explain(err, pulls, "asking %s for the pull requests of %s", c.repository, branch)
	}
	slices.SortFunc(all, func(a, b Pull) int { return b.Number - a.Number })
	return all, nil
}

// OpenPull opens a pull request. It sends one request. If there is no response, Pulls shows the outcome
// (https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request).
func (c *Client) OpenPull(ctx context.Context, p NewPull) (Pull, error) {
	body, err := jsonPayload(map[string]any{"title": p.Title, "body": p.Body, "base": p.Base, "head": p.Head, "maintainer_can_modify": false})
	var made apiPull
	if err == nil {
		err = c.send(ctx, http.MethodPost, c.url("pulls"), body, &made)
	}
	if err != nil {
		return Pull{}, c.explain(err, pulls, "opening a pull request of %s in %s", p.Head, c.repository)
	}
	return made.pull(), nil
}

// EditPull changes the title and text of a pull request (https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request).
func (c *Client) EditPull(ctx context.Context, number int, title, text string) error {
	body, err := jsonPayload(map[string]string{"title": title, "body": text})
	if err == nil {
		err = c.send(ctx, http.MethodPatch, c.url("pulls", strconv.Itoa(number)), body, nil)
	}
	if err != nil {
		return c.explain(err, pulls, "changing the pull request #%d of %s", number, c.repository)
	}
	return nil
}

// Lands describes how commits may be added to a branch.
type Lands string

// These are the values that GitHub's rules distinguish.
const (
	LandsByPull  Lands = "pull request"
	LandsByPush  Lands = "push"
	LandsUnknown Lands = "not known"
)

// LandsBy reads a branch's rules to find out how commits may be added. It cannot know whether the token's owner may bypass a rule. It returns
// LandsUnknown instead of an error (https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch).
func (c *Client) LandsBy(ctx context.Context, branch string) (by Lands, read string) {
	var kinds []string
	err := pages(ctx, c, c.url("rules/branches", branch), func(page entries[struct {
		Type string `json:"type"`
	}],
	) {
		for _, rule := range page {
			kinds = append(kinds, rule.Type)
		}
	})
	if err != nil {
		return LandsUnknown, c.explain(err, metadata, "asking for the rules of %s", branch).Error()
	}
	for _, kind := range []string{"pull_request", "merge_queue", "update"} {
		if slices.Contains(kinds, kind) {
			return LandsByPull, fmt.Sprintf("the rule %s applies to %s", kind, branch)
		}
	}
	var answer struct {
		Protected bool `json:"protected"`
	}
	_, err = c.get(ctx, c.url("branches", branch), &answer)
	switch {
	case errors.Is(err, ErrNotFound):
		return LandsUnknown, "GitHub shows no branch " + branch
	case err != nil:
		return LandsUnknown, c.explain(err, metadata, "asking whether %s is protected", branch).Error()
	case answer.Protected && len(kinds) == 0:
		return LandsUnknown, branch + " is protected, but GitHub shows the protection only to administrators of the repository"
	case slices.Contains(kinds, "required_status_checks"):
		return LandsByPull, "the rule required_status_checks applies to " + branch + ", and a new commit has no check yet"
	}
	return LandsByPush, "no rule of " + branch + " forbids a push"
}

// MergePull merges a pull request by "merge", "squash" or "rebase". `message` is the commit message; "" means GitHub's default
// (https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request).
func (c *Client) MergePull(ctx context.Context, number int, method, message string) error {
	asked := map[string]string{"merge_method": method}
	if message != "" {
		asked["commit_title"], asked["commit_message"], _ = strings.Cut(message, "\n")
	}
	body, err := jsonPayload(asked)
	if err == nil {
		err = c.send(ctx, http.MethodPut, c.url("pulls", strconv.Itoa(number), "merge"), body, nil)
	}
	if err != nil {
		return c.explain(err, pulls, "merging the pull request #%d of %s", number, c.repository)
	}
	return nil
}

// ApproveRun starts a run that is waiting for approval, like the button "Approve and run"
// (https://docs.github.com/en/rest/actions/workflow-runs#approve-a-workflow-run-for-a-fork-pull-request).
func (c *Client) ApproveRun(ctx context.Context, run int64) error {
	if err := c.send(ctx, http.MethodPost, c.url("actions/runs", strconv.FormatInt(run, 10), "approve"), nil, nil); err != nil {
		return c.explain(err, dispatch, "approving the run %d of %s", run, c.repository)
	}
	return nil
}
