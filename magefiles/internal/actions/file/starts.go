package file

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Occurrence describes an event on GitHub, with what determines which workflows start
// (https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows).
type Occurrence struct {
	Event string // push, pull_request, workflow_dispatch, …
	Ref   string // whole, such as refs/heads/main or refs/tags/v1.2.0: what was pushed, or the base branch of a pull request or a merge queue
	Type  string // the activity type, if any: opened, synchronize, checks_requested; "" matches every workflow
	Tags  int    // number of tags in the same push, including this one

	Default    string // the repository's default branch; "" if it does not matter, or is unknown
	ByJobToken bool   // triggered with a job's GITHUB_TOKEN
	Message    string // message of the commit that is pushed, or of the head of the pull request

	Changed Changed // changed files of a branch or a pull request
}

// Changed holds the input of path filters.
type Changed struct {
	Files   []string // relative to the repository root, with slashes, in git's order
	Commits int      // number of commits in a push
}

// These limits are documented by GitHub.
const (
	maxTags    = 3    // if one push has more tags, GitHub creates no event for any of them
	maxCommits = 1000 // if a push has more commits, GitHub ignores filters of paths, and the workflow runs

	// maxPushed and maxRequested are the numbers of changed files that path filters consider, for a push and for a pull request. GitHub has
	// documented 300 for both; its list of a pull request's files ends at 3,000.
	maxPushed, maxRequested = 300, 3000
)

const (
	branchRefs = "refs/heads/"
	tagRefs    = "refs/tags/"
)

// presetTypes lists the activity types of pull requests that trigger a workflow without types.
var presetTypes = map[string][]string{
	"pull_request":        {"opened", "synchronize", "reopened"},
	"pull_request_target": {"opened", "synchronize", "reopened"},
}

// Starts reports whether the workflow starts for an occurrence, and if not, why.
func (w *Workflow) Starts(o Occurrence) (starts bool, why string) {
	i := slices.IndexFunc(w.Events, func(e Event) bool { return e.Name == o.Event })
	switch {
	case i < 0 && o.Event == "push":
		return false, fmt.Sprintf("%s:%d does not start for pushes", w.File, w.Top.At("on").Line())
	case i < 0:
		return false, fmt.Sprintf("%s:%d does not start for %s", w.File, w.Top.At("on").Line(), o.Event)
	case o.Event == "workflow_call":
		return false, fmt.Sprintf("%s:%d starts only if another workflow calls this workflow", w.File, w.Events[i].Line)
	case o.ByJobToken && o.Event != "workflow_dispatch" && o.Event != "repository_dispatch":
		return false, "a job that uses its GITHUB_TOKEN can start workflows only with workflow_dispatch and repository_dispatch"
	}
	e := decision{
		Event: w.Events[i],
		file:  w.File,
		of:    o,
	}
	for _, refuse := range []func() string{e.checkSkipped, e.checkType, e.checkRef, e.checkPaths} {
		if why := refuse(); why != "" {
			return false, why
		}
	}
	return true, ""
}

// decision decides about one event of a workflow.
type decision struct {
	Event
	file string
	of   Occurrence
}

func (d decision) says(format string, args ...any) string {
	return fmt.Sprintf("%s:%d ", d.file, d.Line) + fmt.Sprintf(format, args...)
}

// `at` returns the decision at the line of a filter.
func (d decision) at(key string) decision {
	if line := d.Lines[key]; line > 0 {
		d.Line = line
	}
	return d
}

func (d decision) isPullRequest() bool { return strings.HasPrefix(d.Name, "pull_request") }

// checkSkipped returns a reason if the commit message disables workflows; otherwise "".
func (d decision) checkSkipped() string {
	if d.Name != "push" && d.Name != "pull_request" {
		return ""
	}
	if word := SkippedBy(d.of.Message); word != "" {
		return "the commit message has " + word
	}
	return ""
}

var trailer = regexp.MustCompile(`^skip-checks: ?true$`)

// SkippedBy returns the words in a commit message that prevent pushes and pull requests from triggering workflows, or "". The trailer must follow
// two empty lines, but another trailer may precede it.
func SkippedBy(message string) string {
	for _, word := range []string{"[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"} {
		if strings.Contains(message, word) {
			return word
		}
	}
	message = strings.ReplaceAll(message, "\r\n", "\n")
	if i := strings.LastIndex(message, "\n\n\n"); i >= 0 {
		lines := strings.Split(strings.TrimSpace(message[i:]), "\n")
		if last := lines[len(lines)-1]; trailer.MatchString(last) && !strings.Contains(message[i+3:], "\n\n") {
			return last
		}
	}
	return ""
}

// checkType returns the reason not to start if the activity is not one of the event's types; otherwise "".
func (d decision) checkType() string {
	types := d.Filters["types"]
	if types == nil {
		types = presetTypes[d.Name]
	}
	if d.of.Type == "" || types == nil || slices.Contains(types, d.of.Type) {
		return ""
	}
	return d.says("starts for %s of a %s, but this event is %s", strings.Join(types, ", "), d.Name, d.of.Type)
}

// checkRef returns the reason not to start if the filters do not accept the branch or the tag; otherwise "".
func (d decision) checkRef() string {
	tag, isTag := strings.CutPrefix(d.of.Ref, tagRefs)
	branch, isBranch := strings.CutPrefix(d.of.Ref, branchRefs)
	switch {
	case d.Name == "push" && isTag && d.of.Tags > maxTags:
		return fmt.Sprintf("GitHub creates no event for a push of more than three tags, and this push has %d", d.of.Tags)
	case d.Name == "push" && isTag:
		return d.checkName("tag", tag, "branches")
	case d.Name == "push" && isBranch:
		return d.checkName("branch", branch, "tags")
	case d.Name == "schedule" && d.of.Default != "" && branch != d.of.Default:
		return d.says("runs on schedule only on %s", d.of.Default)
	case d.isPullRequest() || d.Name == "merge_group":
		return d.checkName("branch", branch, "")
	}
	return ""
}

// plurals holds the keys of filters.
var plurals = map[string]string{"tag": "tags", "branch": "branches"}

// `checkName` checks a branch or a tag against the filters of its kind. With filters of only the other kind, the workflow starts for no such name.
func (d decision) checkName(kind, name, other string) string {
	key := plurals[kind]
	only, ignored := d.Filters[key], d.Filters[key+"-ignore"]
	switch {
	case only != nil && matches(only, name), only == nil && ignored != nil && !matches(ignored, name):
		return ""
	case only != nil:
		why := d.at(key).says("starts for %s that match %s, but the %s %s does not", key, strings.Join(only, ", "), kind, name)
		if strings.Contains(name, "/") {
			why += " (* does not match /)"
		}
		return why
	case ignored != nil:
		return d.at(key+"-ignore").says("ignores the %s %s", kind, name)
	case other != "" && (d.Filters[other] != nil || d.Filters[other+"-ignore"] != nil):
		return d.says("has filters only for %s, so it starts for no %s", other, kind)
	}
	return ""
}

// checkPaths returns the reason not to start if the filters match none of the changed files; otherwise "". Path filters do not apply to tags.
func (d decision) checkPaths() string {
	only, ignored := d.Filters["paths"], d.Filters["paths-ignore"]
	if only == nil && ignored == nil || strings.HasPrefix(d.of.Ref, tagRefs) || d.Name == "push" && d.of.Changed.Commits > maxCommits {
		return ""
	}
	most := maxPushed
	if d.isPullRequest() {
		most = maxRequested
	}
	files := d.of.Changed.Files
	seen := files[:min(len(files), most)]
	takes := pathFilter(only, ignored)
	if slices.ContainsFunc(seen, takes) {
		return ""
	}
	switch {
	case len(files) == 0:
		return d.says("starts only if files changed, but no file did")
	case slices.ContainsFunc(files[len(seen):], takes):
		return d.says("would start for the changed %s, but GitHub looks only at the first %d of %d files", files[len(seen)+slices.IndexFunc(files[len(seen):], takes)], most, len(files))
	case only != nil:
		return d.at("paths").says("starts for files that match %s, but none of the %d changed files does", strings.Join(only, ", "), len(files))
	}
	return d.at("paths-ignore").says("ignores files that match %s, and no other file changed", strings.Join(ignored, ", "))
}

// pathFilter returns a function that reports whether a changed file passes these filters.
func pathFilter(only, ignored []string) func(string) bool {
	if only != nil {
		compiled := compileAll(only)
		return func(name string) bool { return compiled.match(name) }
	}
	compiled := compileAll(ignored)
	return func(name string) bool { return !compiled.match(name) }
}
