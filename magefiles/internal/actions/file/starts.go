package file

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Occurrence is something that happens in a repository on GitHub, as far as it decides which workflows start
// (https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows).
type Occurrence struct {
	Event string // push, pull_request, workflow_dispatch, …
	Ref   string // whole, such as refs/heads/main or refs/tags/v1.2.0: what was pushed, or the branch that a pull request or a merge queue is for
	Type  string // what was done, for events that tell it: opened, synchronize, checks_requested; "" is one that each of them starts for
	Tags  int    // that the same push brings, with this one

	Default    string // the repository's default branch; "" where it does not matter, or is not known
	ByJobToken bool   // done with the GITHUB_TOKEN of a job
	Message    string // of the commit that is pushed, or at the head of the pull request

	Changed Changed // of a branch or a pull request
}

// Changed is what filters of paths are held against.
type Changed struct {
	Files   []string // from the repository's top, with /, in git's order
	Commits int      // that a push brings
}

// The limits that GitHub documents.
const (
	maxTags    = 3    // that one push may bring: more, and there is no event for any
	maxCommits = 1000 // of a push: with more, paths are not looked at, and the workflow runs

	// maxPushed and maxRequested are how many changed files are looked at, of a push and of a pull request. GitHub has documented 300 for both;
	// what it lists of a pull request ends at 3,000.
	maxPushed, maxRequested = 300, 3000
)

const (
	branchRefs = "refs/heads/"
	tagRefs    = "refs/tags/"
)

// Of pull requests, what starts a workflow that names no types.
var presetTypes = map[string][]string{
	"pull_request":        {"opened", "synchronize", "reopened"},
	"pull_request_target": {"opened", "synchronize", "reopened"},
}

// Starts reports whether the workflow starts for what happens, and else why not.
func (w *Workflow) Starts(o Occurrence) (starts bool, why string) {
	i := slices.IndexFunc(w.Events, func(e Event) bool { return e.Name == o.Event })
	switch {
	case i < 0 && o.Event == "push":
		return false, fmt.Sprintf("%s:%d does not start for pushes", w.File, w.Top.At("on").Line())
	case i < 0:
		return false, fmt.Sprintf("%s:%d does not start for %s", w.File, w.Top.At("on").Line(), o.Event)
	case o.Event == "workflow_call":
		return false, fmt.Sprintf("%s:%d starts where another workflow calls it, and by no event", w.File, w.Events[i].Line)
	case o.ByJobToken && o.Event != "workflow_dispatch" && o.Event != "repository_dispatch":
		return false, "what is done with a GITHUB_TOKEN starts nothing but by workflow_dispatch and repository_dispatch"
	}
	e := decision{
		Event: w.Events[i],
		file:  w.File,
		of:    o,
	}
	for _, refuse := range []func() string{e.skipped, e.typed, e.referred, e.touched} {
		if why := refuse(); why != "" {
			return false, why
		}
	}
	return true, ""
}

// decision is about one event of a workflow.
type decision struct {
	Event
	file string
	of   Occurrence
}

func (d decision) says(format string, args ...any) string {
	return fmt.Sprintf("%s:%d ", d.file, d.Line) + fmt.Sprintf(format, args...)
}

// at is the decision at the line of a filter.
func (d decision) at(key string) decision {
	if line := d.Lines[key]; line > 0 {
		d.Line = line
	}
	return d
}

func (d decision) isPullRequest() bool { return strings.HasPrefix(d.Name, "pull_request") }

// skipped says that a message keeps workflows from starting.
func (d decision) skipped() string {
	if d.Name != "push" && d.Name != "pull_request" {
		return ""
	}
	if word := SkippedBy(d.of.Message); word != "" {
		return "the message of the commit has " + word
	}
	return ""
}

var trailer = regexp.MustCompile(`^skip-checks: ?true$`)

// SkippedBy is what in a commit's message keeps pushes and pull requests from starting anything; "" where nothing does. The trailer comes after
// two empty lines; another one may stand before it.
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

// typed says that what was done is none of the types.
func (d decision) typed() string {
	types := d.Filters["types"]
	if types == nil {
		types = presetTypes[d.Name]
	}
	if d.of.Type == "" || types == nil || slices.Contains(types, d.of.Type) {
		return ""
	}
	return d.says("starts for %s of a %s, and this one is %s", strings.Join(types, ", "), d.Name, d.of.Type)
}

// referred says that the branch or the tag is none that the filters take.
func (d decision) referred() string {
	tag, isTag := strings.CutPrefix(d.of.Ref, tagRefs)
	branch, isBranch := strings.CutPrefix(d.of.Ref, branchRefs)
	switch {
	case d.Name == "push" && isTag && d.of.Tags > maxTags:
		return fmt.Sprintf("GitHub creates no event where one push brings more than three tags, and this one brings %d", d.of.Tags)
	case d.Name == "push" && isTag:
		return d.named("tag", tag, "branches")
	case d.Name == "push" && isBranch:
		return d.named("branch", branch, "tags")
	case d.Name == "schedule" && d.of.Default != "" && branch != d.of.Default:
		return d.says("runs by its schedule on %s alone", d.of.Default)
	case d.isPullRequest() || d.Name == "merge_group":
		return d.named("branch", branch, "")
	}
	return ""
}

// plurals of what filters are about.
var plurals = map[string]string{"tag": "tags", "branch": "branches"}

// named holds a branch or a tag against the filters of its kind. Where there are filters of the other kind alone, it starts for none.
func (d decision) named(kind, name, other string) string {
	key := plurals[kind]
	only, ignored := d.Filters[key], d.Filters[key+"-ignore"]
	switch {
	case only != nil && matches(only, name), only == nil && ignored != nil && !matches(ignored, name):
		return ""
	case only != nil:
		why := d.at(key).says("starts for %s like %s, and the %s %s is not one", key, strings.Join(only, ", "), kind, name)
		if strings.Contains(name, "/") {
			why += " (* stops at /)"
		}
		return why
	case ignored != nil:
		return d.at(key+"-ignore").says("ignores the %s %s", kind, name)
	case other != "" && (d.Filters[other] != nil || d.Filters[other+"-ignore"] != nil):
		return d.says("names %s alone, and starts for no %s", other, kind)
	}
	return ""
}

// touched says that no file that was changed is one that the filters take. They do not count for tags.
func (d decision) touched() string {
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
		return d.says("starts for files that change, and none does")
	case slices.ContainsFunc(files[len(seen):], takes):
		return d.says("starts for files like the changed %s, and GitHub looks at the first %d of %d", files[len(seen)+slices.IndexFunc(files[len(seen):], takes)], most, len(files))
	case only != nil:
		return d.at("paths").says("starts for files like %s, and none of the %d that change is one", strings.Join(only, ", "), len(files))
	}
	return d.at("paths-ignore").says("ignores files like %s, and nothing else changes", strings.Join(ignored, ", "))
}

// pathFilter reports of a file whether it starts a workflow with these filters.
func pathFilter(only, ignored []string) func(string) bool {
	if only != nil {
		compiled := compileAll(only)
		return func(name string) bool { return compiled.match(name) }
	}
	compiled := compileAll(ignored)
	return func(name string) bool { return !compiled.match(name) }
}
