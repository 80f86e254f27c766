package github

import (
	"context"
	"errors"
	"slices"
)

// EnvironmentRules holds the deployment rules of an environment.
type EnvironmentRules struct {
	There    bool
	Limited  bool     // only refs that match Patterns, or only protected branches, may deploy
	Patterns []string // patterns of branches and tags
}

// EnvironmentRules reads which refs may deploy to an environment (https://docs.github.com/en/rest/deployments/branch-policies).
func (c *Client) EnvironmentRules(ctx context.Context, name string) (rules EnvironmentRules, err error) {
	var environment struct {
		Policy *struct {
			Custom bool `json:"custom_branch_policies"`
		} `json:"deployment_branch_policy"`
	}
	_, err = c.get(ctx, c.url("environments", name), &environment)
	if errors.Is(err, ErrNotFound) {
		return rules, nil
	}
	if err != nil {
		return rules, c.explain(err, actions, "asking %s for its environment %s", c.repository, name)
	}
	rules.There, rules.Limited = true, environment.Policy != nil
	if environment.Policy == nil || !environment.Policy.Custom {
		return rules, nil
	}
	var policies struct {
		All []struct {
			Name string `json:"name"`
		} `json:"branch_policies"`
	}
	if _, err = c.get(ctx, c.url("environments", name, "deployment-branch-policies"), &policies); err != nil {
		return rules, c.explain(err, actions, "asking %s which branches may deploy to its environment %s", c.repository, name)
	}
	for _, p := range policies.All {
		rules.Patterns = append(rules.Patterns, p.Name)
	}
	return rules, nil
}

// RequiredChecks reads which checks must pass before a merge into a branch, from its rules and its protection. known is false if the branch is
// protected and only administrators can see how (https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch).
func (c *Client) RequiredChecks(ctx context.Context, branch string) (checks []string, known bool, err error) {
	err = pages(ctx, c, c.url("rules/branches", branch), func(page entries[struct {
		Type       string `json:"type"`
		Parameters struct {
			Checks []struct {
				Context string `json:"context"`
			} `json:"required_status_checks"`
		} `json:"parameters"`
	}],
	) {
		for _, rule := range page {
			for _, check := range rule.Parameters.Checks {
				checks = append(checks, check.Context)
			}
		}
	})
	if err != nil {
		return nil, false, c.explain(err, metadata, "asking for the rules of %s", branch)
	}
	var answer struct {
		Protected  bool `json:"protected"`
		Protection struct {
			Checks *struct {
				Contexts []string `json:"contexts"`
			} `json:"required_status_checks"`
		} `json:"protection"`
	}
	if _, err = c.get(ctx, c.url("branches", branch), &answer); err != nil {
		return nil, false, c.explain(err, metadata, "asking whether %s is protected", branch)
	}
	if answer.Protection.Checks != nil {
		checks = append(checks, answer.Protection.Checks.Contexts...)
	}
	slices.Sort(checks)
	return slices.Compact(checks), !answer.Protected || answer.Protection.Checks != nil || len(checks) > 0, nil
}

// MayOpenPullRequests reads whether jobs may open pull requests with their own token (https://docs.github.com/en/rest/actions/permissions, "Get
// default workflow permissions for a repository"). Only administrators may read this.
func (c *Client) MayOpenPullRequests(ctx context.Context) (bool, error) {
	var answer struct {
		May bool `json:"can_approve_pull_request_reviews"` // GitHub's name for both opening and approving
	}
	if _, err := c.get(ctx, c.url("actions/permissions/workflow"), &answer); err != nil {
		return false, c.explain(err, actions, "asking %s for the permissions of its jobs", c.repository)
	}
	return answer.May, nil
}
