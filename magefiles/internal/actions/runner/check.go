package runner

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
)

// labels maps the labels of GitHub's runners to an operating system or processor; "" means Linux on X64. This machine runs Linux.
var labels = map[string]string{
	"ubuntu-latest": "", "ubuntu-26.04": "", "ubuntu-24.04": "", "ubuntu-22.04": "", "ubuntu-slim": "",
	"ubuntu-latest-arm": "arm", "ubuntu-26.04-arm": "arm", "ubuntu-24.04-arm": "arm", "ubuntu-22.04-arm": "arm",
	"windows-latest": "Windows", "windows-2025": "Windows", "windows-2022": "Windows", "windows-11-arm": "Windows",
	"macos-latest": "macOS", "macos-26": "macOS", "macos-15": "macOS", "macos-14": "macOS", "macos-15-intel": "macOS",
	"macos-latest-large": "macOS", "macos-latest-xlarge": "macOS", "macos-15-large": "macOS", "macos-15-xlarge": "macOS",
}

// maxCalls is the number of levels of called workflows that GitHub allows.
const maxCalls = 10

// check returns the reasons why a file, or a file that it calls, cannot be run here. calls lists the chain of callers, and by is the calling job.
func (r *Runner) check(w *file.Workflow, caller rights.Grant, calls []string, by file.Node) (found []error) {
	for _, j := range w.Jobs {
		grant := rights.Of(j.Permissions, caller)
		if len(calls) > 0 {
			if more := grant.Beyond(caller); len(more) > 0 {
				found = append(found, j.Node.Problem("the job %s requests the permissions %s, but the job that calls this file has %s (%s), so GitHub does not start the run",
					j.ID, strings.Join(more, ", "), caller, by.Place()))
			}
		}
		for _, key := range []string{"container", "services"} {
			if n := j.Node.At(key); n.Is() {
				found = append(found, n.Elsewhere("%s is not supported here, because the job %s runs directly on this machine", key, j.ID))
			}
		}
		for _, n := range labelNodes(j.Node.At("runs-on")) {
			if _, known := labels[strings.ToLower(n.Text())]; !known && !strings.Contains(n.Text(), "${{") {
				found = append(found, n.Elsewhere("%q is not one of GitHub's own runners, so this job is not run here", n.Text()))
			}
		}
		for _, s := range j.Node.At("steps").Items() {
			if err := r.checkKnown(s.At("uses")); err != nil {
				found = append(found, err)
			}
			if err := file.CheckPin(s.At("uses")); err != nil {
				found = append(found, err)
			}
		}
		if j.Uses != "" {
			found = append(found, r.checkCall(j, grant, calls)...)
		}
	}
	return found
}

// labelNodes returns the labels of a `runs-on`, in any of its forms.
func labelNodes(n file.Node) []file.Node {
	if n.IsMapping() {
		return append(n.At("group").Items(), n.At("labels").Items()...)
	}
	return n.Items()
}

// checkCall checks the workflow that a job calls.
func (r *Runner) checkCall(j *file.Job, grant rights.Grant, calls []string) (found []error) {
	at := j.Node.At("uses")
	switch {
	case slices.Contains(calls, j.Uses):
		return []error{at.Problem("%s calls itself", j.Uses)}
	case len(calls) >= maxCalls:
		return []error{at.Problem("workflows call each other more than %d levels deep", maxCalls)}
	}
	called, err := r.readCalled(at)
	if err != nil {
		return []error{err}
	}
	on := called.Top.At("on", "workflow_call")
	found = append(found, unknownKeys(j, "with", on.At("inputs"), called)...)
	if j.Node.At("secrets").IsMapping() {
		found = append(found, unknownKeys(j, "secrets", on.At("secrets"), called)...)
	}
	return append(found, r.check(called, grant, append(slices.Clone(calls), j.Uses), j.Node)...)
}

// unknownKeys returns the keys that a job sets but the called file does not declare, and the required keys that the job does not set.
func unknownKeys(j *file.Job, key string, declared file.Node, called *file.Workflow) (found []error) {
	given, place := j.Node.At(key), called.Top.At("on").Place()
	if declared.Is() {
		place = declared.Place()
	}
	has := func(pairs []file.Pair, name string) bool {
		return slices.ContainsFunc(pairs, func(p file.Pair) bool { return strings.EqualFold(p.Key.Text(), name) })
	}
	for _, p := range given.Pairs() {
		if !has(declared.Pairs(), p.Key.Text()) {
			found = append(found, p.Key.Problem("%s does not declare %q, which the caller passes (%s)", place, p.Key.Text(), key))
		}
	}
	for _, p := range declared.Pairs() {
		if p.Value.At("required").True() && !p.Value.At("default").Is() && !has(given.Pairs(), p.Key.Text()) {
			found = append(found, j.Node.Problem("the job %s does not pass %q, which %s requires (%s)", j.ID, p.Key.Text(), p.Key.Place(), key))
		}
	}
	return found
}

// readCalled reads the workflow that a job calls.
func (r *Runner) readCalled(at file.Node) (*file.Workflow, error) {
	name, local := strings.CutPrefix(at.Text(), "./")
	if !local {
		return nil, at.Elsewhere("a workflow of another repository is not run here: %s", at.Text())
	}
	data, err := fs.ReadFile(r.Files, path.Clean(name))
	if err != nil {
		return nil, at.Problem("there is no file %s in the commit", name)
	}
	w, err := file.Read(name, data)
	if err != nil {
		return nil, err
	}
	if !w.StartsFor("workflow_call") {
		return nil, at.Problem("%s cannot be called: it does not start for workflow_call", w.Top.At("on").Place())
	}
	return w, nil
}
