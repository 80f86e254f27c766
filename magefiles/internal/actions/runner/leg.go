package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/masks"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/matrix"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/turns"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/command"
)

// leg is a running job, for one combination of its matrix.
type leg struct {
	*flow

	state    *state
	node     file.Node
	needs    *expression.Object
	strategy *expression.Object
	matrix   *expression.Object
	parallel int
	contexts *expression.Object // contexts for the job's keys outside steps
	out      *Leg

	// begin sets the fields below.
	masks     masks.Masks
	tracking  string
	token     string
	idToken   string // the token with which a job requests ID tokens
	github    *expression.Object
	environ   []string           // environment of every step, without `env` and PATH
	env       *expression.Object // `env` of the workflow and the job, and variables that steps wrote to GITHUB_ENV
	added     []string           // folders that steps added to PATH, newest first
	workspace string
	home      string
	temp      string
	tools     string
	status    string
	scripts   int
	during    context.Context // context of the running step, or of all steps: hashFiles reads files only until it ends
	watched   []watched
	posts     []post
	label     string // label of the machine
}

// watched is a word that turns an error into a doubt if a step prints it.
type watched struct {
	word string
	err  error
}

// cleanUp limits the time of steps that run after their job was canceled.
const cleanUp = 5 * time.Minute

// defaultTimeout is the timeout of a job, in minutes.
const defaultTimeout = 360

var errTimeout = errors.New("the job took longer than timeout-minutes allows")

func (l *leg) end(conclusion, why string, args ...any) {
	l.out.Conclusion = conclusion
	l.out.Why = l.masks.Hide(fmt.Sprintf(why, args...))
}

// name returns the display name: the name in the file, or the job ID. The matrix values are appended unless the name has expressions.
func (l *leg) name() (string, error) {
	n := l.node.At("name")
	v, err := n.Value(l.flow.eval(l.contexts))
	if err != nil {
		return "", err
	}
	name := expression.Text(v)
	if name == "" {
		name = l.state.job.ID
	}
	if !strings.Contains(n.Text(), "${{") {
		name = matrix.Name(name, l.matrix)
	}
	return strings.ReplaceAll(l.path, "/", " / ") + name, nil
}

// `runAndRecord` runs the leg, or the workflow that it calls, and records the result.
func (l *leg) runAndRecord(ctx context.Context) {
	l.out.Began = time.Now()
	defer func() { l.out.Took = time.Since(l.out.Began) }()
	l.out.Grant = rights.Of(l.state.job.Permissions, l.caller)
	if l.event.Fork {
		l.out.Grant = l.out.Grant.OfFork()
	}
	v, err := l.node.At("continue-on-error").Value(l.flow.eval(l.contexts))
	if err != nil {
		l.end(Failure, "%v", err)
		return
	}
	defer func() { l.out.Allowed = expression.Truthy(v) && l.out.Conclusion == Failure }()
	inside, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	leave, err := l.groups.Enter(inside, l.node.At("concurrency"), l.flow.eval(l.contexts), cancel)
	if err != nil {
		if errors.Is(err, turns.ErrReplaced) || errors.Is(err, turns.ErrCanceled) || ctx.Err() != nil {
			l.end(Canceled, "%v", err)
		} else {
			l.end(Failure, "%v", err)
		}
		return
	}
	defer leave()
	if l.state.job.Uses != "" {
		l.call(inside)
		return
	}
	if !l.approved(inside) {
		return
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-inside.Done():
		l.end(Canceled, "the job was canceled before it began")
		return
	}
	l.work(inside)
}

// approved waits until the leg's environment is approved.
func (l *leg) approved(ctx context.Context) bool {
	n := l.node.At("environment")
	if n.IsMapping() {
		n = n.At("name")
	}
	v, err := n.Value(l.flow.eval(l.contexts))
	if err != nil {
		l.end(Failure, "%v", err)
		return false
	}
	l.out.Environment = expression.Text(v)
	if l.out.Environment == "" || l.Approve == nil {
		return true
	}
	if err := l.Approve(ctx, l.out.Environment); err != nil {
		if ctx.Err() != nil {
			l.end(Canceled, "the job was canceled while it waited for an approval")
		} else {
			l.end(Failure, "the environment %s was not approved: %v", l.out.Environment, err)
		}
		return false
	}
	return true
}

// secretObject returns the context `secrets`: the run's secrets, overridden by the environment's secrets, and the token.
func (l *leg) secretObject(environment string) *expression.Object {
	all := maps.Clone(l.secrets)
	if all == nil {
		all = map[string]string{}
	}
	if environment != "" && l.inherit && !l.event.Fork {
		maps.Copy(all, l.EnvironmentSecrets[environment])
	}
	o := &expression.Object{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		l.masks.Add(all[k])
		o.Add(k, all[k])
	}
	o.Set("GITHUB_TOKEN", l.token)
	return o
}

// work runs the steps of the leg.
func (l *leg) work(ctx context.Context) {
	defer l.endTokens()
	minutes, err := l.minutes(l.node.At("timeout-minutes"), l.contexts, defaultTimeout)
	if err == nil {
		err = l.begin()
	}
	if err != nil {
		l.end(Failure, "%v", err)
		return
	}
	defer func() {
		l.endOrphans()
		if err := os.RemoveAll(filepath.Dir(l.workspace)); err != nil {
			l.note("the files of the job %s could not be removed: %v", l.out.Name, err)
		}
	}()
	timed, cancel := context.WithTimeoutCause(ctx, minutes, errTimeout)
	defer cancel()
	l.during = timed
	s := &scope{
		leg:    l,
		steps:  &expression.Object{},
		status: &l.status,
		inputs: l.inputs,
	}
	l.out.Steps = s.runSteps(timed, l.node.At("steps").Items())
	if l.outer.Err() == nil {
		l.out.Steps = append(l.out.Steps, s.runPostSteps()...)
	}
	l.hand(s)
	switch {
	case l.outer.Err() != nil:
		l.end(Canceled, "%v", context.Cause(l.outer))
	case errors.Is(context.Cause(timed), errTimeout):
		l.end(Canceled, "%v", errTimeout)
	default:
		l.out.Conclusion = l.status
	}
}

// endOrphans kills processes that the leg has left running. Like GitHub's runner, it identifies them by RUNNER_TRACKING_ID, and also by
// GITHUB_WORKSPACE. A process without either variable survives; on GitHub, it would end with the machine.
func (l *leg) endOrphans() {
	if ended := command.EndMarked(trackingID+"="+l.tracking, "GITHUB_WORKSPACE="+l.workspace); ended != nil && l.Log != nil {
		l.Log(l.out.Name, l.masks.Hide("killed the processes that the job left running: "+strings.Join(ended, ", ")))
	}
}

// trackingID is the variable that marks a job's processes.
const trackingID = "RUNNER_TRACKING_ID"

// endTokens revokes the leg's tokens, whatever its result, because an orphaned process may still have them.
func (l *leg) endTokens() {
	for _, token := range []string{l.token, l.idToken} {
		if token != "" && l.Ended != nil {
			l.Ended(token)
		}
	}
}

// minutes parses a time limit.
func (l *leg) minutes(n file.Node, contexts *expression.Object, otherwise float64) (time.Duration, error) {
	v, err := n.Value(l.flow.eval(contexts))
	if err != nil {
		return 0, err
	}
	m, is := v.(float64)
	switch {
	case v == nil:
		m = otherwise
	case !is || m <= 0 || m > 1e6:
		return 0, n.Problem("timeout-minutes must be a number above 0, but is %q", expression.Text(v))
	}
	return time.Duration(m * float64(time.Minute)), nil
}

// begin creates the leg's folders, and requests its tokens.
func (l *leg) begin() error {
	if err := l.runsOn(); err != nil {
		return err
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	scratch.Spread(l.dir)
	// The folder name is the same in each run, because Python's byte code records the path of its source.
	index, _ := l.strategy.Get("job-index")
	dir := filepath.Join(l.dir, strings.ReplaceAll(l.path, "/", ".")+l.state.job.ID+"-"+expression.Text(index))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	l.workspace, l.home = filepath.Join(dir, "work"), filepath.Join(dir, "home")
	l.temp, l.tools = filepath.Join(dir, "temp"), filepath.Join(dir, "tools")
	for _, d := range []string{l.workspace, l.home, filepath.Join(l.temp, "_runner_file_commands"), l.tools} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if l.Home != nil {
		if err := l.Home(l.home); err != nil {
			return err
		}
	}
	l.status, l.during, l.tracking = Success, l.outer, "github_"+rand.Text()
	if err := l.askToken(); err != nil {
		return err
	}
	payload := filepath.Join(l.temp, "event.json")
	text, err := expression.ToJSON(l.event.Payload)
	if err == nil {
		err = os.WriteFile(payload, []byte(text), 0o644)
	}
	if err != nil {
		return err
	}
	l.github = &expression.Object{}
	l.github.SetAll(l.run.github)
	l.environ = slices.Clone(l.Environ)
	if l.Image != nil {
		image, err := l.Image(l.label)
		if err != nil {
			return err
		}
		l.environ, l.out.Lacks = command.Setenv(l.environ, "PATH="+image.Path), image.Lacks
	}
	for _, k := range l.github.Keys() {
		v, _ := l.github.Get(k)
		if text, is := v.(string); is && k != "repositoryUrl" {
			l.environ = append(l.environ, "GITHUB_"+strings.ToUpper(k)+"="+text)
		}
	}
	l.environ = append(l.environ, "CI=true", "GITHUB_ACTIONS=true", "GITHUB_REF_PROTECTED=false", "GITHUB_EVENT_PATH="+payload, "GITHUB_WORKSPACE="+l.workspace,
		"GITHUB_JOB="+l.state.job.ID, "HOME="+l.home, "RUNNER_OS=Linux", "RUNNER_ARCH="+arch, "RUNNER_NAME=rehearsal", "RUNNER_TEMP="+l.temp,
		"RUNNER_TOOL_CACHE="+l.tools, "RUNNER_ENVIRONMENT=github-hosted", "RUNNER_WORKSPACE="+dir, trackingID+"="+l.tracking, "TMPDIR="+l.temp, "GIT_TERMINAL_PROMPT=0")
	if l.IDToken != nil && l.out.Grant.Writes("id-token") {
		url, token, err := l.IDToken(l.asked())
		if err != nil {
			return err
		}
		l.masks.Add(token)
		l.idToken = token
		l.environ = append(l.environ, "ACTIONS_ID_TOKEN_REQUEST_URL="+url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN="+token)
	}
	for key, v := range map[string]string{"token": l.token, "job": l.state.job.ID, "workspace": l.workspace, "event_path": payload} {
		l.github.Set(key, v)
	}
	l.contexts = l.flow.contexts("needs", l.needs, "strategy", l.strategy, "matrix", l.matrix, "secrets", l.secretObject(l.out.Environment))
	l.contexts.Set("github", l.github)
	l.env = &expression.Object{Exact: true}
	if err := l.addEnv(l.w.Top.At("env"), l.contexts, l.env); err != nil {
		return err
	}
	return l.addEnv(l.node.At("env"), l.contexts, l.env)
}

func (l *leg) asked() Asked {
	return Asked{
		Event:       l.event,
		Workflow:    l.w.File,
		Called:      l.path != "",
		Job:         l.state.job.ID,
		Leg:         l.out.Name,
		Environment: l.out.Environment,
		Grant:       l.out.Grant,
	}
}

// askToken requests the leg's token.
func (l *leg) askToken() (err error) {
	if l.Token != nil {
		l.token, err = l.Token(l.asked())
		l.masks.Add(l.token)
	}
	return err
}

// addEnv evaluates an `env:` into an object.
func (l *leg) addEnv(n file.Node, contexts *expression.Object, into *expression.Object) error {
	for _, p := range n.Pairs() {
		v, err := p.Value.Value(l.flow.evalIn(l, contexts))
		if err != nil {
			return err
		}
		into.Set(p.Key.Text(), expression.Text(v))
	}
	return nil
}

// runsOn rejects a runner that is not GitHub's, and notes where a runner differs from this machine.
func (l *leg) runsOn() error {
	v, err := l.node.At("runs-on").Value(l.flow.eval(l.contexts))
	if err != nil {
		return err
	}
	names := []expression.Value{v}
	switch v := v.(type) {
	case *expression.Array:
		names = v.Items
	case *expression.Object:
		group, _ := v.Get("group")
		names = []expression.Value{group}
	}
	for _, n := range names {
		label := strings.ToLower(expression.Text(n))
		other, known := labels[label]
		l.label = label
		switch {
		case !known:
			return l.node.At("runs-on").Elsewhere("%q is not one of GitHub's own runners, so this job is not run here", label)
		case other == "arm" && arch != "ARM64", other != "" && other != "arm", other == "" && arch != "X64":
			l.note("%s runs on this machine (Linux, %s), not on %s", l.out.Name, arch, label)
		}
	}
	return nil
}

// hand passes the leg's outputs to its job, except outputs that contain a secret.
func (l *leg) hand(s *scope) {
	for _, p := range l.node.At("outputs").Pairs() {
		v, err := p.Value.Value(l.flow.evalIn(l, s.contexts(l.env)))
		if err != nil {
			l.out.Why, l.status = l.masks.Hide(err.Error()), Failure
			continue
		}
		text := expression.Text(v)
		if l.masks.Hide(text) != text {
			l.doubt(p.Value.Problem("the output %s of the job %s is not passed on, because it contains a secret or a value that a step masked", p.Key.Text(), l.state.job.ID))
			continue
		}
		if v == nil && l.status == Success { // a step that sets an output to "" means that
			l.doubt(p.Value.Problem("the output %s of the job %s is empty, although all steps of the job succeeded: %s", p.Key.Text(), l.state.job.ID, p.Value.Text()))
		}
		l.state.setOutput(p.Key.Text(), text)
	}
}
