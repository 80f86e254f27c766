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

// habits are doubts about what a job does whatever it is for: each is a fault that GitHub passes over, and that is seen when it is too late. tracked are all
// files of the commit.
func (w *Workflow) habits(tracked []string) (found []error) {
	for _, j := range w.Jobs {
		found = append(found, w.constant(j)...)
		found = append(found, w.idle(j)...)
		found = append(found, w.judges(j)...)
		found = append(found, w.matrixOf(j)...)
		found = append(found, w.unsetVariables(j)...)
		found = append(found, w.anywhere(j)...)
		found = append(found, w.atOnce(j)...)
		found = append(found, legsInTurn(j)...)
		found = append(found, anyVersion(j, tracked)...)
	}
	found = append(found, w.alike()...)
	found = append(found, w.oneGroup()...)
	found = append(found, w.bySettings()...)
	return append(found, w.choices()...)
}

// constant doubts conditions that ask nothing. A literal false is how people leave something out.
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
			found = append(found, n.Problem("the condition asks nothing: %s is always the same", text))
		}
	}
	return found
}

// preparing are actions that get something ready for the steps after them.
var preparing = lazyregexp.New(`^(?:actions/(?:checkout|cache|cache/restore|setup-\w+|download-artifact)|astral-sh/setup-uv|prefix-dev/setup-pixi|docker/(?:login|setup-\w+)-action)@`)

// idle doubts jobs all of whose steps get something ready, and for nothing.
func (w *Workflow) idle(j *Job) []error {
	steps := j.Node.At("steps").Items()
	if len(steps) == 0 || slices.ContainsFunc(steps, func(s Node) bool { return !preparing().MatchString(strings.ToLower(s.At("uses").Text())) }) {
		return nil
	}
	return []error{j.Node.At("steps").Problem("the job %s gets ready, and does nothing: none of its steps runs anything", j.ID)}
}

// judges doubts jobs that look at what all that they need came to: one without always() is skipped where one of them fails, which counts as passed where it
// is required, and one that does not need a job itself does not see it fail: the jobs between them are skipped.
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
		return []error{at.Problem("the job %s looks at what others came to, and is skipped where one of them fails, which passes where it is required: if: always()", j.ID)}
	}
	for _, other := range w.Jobs {
		if other != j && !slices.Contains(j.Needs, other.ID) && !w.Before(other)[j.ID] {
			found = append(found, j.Node.At("needs").Problem("the job %s looks at what others came to, and does not need %s: that may fail unseen", j.ID, other.ID))
		}
	}
	return found
}

// Before are the jobs that one waits for, by way of others too.
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

// matrixOf doubts a matrix that an output makes and no condition guards, values that stand twice, and keys that nothing asks for.
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
			found = append(found, at.Problem("the job %s has no condition about an output of %s, and an empty matrix is an error: if: needs.%s.outputs.… == 'true'", j.ID, p[1], p[1]))
		}
	})
	if !m.IsMapping() {
		return found
	}
	asked, whole := map[string]bool{}, false
	for _, of := range j.Node.Pairs() {
		of.Value.eachPath(of.Key.Text(), func(p expression.Path, _ string, _ Node) {
			if p[0] == "matrix" && of.Key.Text() != "name" { // which people are shown
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
			found = append(found, p.Key.Problem("nothing of the job %s asks for matrix.%s: its values change nothing", j.ID, p.Key.Text()))
		}
		var seen []string
		if p.Value.n.Kind == yaml.SequenceNode {
			for _, item := range p.Value.Items() {
				if text := item.Text(); text != "" && slices.Contains(seen, text) {
					found = append(found, item.Problem("%s stands twice: the job runs twice for it", text))
				} else {
					seen = append(seen, text)
				}
			}
		}
	}
	return found
}

// lacking doubts items of `include`, each a leg of its own, that have no value for what the job asks for, and others have one.
func lacking(m Node, asked map[string]bool, j *Job) (found []error) {
	items := m.At("include").Items()
	if len(m.Pairs()) != 1 || !m.At("include").Is() {
		return nil // what is added to lists may have fewer keys
	}
	has := func(item Node, key string) bool {
		return slices.ContainsFunc(item.Pairs(), func(p Pair) bool { return strings.EqualFold(p.Key.Text(), key) })
	}
	for _, item := range items {
		for _, key := range slices.Sorted(maps.Keys(asked)) {
			if item.IsMapping() && !has(item, key) && slices.ContainsFunc(items, func(o Node) bool { return has(o, key) }) {
				found = append(found, item.Problem("this leg of the job %s has no %s, which is empty then", j.ID, key))
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

	// unseen is what sets variables in a script that do not stand there.
	unseen = lazyregexp.New(`(?m)(?:^|[;&|({]|\b(?:then|do|else)\b)\s*(?:eval|source|\.)\s|\bprintf\s+-v\b|\bgetopts\b`)
)

// expanded is a script without comments of their own lines, and without what the shell takes as it stands.
func expanded(script string) string {
	return quoted().ReplaceAllStringFunc(script, func(part string) string {
		switch {
		case part[0] != '"':
			return ""
		case strings.Count(part, "'")%2 == 0: // quotes of a $(command) that is in it; an odd one is an apostrophe
			part = single().ReplaceAllString(part, "")
		}
		return escaped().ReplaceAllString(part, "")
	})
}

// given are variables that there are on every machine of GitHub's, by how they begin.
var given = regexp.MustCompile(`^(?:GITHUB_|RUNNER_|ACTIONS_|AGENT_|ANDROID_|ANT_|AZURE_|BASH|BOOTSTRAP|CHROME|CI$|COLUMNS|CONDA|DEBIAN_|DOTNET_|EDGE|EUID|FUNCNAME|GECKO|GHCUP|GOPATH|GOROOT|GRADLE|HOME|` +
	`HOSTNAME|IFS|INVOCATION|JAVA|JOURNAL|LANG|LC_|LEIN|LINENO|LINES|LOGNAME|NVM|OLDPWD|OPTARG|OPTIND|PATH|PIPESTATUS|PIPX|POWERSHELL|PPID|PS\d|PWD|RANDOM|REPLY|SECONDS|SELENIUM|SGX|SHELL|SHLVL|SWIFT|TERM|` +
	`TMPDIR|UID|USER|VCPKG|XDG_)`)

// unsetVariables doubts variables of scripts that no `env` sets. Where a step may set them for those after it, or an action of which that is not known, nothing
// is said; nor of jobs in a container, whose image has variables of its own.
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
		for _, m := range variable().FindAllStringSubmatch(expanded(script), -1) {
			name := m[1] + m[2]
			if own[name] || known[name] || given.MatchString(name) || setsItself(script, name) {
				continue
			}
			own[name] = true
			found = append(found, s.At("run").lineOf("$"+strings.Trim(m[0], "$")).Problem("no env sets %s, which the step asks for%s", name, perhaps(name, keysOf(s.At("env"), j.Node.At("env"), w.Top.At("env")))))
		}
	}
	return found
}

// setsItself reports whether a script gives a variable a value.
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

// setsNothing reports whether an action is known to set no variable that a script would ask for.
func setsNothing(uses string) bool {
	name, _, _ := strings.Cut(strings.ToLower(uses), "@")
	return slices.Contains([]string{
		"actions/checkout", "actions/cache", "actions/cache/restore", "actions/cache/save", "actions/upload-artifact", "actions/download-artifact", "actions/setup-go",
		"actions/setup-python", "docker/login-action", "docker/setup-buildx-action", "docker/setup-qemu-action", "actions/attest", "actions/attest-build-provenance", "astral-sh/setup-uv",
	}, name)
}

// isBourne reports whether a step's script is one of bash or sh, as it is where nothing is said.
func isBourne(w *Workflow, j *Job, s Node) bool {
	for _, n := range []Node{s.At("shell"), j.Node.At("defaults", "run", "shell"), w.Top.At("defaults", "run", "shell")} {
		if n.Is() {
			return strings.HasPrefix(n.Text(), "bash") || strings.HasPrefix(n.Text(), "sh")
		}
	}
	return !slices.ContainsFunc(runners(j.Node.At("runs-on")), func(label string) bool { return strings.HasPrefix(strings.ToLower(label), "windows") })
}

// anywhere doubts jobs that push images by a workflow which anybody who may write starts by hand at any branch: the branch's own files decide what is published.
func (w *Workflow) anywhere(j *Job) []error {
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
	return []error{at.Problem("workflow_dispatch starts this at any branch, and the job %s writes packages: a condition about github.ref, or an environment, says which", j.ID)}
}

// atOnce doubts jobs of an environment that two runs may have at the same time.
func (w *Workflow) atOnce(j *Job) []error {
	if j.Environment == "" || j.Node.At("concurrency").Is() || w.Top.At("concurrency").Is() {
		return nil
	}
	return []error{j.Node.At("environment").Problem("two runs may be in the environment %s at the same time: the job %s, or the file, has no concurrency", j.Environment, j.ID)}
}

// legsInTurn doubts a group that all legs of a matrix are of: one runs and one waits, and whatever comes third cancels the one that waits.
func legsInTurn(j *Job) []error {
	of := j.Node.At("concurrency")
	if group := groupOf(of); group.Is() && j.Node.At("strategy", "matrix").Is() && !group.Asks("matrix", "strategy") && of.At("queue").Text() != "max" {
		return []error{group.Problem("all legs of the job %s are one group, in which one waits: of three the second is cancelled. A value of the matrix in the name tells them apart", j.ID)}
	}
	return nil
}

// groupOf is the name of a concurrency group.
func groupOf(concurrency Node) Node {
	if concurrency.IsMapping() {
		return concurrency.At("group")
	}
	return concurrency
}

// oneGroup doubts a group that the runs of all pull requests are of: they cancel each other.
func (w *Workflow) oneGroup() []error {
	of := w.Top.At("concurrency")
	group := groupOf(of)
	if !group.Is() || strings.Contains(group.Text(), "${{") || !w.StartsFor("pull_request", "pull_request_target") || of.At("queue").Text() == "max" {
		return nil
	}
	return []error{group.Problem("the runs of all pull requests are one group, and cancel each other. `${{ github.ref }}` in the name tells them apart")}
}

// alike doubts jobs that people are shown by one name: a rule that requires a check knows it by nothing else.
func (w *Workflow) alike() (found []error) {
	seen := map[string]Node{}
	for _, j := range w.Jobs {
		at, name := j.Node.At("name"), j.Node.At("name").Text()
		if !at.Is() {
			at, name = j.Node, j.ID
		}
		if before, known := seen[name]; known {
			found = append(found, at.Problem("the job %s is shown as %s, as another one is (line %d): a rule that requires that check cannot tell which", j.ID, name, before.Line()))
			continue
		}
		seen[name] = at
	}
	return found
}

// bySettings doubts jobs that have the rights of the repository's settings, beside one that is given a right to write.
func (w *Workflow) bySettings() []error {
	own := slices.IndexFunc(w.Jobs, func(j *Job) bool { return j.Node.At("permissions").Is() && j.writes() })
	called := !slices.ContainsFunc(w.Events, func(e Event) bool { return e.Name != "workflow_call" }) // which has the rights of the caller
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
	return []error{first.Problem("%s may do what the repository's settings say, which may be anything, and %s has permissions of its own: say those of the file too", strings.Join(ids, ", "), w.Jobs[own].ID)}
}

// anyVersion doubts actions that install a language, and are not told which version: they take what there is on GitHub's machine. Of Go that is an old one, and
// setup-go forbids it to fetch the one that go.mod wants (GOTOOLCHAIN=local).
func anyVersion(j *Job, tracked []string) (found []error) {
	for _, s := range j.Node.At("steps").Items() {
		name, _, _ := strings.Cut(strings.ToLower(s.At("uses").Text()), "@")
		language := map[string]string{"actions/setup-go": "go", "actions/setup-python": "python"}[name]
		if language == "" || s.At("with", language+"-version").Is() || s.At("with", language+"-version-file").Is() {
			continue
		}
		switch {
		case language == "go":
			found = append(found, s.At("uses").Problem("setup-go is not told which Go: the job has the old one of GitHub's machine, which may fetch no other: go-version-file: go.mod"))
		case !slices.Contains(tracked, ".python-version"):
			found = append(found, s.At("uses").Problem("setup-python is not told which Python: the job has the one of GitHub's machine, whichever that is: python-version"))
		}
	}
	return found
}

// choices doubts an input that chooses among environments: a job of one that does not ask for it runs whatever is chosen, of one that no job has nothing
// runs, and who may choose nothing, or anything, does not choose.
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
			found = append(found, input.Value.Problem("%s has options, and is not of the type choice: anything is taken, and no job may be of it", input.Key.Text()))
		}
		if input.Value.At("required").Text() != "true" && !input.Value.At("default").Is() {
			found = append(found, input.Value.Problem("whoever starts this by GitHub's API may leave %s out, which chooses among environments: required: true, or a default", input.Key.Text()))
		}
		for _, j := range w.Jobs {
			asks := false
			j.Node.At("if").eachPath("if", func(p expression.Path, _ string, _ Node) {
				asks = asks || len(p) > 1 && p[0] == "inputs" && strings.EqualFold(p[1], input.Key.Text())
			})
			if has(j.Environment) && !asks {
				found = append(found, j.Node.Problem("the job %s runs whichever %s is chosen: its condition does not ask for inputs.%s", j.ID, input.Key.Text(), input.Key.Text()))
			}
		}
		for _, o := range options {
			if !slices.ContainsFunc(w.Jobs, func(j *Job) bool { return j.Environment == o.Text() }) {
				found = append(found, o.Problem("no job is of the environment %s, which may be chosen", o.Text()))
			}
		}
	}
	return found
}
