package github

import (
	"context"
	"strconv"
)

// Job is one job of a run. That of a workflow which another one calls has the names of both: "deploy it / to staging".
type Job struct {
	Name       string `json:"name"`
	Status     string `json:"status"`     // as a run's
	Conclusion string `json:"conclusion"` // of a completed one: success, skipped, failure, cancelled, timed_out, …
	URL        string `json:"html_url"`   // for people
}

// Failed reports whether it has ended, and what needs it will not begin.
func (j Job) Failed() bool {
	return j.Status == "completed" && j.Conclusion != "success" && j.Conclusion != "skipped" && j.Conclusion != "neutral"
}

// Jobs lists the jobs of the last attempt of a run, as far as they are known yet; none is no error
// (https://docs.github.com/en/rest/actions/workflow-jobs).
func (c *Client) Jobs(ctx context.Context, run int64) ([]Job, error) {
	all := []Job{}
	err := pages(ctx, c, c.url("actions/runs", strconv.FormatInt(run, 10), "jobs"), func(page apiJobs) { all = append(all, page.Jobs...) })
	if err != nil {
		return nil, c.explain(err, actions, "asking %s for the jobs of run %d", c.repository, run)
	}
	return all, nil
}

type apiJobs struct {
	Jobs entries[Job] `json:"jobs"`
}
