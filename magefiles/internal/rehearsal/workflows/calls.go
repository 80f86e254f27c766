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

// call is a step that calls mage, in a job of its own.
type call struct {
	job   *file.Job
	step  file.Node
	words string // the target and its flags
}

// checkToRequire is the job of `mage ci:write` that says whether all have passed, by the name that README gives it.
const checkToRequire = "ci"

// callsMage finds the target and its flags behind a call of mage.
var callsMage = lazyregexp.New(`(?m)\bmage(?: -d \S+)? ([a-z][\w:]*\b[^\n;|&]*)$`)

// byItself are variables that mage reads from the environment, or what it calls does: those of README, "Environment", and others that begin as these do.
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

// is reports whether a call is one of a target with a flag; "" asks for no flag.
func (c call) is(target, flag string) bool {
	words := strings.Fields(c.words)
	return c.target() == target && (flag == "" || slices.ContainsFunc(words, func(w string) bool { return w == flag || strings.HasPrefix(w, flag+"=") }))
}

// target is what a call names first. Its other words are a shell's, quotes among them.
func (c call) target() string { return strings.Fields(c.words)[0] }

// repeats reports whether a call does in its job what another one does in another job, on the same machines and with the same variables: qa: does what test: does.
func (c call) repeats(o call) bool {
	covered := o.words == c.words || strings.HasPrefix(c.words, "test:") && o.words == "qa:"+strings.TrimPrefix(c.words, "test:")
	return o.job != c.job && covered && sameAs(c.step.At("env"), o.step.At("env")) && sameAs(c.job.Node.At("env"), o.job.Node.At("env")) &&
		sameAs(c.job.Node.At("runs-on"), o.job.Node.At("runs-on")) && sameAs(c.job.Node.At("strategy", "matrix"), o.job.Node.At("strategy", "matrix"))
}

// sameAs reports whether two values have the same keys and texts: one that is not there has as few as an empty one.
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

// doubtCalls are what calls of mage want of the steps and jobs around them, and the file does not have. Each is a [file.Problem].
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
				found = append(found, w.Top.At("on").Problem("where GitHub begins no run for a tag, `mage release` asks for one, and the file has no workflow_dispatch"))
			}
			if c.is("publish", "-from") && !before(c, "publish", "-check") {
				say("the job %s sends packages that no job before it has installed: one with `mage publish -check`", c.job.ID)
			}
			if c.is("publish", "-from") && !after(c, "publish", "-verify") {
				say("no job after %s looks at what is on the channel: one with `mage publish -verify`", c.job.ID)
			}
		case c.is("build:all", "") && !c.is("build:all", "-compare"):
			if slices.ContainsFunc(all[:i], func(o call) bool { return o.is("build:all", "") && w.Before(c.job)[o.job.ID] }) {
				say("the job %s builds what is built before, and compares nothing: -compare=FOLDER", c.job.ID)
			}
		case c.is("ci:matrix", "") && !c.is("ci:matrix", "-needs") && !slices.ContainsFunc(all, func(o call) bool { return o.is("ci:matrix", "-needs") }):
			say("no job says whether all have passed: a last one with `mage ci:matrix -needs`, which can be required whatever the matrix of %s leaves out", c.job.ID)
		case c.is("ci:matrix", "-needs") && c.job.ID == checkToRequire && c.job.Node.At("name").Is() && c.job.Node.At("name").Text() != checkToRequire:
			found = append(found, c.job.Node.At("name").Problem("the job %s is shown as %s: whoever requires the check %s waits for it for ever", c.job.ID, c.job.Node.At("name").Text(), checkToRequire))
		case c.is("docker:image", "-push") && c.is("docker:image", "-platform") && !after(c, "docker:merge", ""):
			say("no job after %s joins the platforms: one with `mage docker:merge`", c.job.ID)
		}
		if changes := changing(c); changes != "" && !c.job.Node.At("concurrency").Is() && !w.Top.At("concurrency").Is() {
			say("two runs may %s at the same time: the job %s, or the file, has no concurrency", changes, c.job.ID)
		}
		for _, p := range c.step.At("env").Pairs() {
			if p.Value.Asks("matrix", "needs", "inputs") && !byItself().MatchString(p.Key.Text()) && !strings.Contains(run.Text(), "$"+p.Key.Text()) && !strings.Contains(run.Text(), "${"+p.Key.Text()) {
				say("the step has %s, and `mage %s` is not given it", p.Key.Text(), operr.Word(c.target()))
			}
		}
		if j := slices.IndexFunc(all, c.repeats); j >= 0 && (j < i || all[j].words != c.words) {
			env := ""
			if of := c.job.Node.At("env"); of.Is() {
				env = fmt.Sprintf(", and its env in line %d is no other", of.Line())
			}
			say("the job %s does what %s does in line %d%s: `mage %s`", c.job.ID, all[j].job.ID, all[j].step.At("run").Line(), env, operr.Word(c.target()))
		}
	}
	for _, j := range w.Jobs {
		calls := slices.DeleteFunc(slices.Clone(all), func(c call) bool { return c.job != j })
		found = append(found, doubtCaches(j, calls, slices.ContainsFunc(all, func(c call) bool { return c.is("publish", "-yes") }))...)
		found = append(found, doubtRights(j, calls)...)
	}
	return found
}

// changing says what a call changes for everybody that two runs must not change at the same time; "" for nothing.
func changing(c call) string {
	switch {
	case c.is("publish", "-yes"):
		return "publish"
	case c.is("docker:merge", ""):
		return "move the tags of the image"
	}
	return ""
}

// doubtCaches are steps that restore a cache, unasked, where something is made that others get, or sent with a right; publishes says that the file has a job that publishes packages.
func doubtCaches(j *file.Job, calls []call, publishes bool) (found []error) {
	sends := slices.ContainsFunc(calls, func(c call) bool {
		return c.is("publish", "") || publishes && c.is("build:all", "") || c.is("docker:image", "-push") || c.is("docker:all", "-push") || c.is("docker:merge", "") || c.is("deploy:to", "")
	})
	for _, s := range j.Node.At("steps").Items() {
		if sends && strings.HasPrefix(strings.ToLower(s.At("uses").Text()), "actions/setup-go@") && s.At("with", "cache").Text() != "false" {
			found = append(found, s.At("uses").Problem("setup-go restores a cache, and what the job %s does with a right, or for others, is then built from what any run has left there: cache: false", j.ID))
		}
	}
	return found
}

// rights are those that targets need beside that to read.
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

// callsMageAlone is a step that does nothing else.
var callsMageAlone = lazyregexp.New(`^(?:go(?: -C \S+)? tool )?mage(?: -d \S+)? [a-z][\w:]*\b[^\n;|&]*$`)

// knownSteps are actions that write nothing by the rights of their job.
var knownSteps = lazyregexp.New(`^(?:actions/(?:checkout|cache|setup-\w+|upload-artifact|download-artifact)|astral-sh/setup-uv|prefix-dev/setup-pixi|docker/(?:login|setup-\w+)-action)@`)

// doubtRights are rights that none of the steps of a job has use for, where all of them are known.
func doubtRights(j *file.Job, calls []call) (found []error) {
	used := map[string]bool{}
	for _, c := range calls {
		right, known := rights[c.target()]
		if !known {
			return nil
		}
		used[right] = true
		if c.is("publish", "-announce") { // makes the release on GitHub
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
			found = append(found, p.Value.Problem("the job %s may write %s, and nothing in it does", j.ID, p.Key.Text()))
		}
	}
	return found
}

// doubtRecord is nil where the job of an upload hands over what it recorded, by which a release sees that it is through.
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
	return at.Problem("`mage release` waits for the artifact %s of the job %s, with output/%s: none of its steps uploads that", forge.Recording, c.job.ID, publish.RecordingFile)
}

// problemsOf are what is wrong with a workflow or doubtful in it, as far as the file alone tells.
func problemsOf(w *file.Workflow, tracked []string) error {
	return errors.Join(slices.Concat(w.Faults(), w.Doubts(tracked, secretsOf), doubtCalls(w))...)
}
