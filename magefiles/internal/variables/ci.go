package variables

import (
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/touched"
)

// CI is what the CI says that we run in.
func (v Variables) CI() publishing.CI {
	return publishing.CI{Run: v.run(), Tag: v.tag(), Output: v.output()}
}

// Event is what GitHub's runner says of why it runs; the zero value elsewhere.
func (v Variables) Event() touched.Event {
	if !v.Actions() {
		return touched.Event{}
	}
	return touched.Event{Name: v.Getenv("GITHUB_EVENT_NAME"), Path: v.Getenv("GITHUB_EVENT_PATH")}
}

// Actions reports whether we run under GitHub Actions.
func (v Variables) Actions() bool { return v.Getenv("GITHUB_ACTIONS") == "true" }

// run names the run of a CI that we are in, of which several jobs are parts; "" outside of one.
func (v Variables) run() string {
	switch {
	case v.Actions():
		return v.Getenv("GITHUB_RUN_ID")
	case v.Getenv("GITLAB_CI") == "true":
		return v.Getenv("CI_PIPELINE_ID")
	}
	return ""
}

// output is the file for the outputs of a job of GitHub's; "" elsewhere.
func (v Variables) output() string {
	if !v.Actions() {
		return ""
	}
	return v.Getenv("GITHUB_OUTPUT")
}

// Summary is the file for the summary of a step of GitHub's; "" elsewhere.
func (v Variables) Summary() string {
	if !v.Actions() {
		return ""
	}
	return v.Getenv("GITHUB_STEP_SUMMARY")
}

// tag is the one that started the run of a CI that we are in, GitHub's (and Gitea's) or GitLab's; "" where it was something else.
func (v Variables) tag() string {
	if v.Getenv("GITLAB_CI") == "true" {
		return v.Getenv("CI_COMMIT_TAG")
	}
	if v.Getenv("GITHUB_REF_TYPE") != "tag" {
		return ""
	}
	return v.Getenv("GITHUB_REF_NAME")
}
