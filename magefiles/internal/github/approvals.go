package github

import (
	"context"
	"strconv"
	"strings"
)

// Approval is an environment whose approval a run is waiting for.
type Approval struct {
	Environment string
	Reviewers   []string // logins, and "team NAME"; none if the run is waiting for a timer
}

// String formats who must approve which environment.
func (a Approval) String() string {
	if len(a.Reviewers) == 0 {
		return "the environment " + a.Environment + " waits for its timer or for a custom rule"
	}
	return strings.Join(a.Reviewers, " or ") + " must approve the environment " + a.Environment
}

// Approvals returns the environments that a run with the status "waiting" is waiting for. An empty list is not an error
// (https://docs.github.com/en/rest/actions/workflow-runs, "Get pending deployments for a workflow run").
func (c *Client) Approvals(ctx context.Context, run int64) (all []Approval, err error) {
	var pending []struct {
		Environment struct {
			Name string `json:"name"`
		} `json:"environment"`
		Reviewers []struct {
			Type     string `json:"type"`
			Reviewer struct {
				Login string `json:"login"`
				Name  string `json:"name"`
			} `json:"reviewer"`
		} `json:"reviewers"`
	}
	if _, err := c.get(ctx, c.url("actions/runs", strconv.FormatInt(run, 10), "pending_deployments"), &pending); err != nil {
		return nil, c.explain(err, actions, "asking %s what run %d waits for", c.repository, run)
	}
	for _, p := range pending {
		a := Approval{Environment: p.Environment.Name}
		for _, r := range p.Reviewers {
			if r.Type == "Team" {
				a.Reviewers = append(a.Reviewers, "team "+r.Reviewer.Name)
			} else {
				a.Reviewers = append(a.Reviewers, r.Reviewer.Login)
			}
		}
		all = append(all, a)
	}
	return all, nil
}
