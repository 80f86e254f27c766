package variables

import (
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/touched"
)

// CI returns the CI's variables of this run.
func (v Variables) CI() publishing.CI {
	return publishing.CI{Run: v.run(), Tag: v.tag(), Output: v.output()}
}

// Event returns the event that triggered this run on GitHub's runner; the zero value elsewhere.
func (v Variables) Event() touched.Event {
	if !v.Actions() {
		return touched.Event{}
	}
	return touched.Event{Name: v.Getenv("GITHUB_EVENT_NAME"), Path: v.Getenv("GITHUB_EVENT_PATH")}
}

// Actions reports whether we run under GitHub Actions.
func (v Variables) Actions() bool { return v.Getenv("GITHUB_ACTIONS") == "true" }

// run identifies the CI run, which may have several jobs; "" outside of CI.
func (v Variables) run() string {
	switch {
	case v.Actions():
		return v.Getenv("GITHUB_RUN_ID")
	case v.Getenv("GITLAB_CI") == "true":
		return v.Getenv("CI_PIPELINE_ID")
	}
	return ""
}

// output returns the file for the outputs of a GitHub job; "" elsewhere.
func (v Variables) output() string {
	if !v.Actions() {
		return ""
	}
	return v.Getenv("GITHUB_OUTPUT")
}

// Summary returns the file for the summary of a GitHub step; "" elsewhere.
func (v Variables) Summary() string {
	if !v.Actions() {
		return ""
	}
	return v.Getenv("GITHUB_STEP_SUMMARY")
}

// tag returns the tag that started this CI run, on GitHub (and Gitea) or GitLab; "" if something else started it.
func (v Variables) tag() string {
	if v.Getenv("GITLAB_CI") == "true" {
		return v.Getenv("CI_COMMIT_TAG")
	}
	if v.Getenv("GITHUB_REF_TYPE") != "tag" {
		return ""
	}
	return v.Getenv("GITHUB_REF_NAME")
}
