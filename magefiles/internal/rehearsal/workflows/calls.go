package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// call is a step that calls mage, and its job.
type call struct {
	job   *file.Job
	step  file.Node
	words string // the target and its flags
}

// checkToRequire is the job, in the files of `mage ci:write`, that reports whether all other jobs passed. docs/ci.md uses this name.
const checkToRequire = "ci"

// callsMage matches the target and its flags after a call of mage.
var callsMage = lazyregexp.New(`(?m)\bmage(?: -d \S+)? ([a-z][\w:]*\b[^\n;|&]*)$`)

// byItself matches environment variables that mage, or a program that it calls, reads: those in docs/environment.md, and others with the same
// prefixes.
var byItself = lazyregexp.New(`^(?:ACTIONS_|AGENT_TOOLSDIRECTORY$|BASE_IMAGE$|BUILDKIT_|BUILDX_|CI$|CI_|DEPLOY_|DOCKER_|GITHUB_|GITLAB_|HTTPS_PROXY$|IMAGE_REGISTRY$|NO_COLOR$|NO_PROXY$|PIP_|PIPELINE_|PIXI_|` +
	`PREFIX_|PYTHON|RATTLER_|REHEARSAL_|RELEASE_PR_TOKEN$|RUNNER_TOOL_CACHE$|SOURCE_DATE_EPOCH$|SSL_CERT_FILE$|TERM$|TMPDIR$|UV_|XDG_|pythonLocation$)`)

func callsOf(w *file.Workflow) (all []call) {
	for _, j := range w.Jobs {
		for _, s := range j.Node.At("steps").Items() {
			for _, m := range callsMage().FindAllStringSubmatch(s.At("run").Text(), -1) {
				all = append(all, call{
					job:   j,
					step:  s,
					words: strings.TrimSpace(m[1]),
				})
			}
		}
	}
	return all
}

// `is` reports whether a call has a target and a flag; "" matches any flags.
func (c call) is(target, flag string) bool {
	words := strings.Fields(c.words)
	return c.target() == target && (flag == "" || slices.ContainsFunc(words, func(w string) bool { return w == flag || strings.HasPrefix(w, flag+"=") }))
}

// target returns the first word of a call. The remaining words are still quoted for a shell.
func (c call) target() string { return strings.Fields(c.words)[0] }

// repeats reports whether a call repeats another job's call on the same machines with the same variables. A call of qa:… includes the call of test:….
func (c call) repeats(o call) bool {
	covered := o.words == c.words || strings.HasPrefix(c.words, "test:") && o.words == "qa:"+strings.TrimPrefix(c.words, "test:")
	return o.job != c.job && covered && sameAs(c.step.At("env"), o.step.At("env")) && sameAs(c.job.Node.At("env"), o.job.Node.At("env")) &&
		sameAs(c.job.Node.At("runs-on"), o.job.Node.At("runs-on")) && sameAs(c.job.Node.At("strategy", "matrix"), o.job.Node.At("strategy", "matrix"))
}

// sameAs reports whether two values have equal keys and texts. An absent value equals an empty one.
func sameAs(a, b file.Node) bool {
	if isEmpty(a) && isEmpty(b) {
		return true
	}
	if a.Is() != b.Is() || a.Text() != b.Text() || a.IsMapping() != b.IsMapping() {
		return false
	}
	if !a.IsMapping() {
		return a.Text() != "" || slices.EqualFunc(a.Items(), b.Items(), func(a, b file.Node) bool { return a.Text() == b.Text() })
	}
	return slices.EqualFunc(a.Pairs(), b.Pairs(), func(a, b file.Pair) bool { return a.Key.Text() == b.Key.Text() && sameAs(a.Value, b.Value) })
}

func isEmpty(n file.Node) bool { return !n.Is() || n.IsMapping() && len(n.Pairs()) == 0 }

// doubtCalls checks that calls of mage have the steps and jobs that they depend on. Each missing step or job is a [file.Problem].
func doubtCalls(w *file.Workflow) (found []error) {
	all := callsOf(w)
	before := func(of call, target, flag string) bool {
		ids := w.Before(of.job)
		return slices.ContainsFunc(all, func(c call) bool { return c.is(target, flag) && (ids[c.job.ID] || c.job == of.job) })
	}
	after := func(of call, target, flag string) bool {
		return slices.ContainsFunc(all, func(c call) bool { return c.is(target, flag) && (w.Before(c.job)[of.job.ID] || c.job == of.job) })
	}
	for i, c := range all {
		run := c.step.At("run")
		say := func(format string, args ...any) { found = append(found, run.Problem(format, args...)) }
		switch {
		case c.is("publish", "-yes"):
			if err := doubtRecord(c); err != nil {
				found = append(found, err)
			}
			if w.StartsForTags() && !w.StartsFor("workflow_dispatch") {
				found = append(found, w.Top.At("on").Problem("if GitHub starts no run for a tag, `mage release` starts one by workflow_dispatch, which this file does not have"))
			}
			if c.is("publish", "-from") && !before(c, "publish", "-check") {
				say("the job %s uploads packages that no earlier job has installed: add a job with `mage publish -check`", c.job.ID)
			}
			if c.is("publish", "-from") && !after(c, "publish", "-verify") {
				say("no job after %s checks the packages on the channel: add a job with `mage publish -verify`", c.job.ID)
			}
		case c.is("build:all", "") && !c.is("build:all", "-compare"):
			if slices.ContainsFunc(all[:i], func(o call) bool { return o.is("build:all", "") && w.Before(c.job)[o.job.ID] }) {
				say("the job %s builds the packages again, but compares no builds: add -compare=FOLDER", c.job.ID)
			}
		case c.is("ci:matrix", "") && !c.is("ci:matrix", "-needs") && !slices.ContainsFunc(all, func(o call) bool { return o.is("ci:matrix", "-needs") }):
			say("no job reports whether all jobs have passed: add a last job with `mage ci:matrix -needs`, which a ruleset can require even if the matrix of %s leaves out packages", c.job.ID)
		case c.is("ci:matrix", "-needs") && c.job.ID == checkToRequire && c.job.Node.At("name").Is() && c.job.Node.At("name").Text() != checkToRequire:
			found = append(found, c.job.Node.At("name").Problem("the job %s has the name %s, so a ruleset that requires the check %s waits forever", c.job.ID, c.job.Node.At("name").Text(), checkToRequire))
		case c.is("docker:image", "-push") && c.is("docker:image", "-platform") && !after(c, "docker:merge", ""):
			say("no job after %s merges the platforms: add a job with `mage docker:merge`", c.job.ID)
		}
		if changes := changing(c); changes != "" && !c.job.Node.At("concurrency").Is() && !w.Top.At("concurrency").Is() {
			say("two runs may %s at the same time: neither the job %s nor the file has `concurrency`", changes, c.job.ID)
		}
		for _, p := range c.step.At("env").Pairs() {
			if p.Value.Asks("matrix", "needs", "inputs") && !byItself().MatchString(p.Key.Text()) && !strings.Contains(run.Text(), "$"+p.Key.Text()) && !strings.Contains(run.Text(), "${"+p.Key.Text()) {
				say("the step has the variable %s, but does not pass it to `mage %s`", p.Key.Text(), operr.Word(c.target()))
			}
		}
		if j := slices.IndexFunc(all, c.repeats); j >= 0 && (j < i || all[j].words != c.words) {
			env := ""
			if of := c.job.Node.At("env"); of.Is() {
				env = fmt.Sprintf(", with the same env in line %d", of.Line())
			}
			say("the job %s repeats a call of the job %s in line %d%s: `mage %s`", c.job.ID, all[j].job.ID, all[j].step.At("run").Line(), env, operr.Word(c.target()))
		}
	}
	for _, j := range w.Jobs {
		calls := slices.DeleteFunc(slices.Clone(all), func(c call) bool { return c.job != j })
		found = append(found, doubtCaches(j, calls, slices.ContainsFunc(all, func(c call) bool { return c.is("publish", "-yes") }))...)
		found = append(found, doubtRights(j, calls)...)
	}
	return found
}

// changing returns the shared state that a call changes, which concurrent runs must not change; "" for none.
func changing(c call) string {
	switch {
	case c.is("publish", "-yes"):
		return "publish"
	case c.is("docker:merge", ""):
		return "move the tags of the image"
	}
	return ""
}

// doubtCaches finds steps that restore a cache by default in jobs with write permissions, or whose results others use. `publishes` reports whether
// the file has a job that publishes packages.
func doubtCaches(j *file.Job, calls []call, publishes bool) (found []error) {
	sends := slices.ContainsFunc(calls, func(c call) bool {
		return c.is("publish", "") || publishes && c.is("build:all", "") || c.is("docker:image", "-push") || c.is("docker:all", "-push") || c.is("docker:merge", "") || c.is("deploy:to", "")
	})
	for _, s := range j.Node.At("steps").Items() {
		if sends && strings.HasPrefix(strings.ToLower(s.At("uses").Text()), "actions/setup-go@") && s.At("with", "cache").Text() != "false" {
			found = append(found, s.At("uses").Problem("setup-go restores a cache that any run may have filled, but the job %s publishes, or makes files for other jobs: add `cache: false`", j.ID))
		}
	}
	return found
}

// rights maps targets to the write permission that they need; "" for none.
var rights = map[string]string{
	"build:all":    "",
	"check":        "",
	"ci:matrix":    "",
	"deploy:to":    "",
	"docker:image": "packages",
	"docker:merge": "packages",
	"publish":      "id-token",
	"qa:package":   "",
	"rehearse":     "",
	"test:package": "",
}

// callsMageAlone matches a script that only calls mage.
var callsMageAlone = lazyregexp.New(`^(?:go(?: -C \S+)? tool )?mage(?: -d \S+)? [a-z][\w:]*\b[^\n;|&]*$`)

// knownSteps matches actions that do not use their job's write permissions.
var knownSteps = lazyregexp.New(`^(?:actions/(?:checkout|cache|setup-\w+|upload-artifact|download-artifact)|astral-sh/setup-uv|prefix-dev/setup-pixi|docker/(?:login|setup-\w+)-action)@`)

// doubtRights finds permissions that no step of a job uses, if all steps are known.
func doubtRights(j *file.Job, calls []call) (found []error) {
	used := map[string]bool{}
	for _, c := range calls {
		right, known := rights[c.target()]
		if !known {
			return nil
		}
		used[right] = true
		if c.is("publish", "-announce") { // creates the GitHub release
			used["contents"] = true
		}
	}
	for _, s := range j.Node.At("steps").Items() {
		if !callsMageAlone().MatchString(strings.TrimSpace(s.At("run").Text())) && !knownSteps().MatchString(strings.ToLower(s.At("uses").Text())) {
			return nil
		}
	}
	for _, p := range j.Node.At("permissions").Pairs() {
		if p.Value.Text() == "write" && !used[p.Key.Text()] {
			found = append(found, p.Value.Problem("the job %s may write %s, but none of its steps does", j.ID, p.Key.Text()))
		}
	}
	return found
}

// doubtRecord reports a doubt unless the job that uploads packages also uploads its record as an artifact. A release reads this record to verify
// that the upload is complete.
func doubtRecord(c call) error {
	var uploads []file.Node
	for _, s := range c.job.Node.At("steps").Items() {
		if !strings.HasPrefix(strings.ToLower(s.At("uses").Text()), "actions/upload-artifact@") {
			continue
		}
		if s.At("with", "name").Text() == forge.Recording && strings.Contains(s.At("with", "path").Text(), publish.RecordingFile) {
			return nil
		}
		uploads = append(uploads, s)
	}
	at := c.step.At("run")
	if len(uploads) == 1 {
		at = uploads[0]
	}
	return at.Problem("`mage release` waits for the artifact %s of the job %s, with the file output/%s, but no step of this job uploads this artifact", forge.Recording, c.job.ID, publish.RecordingFile)
}

// problemsOf returns what is wrong or doubtful in a workflow file, without looking elsewhere.
func problemsOf(w *file.Workflow, tracked []string) error {
	return errors.Join(slices.Concat(w.Faults(), w.Doubts(tracked, secretsOf), doubtCalls(w))...)
}
