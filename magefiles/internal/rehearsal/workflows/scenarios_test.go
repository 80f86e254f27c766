package workflows_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/verdict"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
)

// ourFiles lists this repository's workflow files, which are part of every commit in a scenario.
var ourFiles = []string{"ci.yml", "deploy.yml", "publish-app.yml", "publish.yml", "release.yml"}

// scenario has the GitHub events that a workflow file is meant for.
type scenario struct {
	name string // name of the file
	acts []act
}

// act is one event. The outcome with the unchanged file, which TestScenarios checks, is the expected one.
type act struct {
	file    string // the file that starts; "" means the scenario's file
	event   string
	ref     string
	inputs  map[string]string
	changed []string // files changed by a push or a pull request
	tags    int      // number of tags in the push
	never   bool     // the file must not start
	quiet   bool     // compare only whether the file starts
	twice   string   // a second ref that is pushed at the same time
	env     []string // environment of the recording
	vars    map[string]string
	about   string // the act runs only for changes that match this regular expression; "" matches all
}

const (
	mainRef = "refs/heads/main"
	oneTag  = "refs/tags/v1.0.0"
	digest  = "sha256:0123"
)

var scenarios = []scenario{
	{
		name: "ci.yml",
		acts: []act{
			{event: "push", ref: mainRef, quiet: true},
			{event: "merge_group", ref: mainRef, never: true},
			{event: "push", ref: oneTag, never: true},
			{event: "pull_request", ref: mainRef, changed: []string{"packages/one/x.py"}},
			{event: "pull_request", ref: mainRef, env: []string{"FAIL=qa:package"}, about: `\.jobs\.(ci|qa|plan)\b`},
			{event: "pull_request", ref: mainRef, env: []string{"FAIL=rehearse"}, about: `\.jobs\.(ci|rehearse)\b`},
			{event: "pull_request", ref: mainRef, env: []string{"NOTHING=1"}, about: `\.jobs\.(ci|qa|oldest|plan)\b`},
		},
	},
	{
		name: "deploy.yml",
		acts: []act{
			{event: "push", ref: mainRef, never: true},
			{event: "workflow_dispatch", ref: mainRef, inputs: map[string]string{"environment": "staging", "digest": digest}},
			{event: "workflow_dispatch", ref: mainRef, inputs: map[string]string{"environment": "production", "digest": digest}},
			{event: "workflow_dispatch", ref: "refs/heads/topic", inputs: map[string]string{"environment": "production", "digest": digest}, about: `\.if\b|\.env`},
			{file: "publish-app.yml", event: "push", ref: mainRef, changed: []string{"app/a.py"}},
		},
	},
	{
		name: "publish-app.yml",
		acts: []act{
			{event: "push", ref: "refs/heads/topic", changed: []string{"app/a.py"}, never: true},
			{event: "push", ref: mainRef, changed: []string{"packages/one/x.py"}, never: true},
			{event: "push", ref: mainRef, changed: []string{".github/workflows/publish-app.yml"}, quiet: true},
			{event: "workflow_dispatch", ref: mainRef, quiet: true},
			{event: "push", ref: mainRef, changed: []string{"app/a.py"}},
			{event: "workflow_dispatch", ref: "refs/heads/topic", about: `\.if\b|\.needs`},
		},
	},
	{
		name: "publish.yml",
		acts: []act{
			{event: "push", ref: "refs/heads/topic", changed: []string{"containers/runtime/x"}, never: true},
			{event: "push", ref: mainRef, changed: []string{"packages/one/x.py"}, never: true},
			{event: "push", ref: mainRef, changed: []string{".github/workflows/publish.yml"}, quiet: true},
			{event: "workflow_dispatch", ref: mainRef, quiet: true},
			{event: "push", ref: mainRef, changed: []string{"containers/runtime/x"}},
			{event: "workflow_dispatch", ref: "refs/heads/topic", about: `\.if\b|\.needs`},
		},
	},
	{
		name: "release.yml",
		acts: []act{
			{event: "push", ref: mainRef, never: true},
			{event: "push", ref: "refs/tags/one/v1.0.0", quiet: true},
			{event: "push", ref: oneTag, tags: 4, never: true},
			{event: "workflow_dispatch", ref: oneTag, quiet: true},
			{event: "push", ref: oneTag},
			{event: "push", ref: oneTag, twice: "refs/tags/one/v1.0.0", env: []string{"SLOW=0.2"}, about: `\.concurrency`},
			{event: "push", ref: oneTag, vars: map[string]string{"REBUILD": "off"}, about: `\.if\b|\.needs|rebuild`},
			{event: "push", ref: oneTag, env: []string{"FAIL=build:all"}, about: `\.if\b|\.needs`},
		},
	},
}

// bench holds a scenario and the outcomes for the unchanged file.
type bench struct {
	scenario
	text   string             // text of the unchanged file
	others map[string]string  // all files of a commit
	usual  map[string]outcome // outcomes by act, and by the job that runs alone
	mu     sync.Mutex
	doubts map[string]bool // doubts about the unchanged files
}

func newBench(t *testing.T, s scenario) *bench {
	b := &bench{
		scenario: s,
		others: map[string]string{
			"go.mod":                "module x\n\ngo 1.26.0\n",
			"magefiles/magefile.go": "package main\n",
			"oldest.toml":           "",
			"app/a.py":              "",
			"containers/runtime/x":  "",
		},
		doubts: map[string]bool{},
	}
	for _, name := range ourFiles {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", ".github", "workflows", name))
		require.NoError(t, err)
		b.others[workflows.Folder+"/"+name] = string(data)
		if name == s.name {
			b.text = string(data)
		}
	}
	b.usual = map[string]outcome{}
	lane := b.lane(t)
	for _, d := range workflows.Doubts(lane.files(b.text), lane.tracked()) {
		b.doubts[d] = true
	}
	return b
}

// unchanged returns the outcome of an act with the unchanged file, for one job or for all jobs.
func (l *lane) unchanged(i int, job string) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := fmt.Sprint(i, job)
	o, known := l.usual[key]
	if !known {
		o = l.play(l.acts[i], l.files(l.text), l.commit(l.text), job)
		l.usual[key] = o
	}
	return o
}

// lane has its own repository and folders. The runs of a lane are sequential.
type lane struct {
	*bench
	t           *testing.T
	dir, remote string
	program     string
	pythons     string
}

func (b *bench) lane(t *testing.T) *lane {
	dir := t.TempDir()
	l := &lane{
		bench:   b,
		t:       t,
		dir:     dir,
		remote:  filepath.Join(dir, "remote.git"),
		program: filepath.Join(dir, "magefile"),
		pythons: filepath.Join(dir, "pythons"),
	}
	answers, err := os.ReadFile("testdata/answers.sh")
	require.NoError(t, err)
	require.NoError(t, writeProgram(l.program, string(answers)))
	for _, v := range []string{"3.11", "3.12", "3.13"} {
		require.NoError(t, os.MkdirAll(filepath.Join(l.pythons, v), 0o755))
		require.NoError(t, writeProgram(filepath.Join(l.pythons, v, "python3"), strings.ReplaceAll(onlySays, "VERSION", v)))
	}
	l.git("", "init", "-q", "--bare", "-b", "main", l.remote)
	return l
}

// writeProgram writes a program that can be run immediately, even while other tests start child processes.
func writeProgram(name, text string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(name, []byte(text), 0o755)
}

func (l *lane) git(stdin string, args ...string) string {
	cmd := exec.Command("git", args...)
	if cmd.Stdin = strings.NewReader(stdin); args[0] != "init" {
		cmd.Dir = l.remote
	}
	out, err := cmd.Output()
	require.NoError(l.t, err, "git %v", args)
	return strings.TrimSpace(string(out))
}

// `texts` returns the files of a commit in which a mutant replaces the scenario's file.
func (l *lane) texts(mutant string) map[string]string {
	texts := maps.Clone(l.others)
	texts[workflows.Folder+"/"+l.name] = mutant
	return texts
}

func (l *lane) files(mutant string) fstest.MapFS {
	top := fstest.MapFS{}
	for name, text := range l.texts(mutant) {
		top[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return top
}

func (l *lane) tracked() []string { return slices.Sorted(maps.Keys(l.others)) }

// commit makes a commit that has a parent, and points branches, tags and a pull request at it.
func (l *lane) commit(mutant string) string {
	var in strings.Builder
	const who = "committer a <a@b> 1700000000 +0000\ndata 1\nx\n"
	in.WriteString("commit refs/heads/main\nmark :1\n" + who + "commit refs/heads/main\nmark :2\n" + who + "from :1\n")
	for name, text := range l.texts(mutant) {
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text)
	}
	for _, ref := range []string{oneTag, "refs/tags/one/v1.0.0", "refs/heads/topic", "refs/pull/1/merge"} {
		fmt.Fprintf(&in, "reset %s\nfrom :2\n\n", ref)
	}
	l.git(in.String(), "fast-import", "--force", "--quiet")
	return l.git("", "rev-parse", mainRef)
}

// outcome holds the results of an act.
type outcome struct {
	said []string // errors and doubts that a rehearsal reports
	is   []string // what happened: jobs with their grants, calls of mage, outputs, artifacts, approvals
}

// finding holds the results for a mutant.
type finding struct {
	said    []string
	by      string // the check that found the mutant
	differs string // what the mutant changed, even if nothing was reported
}

// find looks for a change in the same way as a rehearsal: it parses the file, checks it for doubts, determines what starts it, and runs it.
func (l *lane) find(m mutant) finding {
	top := l.files(m.text)
	name := workflows.Folder + "/" + l.name
	w, err := file.Read(name, []byte(m.text))
	if err == nil {
		err = errors.Join(w.Faults()...)
	}
	if err != nil {
		return finding{said: []string{err.Error()}, by: "read"}
	}
	found := finding{by: "doubted"}
	for _, d := range workflows.Doubts(top, l.tracked()) {
		if !l.doubts[d] {
			found.said = append(found.said, d)
		}
	}
	if len(found.said) > 0 && slices.ContainsFunc(found.said, func(said string) bool { return m.points(l.name, said) }) {
		return found
	}
	for i, a := range l.acts {
		if a.about != "" && !regexp.MustCompile(a.about).MatchString(m.what) {
			continue
		}
		// A change within a job can only affect that job and the jobs that need it. If that job's outcome is the same, so are the others.
		jobs := []string{""}
		if a.file == "" && a.about == "" && m.job() != "" {
			jobs = []string{m.job(), ""}
		}
		for _, job := range jobs {
			usual := l.unchanged(i, job)
			o := l.play(a, top, l.commit(m.text), job)
			differs := difference(usual.is, o.is)
			if found.differs == "" {
				found.differs = differs
			}
			if differs == "" && a.about != "" {
				continue // also reported for the unchanged file, at other lines
			}
			for _, said := range o.said {
				if !slices.ContainsFunc(usual.said, func(u string) bool { return places.ReplaceAllString(u, "") == places.ReplaceAllString(said, "") }) {
					found.said = append(found.said, said)
				}
			}
			if found.by = "run"; slices.ContainsFunc(found.said, func(said string) bool { return m.points(l.name, said) }) {
				return found
			}
			if differs == "" {
				break
			}
		}
	}
	return found
}

// `places` matches line numbers, which change when lines are added or removed.
var places = regexp.MustCompile(`:\d+(?::\d+)?|\bline \d+`)

var inJob = regexp.MustCompile(`^(?:delete )?\.jobs\.([\w-]+)[.[]`)

// job returns the job that contains the change, or "" if the change is not in a job.
func (m mutant) job() string {
	if of := inJob.FindStringSubmatch(m.what); of != nil {
		return of[1]
	}
	return ""
}

// difference returns the lines that are in only one of the two lists, or "" if there are none.
func difference(before, after []string) string {
	var lines []string
	for _, b := range before {
		if !slices.Contains(after, b) {
			lines = append(lines, "- "+b)
		}
	}
	for _, a := range after {
		if !slices.Contains(before, a) {
			lines = append(lines, "+ "+a)
		}
	}
	return strings.Join(lines, " ")
}

// play runs an act: one event, with all jobs, or with one job and the jobs that it needs.
func (l *lane) play(a act, top fstest.MapFS, commit, only string) (o outcome) {
	name := a.file
	if name == "" {
		name = l.name
	}
	name = workflows.Folder + "/" + name
	w, err := file.Read(name, top[name].Data)
	require.NoError(l.t, err)
	starts, why := w.Starts(file.Occurrence{
		Event:   a.event,
		Ref:     a.ref,
		Tags:    max(a.tags, 1),
		Default: "main",
		Changed: file.Changed{Files: a.changed, Commits: 1},
	})
	o.is = []string{fmt.Sprintf("starts for %s of %s %v: %v", a.event, a.ref, a.changed, starts)}
	if !starts {
		if !a.never {
			o.said = []string{why}
		}
		return o
	}
	if a.quiet || a.never {
		return o
	}
	dir, err := os.MkdirTemp(l.dir, "run-")
	require.NoError(l.t, err)
	defer os.RemoveAll(dir)
	var mu sync.Mutex
	record := filepath.Join(dir, "record")
	config := l.config(dir, top, append(slices.Clone(a.env), "RECORD="+record), func(line string) {
		mu.Lock()
		defer mu.Unlock()
		o.is = append(o.is, line)
	})
	config.Variables = a.vars
	r := runner.New(config)
	refs := []string{a.ref}
	if a.twice != "" {
		refs = append(refs, a.twice)
	}
	var all sync.WaitGroup
	for _, ref := range refs {
		all.Go(func() {
			result, err := r.Run(context.Background(), w, event(a, ref, commit), only)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				o.said = append(o.said, fmt.Sprintf("%+v", err))
				return
			}
			o.take(result)
		})
	}
	all.Wait()
	calls, err := os.ReadFile(record)
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(l.t, err)
	}
	o.is = append(o.is, strings.Split(imagePython.ReplaceAllString(strings.TrimSpace(string(calls)), "[the image's Python]"), "\n")...)
	slices.Sort(o.is)
	return o
}

// config returns the runner configuration for an act.
func (l *lane) config(dir string, top fstest.MapFS, further []string, happened func(line string)) runner.Config {
	actions := maps.Clone(standin.All)
	login, buildx := actions["docker/login-action"], actions["docker/setup-buildx-action"]
	as := func(of runner.StandIn, leaves func(c *runner.Call) (name, text string)) runner.StandIn {
		own := of.Run
		of.Run = func(ctx context.Context, c *runner.Call) error {
			if err := own(ctx, c); err != nil {
				return err
			}
			name, text := leaves(c)
			return os.WriteFile(filepath.Join(c.Home, name), []byte(text+"\n"), 0o644)
		}
		return of
	}
	actions["docker/login-action"] = as(login, func(c *runner.Call) (name, text string) {
		return ".docker-" + strings.ReplaceAll(c.With["registry"], "/", "_"), c.With["password"]
	})
	actions["docker/setup-buildx-action"] = as(buildx, func(*runner.Call) (name, text string) { return ".buildx", "" })
	ofEnvironment := func(name string) map[string]string {
		return map[string]string{"DEPLOY_SSH_PRIVATE_KEY": "key-of-" + name, "DEPLOY_KNOWN_HOSTS": "hosts-of-" + name}
	}
	return runner.Config{
		Runner:             command.NewSystem(os.Environ(), nil),
		Environ:            append(machine.Environ(os.Environ()), further...),
		Installed:          machine.Path(os.Environ()),
		Dir:                filepath.Join(dir, "ci"),
		Files:              top,
		Remote:             l.remote,
		Repository:         "octo/tools",
		EnvironmentSecrets: map[string]map[string]string{"staging": ofEnvironment("staging"), "production": ofEnvironment("production")},
		Actions:            actions,
		Token: func(of runner.Asked) (string, error) {
			return "ghs_" + strings.NewReplacer(": ", "=", ", ", ";").Replace(of.Grant.String()), nil
		},
		IDToken: func(of runner.Asked) (url, token string, err error) {
			return "http://x/?environment:" + of.Environment, "asks-for-an-id-token", nil
		},
		Approve: func(_ context.Context, environment string) error {
			happened("approved: " + environment)
			return nil
		},
		Python: func(version string) string {
			if path := filepath.Join(l.pythons, version, "python3"); version != "" && regexp.MustCompile(`^3\.1[123]$`).MatchString(version) {
				return path
			}
			return ""
		},
		Script: func(program, found string) string {
			text := "#!/bin/sh\n"
			if program == "go" {
				text += `if [ "$1 $2" = "tool mage" ] && [ -e magefiles ]; then shift 2 && exec '` + l.program + `' "$@"; fi` + "\n"
			}
			return text + "exec '" + found + "' \"$@\"\n"
		},
	}
}

// onlySays is a fake Python that prints its version, has no pip, and makes virtual environments that link to itself.
const onlySays = `#!/bin/sh
case "$*" in
"-I -m venv "*)
	for dir; do :; done
	mkdir -p "$dir/bin" "$dir/lib/python3/site-packages" && ln -s "$0" "$dir/bin/python" && ln -s "$0" "$dir/bin/python3" ;;
"-I -c "*) echo ;;
*) echo VERSION ;;
esac
`

// event returns the event of an act, with the payload that GitHub would send.
func event(a act, ref, commit string) runner.Event {
	payload := expression.NewObject("ref", ref, "repository", expression.NewObject("full_name", "octo/tools", "default_branch", "main"))
	if a.event == "pull_request" {
		ref = "refs/pull/1/merge"
		payload.Set("pull_request", expression.NewObject("number", 1.0, "base", expression.NewObject("ref", "main", "sha", commit), "head", expression.NewObject("ref", "topic")))
	}
	return runner.Event{
		Name:    a.event,
		Ref:     ref,
		SHA:     commit,
		Actor:   "octocat",
		Payload: payload,
		Inputs:  a.inputs,
	}
}

// take adds the results of a run to the outcome.
func (o *outcome) take(r *runner.Result) {
	if err := verdict.Of(r); err != nil {
		o.said = append(o.said, fmt.Sprintf("%+v", err))
	}
	for _, d := range r.Doubts {
		o.said = append(o.said, d.Error())
	}
	o.jobs(r.File, r.Jobs)
	for name, dir := range r.Artifacts {
		var files []string
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, strings.TrimPrefix(path, dir))
			}
			return err
		})
		o.is = append(o.is, fmt.Sprintf("artifact %s: %v", name, files))
	}
}

func (o *outcome) jobs(name string, jobs []*runner.Job) {
	for _, j := range jobs {
		o.is = append(o.is, fmt.Sprintf("job %s: %s, outputs %v", j.ID, j.Conclusion, j.Outputs))
		if j.Conclusion == runner.Skipped {
			o.said = append(o.said, fmt.Sprintf("%s:%d the job %s was skipped: %s", name, j.Line, j.ID, j.Why))
		}
		for _, leg := range j.Legs {
			matrix := ""
			if leg.Matrix != nil {
				matrix, _ = expression.ToJSON(leg.Matrix)
			}
			o.is = append(o.is, fmt.Sprintf("leg of %s %s: %s, may %s, environment %q", j.ID, strings.Join(strings.Fields(matrix), ""), leg.Conclusion, leg.Grant, leg.Environment))
			o.jobs("deploy.yml", leg.Jobs)
		}
	}
}

// imagePython matches the version of this machine's Python, which jobs use if they do not install one.
var imagePython = regexp.MustCompile(`\[Python 3[\d.+rcab]*\]`)

var update = flag.Bool("update", false, "write what the workflow files come to")

// The unchanged files work as intended. testdata/scenarios records which runs start, which jobs run, their grants and calls of mage, and their
// outputs. Mutants are compared with this record.
func TestScenarios(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			lane := newBench(t, s).lane(t)
			var text strings.Builder
			for i, a := range s.acts {
				o := lane.unchanged(i, "")
				fmt.Fprintf(&text, "# %s of %s", a.event, a.ref)
				for _, more := range [][]string{a.changed, a.env, {a.twice}} {
					for _, m := range more {
						fmt.Fprint(&text, " ", m)
					}
				}
				for _, m := range []map[string]string{a.inputs, a.vars} {
					for _, k := range slices.Sorted(maps.Keys(m)) {
						fmt.Fprintf(&text, " %s=%s", k, m[k])
					}
				}
				text.WriteString("\n" + strings.Join(o.is, "\n") + "\n")
				for _, said := range o.said {
					first, _, _ := strings.Cut(said, "\n")
					fmt.Fprintf(&text, "said: %s\n", first)
				}
				text.WriteString("\n")
			}
			golden := filepath.Join("testdata", "scenarios", strings.TrimSuffix(s.name, ".yml")+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(text.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), text.String())
		})
	}
}
