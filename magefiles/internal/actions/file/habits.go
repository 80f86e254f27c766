package file

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// habits returns doubts that do not depend on a job's purpose: mistakes that GitHub ignores and that are noticed too late. tracked lists all files
// in the commit.
func (w *Workflow) habits(tracked []string) (found []error) {
	for _, j := range w.Jobs {
		found = append(found, w.constant(j)...)
		found = append(found, w.idle(j)...)
		found = append(found, w.judges(j)...)
		found = append(found, w.matrixOf(j)...)
		found = append(found, w.unsetVariables(j)...)
		found = append(found, w.doubtAnyBranch(j)...)
		found = append(found, w.doubtParallelDeploys(j)...)
		found = append(found, legsInTurn(j)...)
		found = append(found, doubtMissingVersions(j, tracked)...)
	}
	found = append(found, w.doubtSameNames()...)
	found = append(found, w.doubtSharedGroup()...)
	found = append(found, w.doubtDefaultRights()...)
	return append(found, w.choices()...)
}

// constant reports conditions that use no context or function. A literal true or false is accepted, because false is used to disable something.
func (w *Workflow) constant(j *Job) (found []error) {
	conditions := []Node{j.Node.At("if")}
	for _, s := range j.Node.At("steps").Items() {
		conditions = append(conditions, s.At("if"))
	}
	for _, n := range conditions {
		text := strings.TrimSpace(strings.NewReplacer("${{", "", "}}", "").Replace(n.Text()))
		if !n.Is() || text == "false" || text == "true" || text == "" {
			continue
		}
		if e, err := expression.ParseCondition(n.Text(), all); err == nil && len(e.Paths()) == 0 && !strings.Contains(text, "(") {
			found = append(found, n.Problem("the condition %s uses no context and no function, so its result is always the same", text))
		}
	}
	return found
}

// preparing matches actions that only prepare for later steps.
var preparing = lazyregexp.New(`^(?:actions/(?:checkout|cache|cache/restore|setup-\w+|download-artifact)|astral-sh/setup-uv|prefix-dev/setup-pixi|docker/(?:login|setup-\w+)-action)@`)

// idle reports jobs whose steps all only prepare for later steps.
func (w *Workflow) idle(j *Job) []error {
	steps := j.Node.At("steps").Items()
	if len(steps) == 0 || slices.ContainsFunc(steps, func(s Node) bool { return !preparing().MatchString(strings.ToLower(s.At("uses").Text())) }) {
		return nil
	}
	return []error{j.Node.At("steps").Problem("the job %s only prepares: all its steps are actions such as checkout, setup or login", j.ID)}
}

// judges reports jobs that check the results of all their needs. Without always(), such a job is skipped if one of them fails, and a skipped check
// counts as passed for a rule that requires it. It also misses failures of jobs that it does not need directly, because the jobs in between are
// skipped.
func (w *Workflow) judges(j *Job) (found []error) {
	looks := Node{}
	j.Node.eachPath("", func(p expression.Path, key string, at Node) {
		if key != "if" && len(p) == 1 && p[0] == "needs" && !looks.Is() {
			looks = at
		}
	})
	if !looks.Is() || len(j.Needs) == 0 {
		return nil
	}
	condition := j.Node.At("if")
	if text := strings.ToLower(condition.Text()); !strings.Contains(text, "always()") && !strings.Contains(text, "cancelled()") && !strings.Contains(text, "failure()") {
		at := condition
		if !at.Is() {
			at = j.Node
		}
		return []error{at.Problem("the job %s checks the results of other jobs, but is skipped if one of them fails, and a skipped job counts as passed where it is required: add `if: always()`", j.ID)}
	}
	for _, other := range w.Jobs {
		if other != j && !slices.Contains(j.Needs, other.ID) && !w.Before(other)[j.ID] {
			found = append(found, j.Node.At("needs").Problem("the job %s checks the results of other jobs, but does not need %s, so a failure of that job stays unnoticed", j.ID, other.ID))
		}
	}
	return found
}

// Before returns the jobs that a job depends on, directly or indirectly.
func (w *Workflow) Before(j *Job) map[string]bool {
	seen := map[string]bool{}
	var visit func(ids []string)
	visit = func(ids []string) {
		for _, id := range ids {
			if i := slices.IndexFunc(w.Jobs, func(o *Job) bool { return o.ID == id }); i >= 0 && !seen[id] {
				seen[id] = true
				visit(w.Jobs[i].Needs)
			}
		}
	}
	visit(j.Needs)
	return seen
}

// matrixOf reports three kinds of doubts: a matrix that comes from a job's output, if no condition uses an output of that job; values that occur
// twice; and keys that nothing uses.
func (w *Workflow) matrixOf(j *Job) (found []error) {
	m := j.Node.At("strategy", "matrix")
	m.eachPath("", func(p expression.Path, _ string, at Node) {
		if len(p) < 4 || p[0] != "needs" {
			return
		}
		guarded := false
		j.Node.At("if").eachPath("if", func(c expression.Path, _ string, _ Node) {
			guarded = guarded || len(c) > 2 && c[0] == "needs" && strings.EqualFold(c[1], p[1]) && c[2] == "outputs"
		})
		if !guarded {
			found = append(found, at.Problem("the job %s has no condition on an output of %s, but an empty matrix is an error: add a condition, such as `if: needs.%s.outputs.… == 'true'`", j.ID, p[1], p[1]))
		}
	})
	if !m.IsMapping() {
		return found
	}
	asked, whole := map[string]bool{}, false
	for _, of := range j.Node.Pairs() {
		of.Value.eachPath(of.Key.Text(), func(p expression.Path, _ string, _ Node) {
			if p[0] == "matrix" && of.Key.Text() != "name" { // only people use the name
				if whole = whole || len(p) == 1; len(p) > 1 {
					asked[strings.ToLower(p[1])] = true
				}
			}
		})
	}
	keys := m.Pairs()
	for _, item := range m.At("include").Items() {
		keys = append(keys, item.Pairs()...)
	}
	found = append(found, lacking(m, asked, j)...)
	told := map[string]bool{}
	for _, p := range keys {
		key := strings.ToLower(p.Key.Text())
		if key == "include" || key == "exclude" {
			continue
		}
		if !asked[key] && !whole && !told[key] {
			told[key] = true
			found = append(found, p.Key.Problem("the job %s does not use matrix.%s, so the values of this key change nothing", j.ID, p.Key.Text()))
		}
		var seen []string
		if p.Value.n.Kind == yaml.SequenceNode {
			for _, item := range p.Value.Items() {
				if text := item.Text(); text != "" && slices.Contains(seen, text) {
					found = append(found, item.Problem("%s is listed twice, so the job runs twice for this value", text))
				} else {
					seen = append(seen, text)
				}
			}
		}
	}
	return found
}

// lacking reports items of `include`, each a separate leg, that lack a value which the job uses and other items have.
func lacking(m Node, asked map[string]bool, j *Job) (found []error) {
	items := m.At("include").Items()
	if len(m.Pairs()) != 1 || !m.At("include").Is() {
		return nil // an item that is added to lists may have fewer keys
	}
	has := func(item Node, key string) bool {
		return slices.ContainsFunc(item.Pairs(), func(p Pair) bool { return strings.EqualFold(p.Key.Text(), key) })
	}
	for _, item := range items {
		for _, key := range slices.Sorted(maps.Keys(asked)) {
			if item.IsMapping() && !has(item, key) && slices.ContainsFunc(items, func(o Node) bool { return has(o, key) }) {
				found = append(found, item.Problem("this leg of the job %s has no %s, so this key is empty in the leg", j.ID, key))
			}
		}
	}
	return found
}

var (
	variable = lazyregexp.New(`\$(?:\{([A-Z][A-Z0-9_]+)\}|([A-Z][A-Z0-9_]+)\b)`)
	single   = lazyregexp.New(`'[^']*'`)
	quoted   = lazyregexp.New(`(?m)^\s*#.*$|\\.|"(?:[^"\\]|\\.)*"|'[^']*'`)
	escaped  = lazyregexp.New(`\\.`)

	// unseen matches commands that set variables whose names are not in the script.
	unseen = lazyregexp.New(`(?m)(?:^|[;&|({]|\b(?:then|do|else)\b)\s*(?:eval|source|\.)\s|\bprintf\s+-v\b|\bgetopts\b`)
)

// stripScript removes comment lines and single-quoted parts from a script.
func stripScript(script string) string {
	return quoted().ReplaceAllStringFunc(script, func(part string) string {
		switch {
		case part[0] != '"':
			return ""
		case strings.Count(part, "'")%2 == 0: // quotes of a $(command) inside; an odd quote is an apostrophe
			part = single().ReplaceAllString(part, "")
		}
		return escaped().ReplaceAllString(part, "")
	})
}

// `given` matches variables that are set on every GitHub machine, by prefix.
var given = regexp.MustCompile(`^(?:GITHUB_|RUNNER_|ACTIONS_|AGENT_|ANDROID_|ANT_|AZURE_|BASH|BOOTSTRAP|CHROME|CI$|COLUMNS|CONDA|DEBIAN_|DOTNET_|EDGE|EUID|FUNCNAME|GECKO|GHCUP|GOPATH|GOROOT|GRADLE|HOME|` +
	`HOSTNAME|IFS|INVOCATION|JAVA|JOURNAL|LANG|LC_|LEIN|LINENO|LINES|LOGNAME|NVM|OLDPWD|OPTARG|OPTIND|PATH|PIPESTATUS|PIPX|POWERSHELL|PPID|PS\d|PWD|RANDOM|REPLY|SECONDS|SELENIUM|SGX|SHELL|SHLVL|SWIFT|TERM|` +
	`TMPDIR|UID|USER|VCPKG|XDG_)`)

// unsetVariables reports variables in scripts that no `env` sets. It stops after a step that may set variables, such as an unknown action, and skips
// jobs in a container, because the image may set variables.
func (w *Workflow) unsetVariables(j *Job) (found []error) {
	if j.Node.At("container").Is() {
		return nil
	}
	known := map[string]bool{}
	set := func(n Node) {
		for _, p := range n.Pairs() {
			known[p.Key.Text()] = true
		}
	}
	set(w.Top.At("env"))
	set(j.Node.At("env"))
	for _, s := range j.Node.At("steps").Items() {
		script := s.At("run").Text()
		if uses := s.At("uses").Text(); strings.Contains(script, "GITHUB_ENV") || uses != "" && !setsNothing(uses) {
			return found
		}
		if script == "" || strings.Contains(script, "<<") || unseen().MatchString(script) || !isBourne(w, j, s) {
			continue
		}
		own := map[string]bool{}
		for _, p := range s.At("env").Pairs() {
			own[p.Key.Text()] = true
		}
		for _, m := range variable().FindAllStringSubmatch(stripScript(script), -1) {
			name := m[1] + m[2]
			if own[name] || known[name] || given.MatchString(name) || setsItself(script, name) {
				continue
			}
			own[name] = true
			found = append(found, s.At("run").lineOf("$"+strings.Trim(m[0], "$")).Problem("the step uses %s, but no env sets this variable%s", name, suggestion(name, keysOf(s.At("env"), j.Node.At("env"), w.Top.At("env")))))
		}
	}
	return found
}

// setsItself reports whether a script sets a variable.
func setsItself(script, name string) bool {
	return regexp.MustCompile(`\b(?:` + name + `\+?=|for\s+` + name + `\b|(?:read|export|local|declare|mapfile|readarray)\b[^\n;|&]*[^$\w{]` + name + `\b)`).MatchString(script)
}

func keysOf(all ...Node) (keys []string) {
	for _, n := range all {
		for _, p := range n.Pairs() {
			keys = append(keys, p.Key.Text())
		}
	}
	return keys
}

// setsNothing reports whether an action is known not to set variables that a script would use.
func setsNothing(uses string) bool {
	name, _, _ := strings.Cut(strings.ToLower(uses), "@")
	return slices.Contains([]string{
		"actions/checkout", "actions/cache", "actions/cache/restore", "actions/cache/save", "actions/upload-artifact", "actions/download-artifact", "actions/setup-go",
		"actions/setup-python", "docker/login-action", "docker/setup-buildx-action", "docker/setup-qemu-action", "actions/attest", "actions/attest-build-provenance", "astral-sh/setup-uv",
	}, name)
}

// isBourne reports whether a step's script is for bash, which is the default, or sh.
func isBourne(w *Workflow, j *Job, s Node) bool {
	for _, n := range []Node{s.At("shell"), j.Node.At("defaults", "run", "shell"), w.Top.At("defaults", "run", "shell")} {
		if n.Is() {
			return strings.HasPrefix(n.Text(), "bash") || strings.HasPrefix(n.Text(), "sh")
		}
	}
	return !slices.ContainsFunc(runners(j.Node.At("runs-on")), func(label string) bool { return strings.HasPrefix(strings.ToLower(label), "windows") })
}

// doubtAnyBranch reports jobs that push images in a workflow that anyone with write access may start manually for any branch, whose files then
// determine what is published.
func (w *Workflow) doubtAnyBranch(j *Job) []error {
	if !w.StartsFor("workflow_dispatch") || !j.Permissions.Writes("packages") || j.Uses != "" {
		return nil
	}
	guards := func(j *Job) bool {
		guarded := j.Environment != ""
		j.Node.At("if").eachPath("if", func(p expression.Path, _ string, _ Node) {
			guarded = guarded || p[0] == "github" && len(p) > 1 && (strings.HasPrefix(p[1], "ref") || p[1] == "event_name")
		})
		return guarded
	}
	before := w.Before(j)
	for _, other := range w.Jobs {
		if (other == j || before[other.ID]) && guards(other) {
			return nil
		}
	}
	at := j.Node.At("if")
	if !at.Is() {
		at = j.Node
	}
	return []error{at.Problem("workflow_dispatch can start this workflow on any branch, and the job %s writes packages: limit the branches with a condition on github.ref, or with an environment", j.ID)}
}

// doubtParallelDeploys reports jobs whose environment two runs may use at the same time.
func (w *Workflow) doubtParallelDeploys(j *Job) []error {
	if j.Environment == "" || j.Node.At("concurrency").Is() || w.Top.At("concurrency").Is() {
		return nil
	}
	return []error{j.Node.At("environment").Problem("two runs can deploy to the environment %s at the same time, because neither the job %s nor the file sets `concurrency`", j.Environment, j.ID)}
}

// legsInTurn reports a group that all legs of a matrix share: one leg runs, one waits, and the third cancels the waiting one.
func legsInTurn(j *Job) []error {
	of := j.Node.At("concurrency")
	if group := groupOf(of); group.Is() && j.Node.At("strategy", "matrix").Is() && !group.Asks("matrix", "strategy") && of.At("queue").Text() != "max" {
		return []error{group.Problem("all legs of the job %s share one group, in which only one leg can wait: of three legs, the second is canceled. Put a value of the matrix in the name of the group", j.ID)}
	}
	return nil
}

// groupOf returns the name of a concurrency group.
func groupOf(concurrency Node) Node {
	if concurrency.IsMapping() {
		return concurrency.At("group")
	}
	return concurrency
}

// doubtSharedGroup reports a group that the runs of all pull requests share, because they cancel each other.
func (w *Workflow) doubtSharedGroup() []error {
	of := w.Top.At("concurrency")
	group := groupOf(of)
	if !group.Is() || strings.Contains(group.Text(), "${{") || !w.StartsFor("pull_request", "pull_request_target") || of.At("queue").Text() == "max" {
		return nil
	}
	return []error{group.Problem("the runs of all pull requests share one group, and cancel each other. Put `${{ github.ref }}` in the name of the group")}
}

// doubtSameNames reports jobs with the same display name, because rules identify required checks by this name.
func (w *Workflow) doubtSameNames() (found []error) {
	seen := map[string]Node{}
	for _, j := range w.Jobs {
		at, name := j.Node.At("name"), j.Node.At("name").Text()
		if !at.Is() {
			at, name = j.Node, j.ID
		}
		if before, known := seen[name]; known {
			found = append(found, at.Problem("the job %s is shown as %s, like another job (line %d): a rule that requires this check cannot tell the jobs apart", j.ID, name, before.Line()))
			continue
		}
		seen[name] = at
	}
	return found
}

// doubtDefaultRights reports jobs with default permissions in a workflow where another job has write permissions.
func (w *Workflow) doubtDefaultRights() []error {
	own := slices.IndexFunc(w.Jobs, func(j *Job) bool { return j.Node.At("permissions").Is() && j.writes() })
	called := !slices.ContainsFunc(w.Events, func(e Event) bool { return e.Name != "workflow_call" }) // a called workflow has the rights of the caller
	var ids []string
	var first Node
	for _, j := range w.Jobs {
		if j.Permissions == nil {
			if ids = append(ids, j.ID); !first.Is() {
				first = j.Node
			}
		}
	}
	if own < 0 || called || len(ids) == 0 {
		return nil
	}
	return []error{first.Problem("the repository's settings decide the permissions of %s, while %s sets its own permissions: add `permissions` at the top of the file", strings.Join(ids, ", "), w.Jobs[own].ID)}
}

// doubtMissingVersions reports actions that install a language without a version, and therefore use the version on GitHub's machine. For Go that is
// an old version, and setup-go prevents it from downloading the version in go.mod (GOTOOLCHAIN=local).
func doubtMissingVersions(j *Job, tracked []string) (found []error) {
	for _, s := range j.Node.At("steps").Items() {
		name, _, _ := strings.Cut(strings.ToLower(s.At("uses").Text()), "@")
		language := map[string]string{"actions/setup-go": "go", "actions/setup-python": "python"}[name]
		if language == "" || s.At("with", language+"-version").Is() || s.At("with", language+"-version-file").Is() {
			continue
		}
		switch {
		case language == "go":
			found = append(found, s.At("uses").Problem("setup-go has no version, so the job gets the old Go of GitHub's machine, which cannot download a newer Go: add `go-version-file: go.mod`"))
		case !slices.Contains(tracked, ".python-version"):
			found = append(found, s.At("uses").Problem("setup-python has no version, so the job gets whichever Python GitHub's machine has: add `python-version`"))
		}
	}
	return found
}

// choices reports inputs that choose among environments, if a job of one environment runs whatever is chosen, if an environment has no job, or if
// the input may be empty or any text.
func (w *Workflow) choices() (found []error) {
	for _, input := range w.Top.At("on", "workflow_dispatch", "inputs").Pairs() {
		options := input.Value.At("options").Items()
		has := func(environment string) bool {
			return slices.ContainsFunc(options, func(o Node) bool { return o.Text() == environment })
		}
		if !slices.ContainsFunc(w.Jobs, func(j *Job) bool { return has(j.Environment) }) || slices.ContainsFunc(w.Jobs, func(j *Job) bool { return strings.Contains(j.Environment, "${{") }) {
			continue
		}
		if of := input.Value.At("type"); of.Text() != "choice" {
			found = append(found, input.Value.Problem("%s has options, but not the type `choice`, so it accepts any text, for which there may be no job", input.Key.Text()))
		}
		if input.Value.At("required").Text() != "true" && !input.Value.At("default").Is() {
			found = append(found, input.Value.Problem("a start by GitHub's API can omit %s, which chooses the environment: add `required: true`, or a default", input.Key.Text()))
		}
		for _, j := range w.Jobs {
			asks := false
			j.Node.At("if").eachPath("if", func(p expression.Path, _ string, _ Node) {
				asks = asks || len(p) > 1 && p[0] == "inputs" && strings.EqualFold(p[1], input.Key.Text())
			})
			if has(j.Environment) && !asks {
				found = append(found, j.Node.Problem("the job %s runs whichever %s is chosen, because its condition does not use inputs.%s", j.ID, input.Key.Text(), input.Key.Text()))
			}
		}
		for _, o := range options {
			if !slices.ContainsFunc(w.Jobs, func(j *Job) bool { return j.Environment == o.Text() }) {
				found = append(found, o.Problem("no job deploys to the environment %s, which is an option here", o.Text()))
			}
		}
	}
	return found
}
