package github

import (
	"context"
	"strconv"
)

// Job is one job of a run. For a job of a called workflow, Name has both names: "deploy it / to staging".
type Job struct {
	Name       string `json:"name"`
	Status     string `json:"status"`     // status of the job, as for a run
	Conclusion string `json:"conclusion"` // result of a completed job: success, skipped, failure, cancelled, timed_out, …
	URL        string `json:"html_url"`   // web page
}

// Failed reports whether the job has ended in a way that prevents dependent jobs from starting.
func (j Job) Failed() bool {
	return j.Status == "completed" && j.Conclusion != "success" && j.Conclusion != "skipped" && j.Conclusion != "neutral"
}

// Jobs lists the jobs of a run's latest attempt that are known so far. An empty list is not an error
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
