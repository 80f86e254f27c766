package runner_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/verdict"
	"github.com/foopack/foopack/magefiles/internal/command"
)

const runs = "runs-on: ubuntu-latest, steps: [{run: %s}]"

// job returns the YAML of a job on one line.
func job(id, more, script string) string {
	return "  " + id + ": {" + more + strings.Replace(runs, "%s", `"`+script+`"`, 1) + "}\n"
}

// The cases follow GitHub's documentation of `needs` and the status functions. A job is skipped if a direct or indirect dependency did not succeed,
// unless the job's condition uses a status function.
func TestJobOrder(t *testing.T) {
	for name, c := range map[string]struct{ jobs, want string }{
		"a chain":                     {job("b", "needs: a, ", "true") + job("a", "", "true"), "b=success a=success"},
		"after a failure":             {job("a", "", "false") + job("b", "needs: a, ", "true") + job("c", "needs: b, ", "true"), "a=failure b=skipped c=skipped"},
		"failure() of an ancestor":    {job("a", "", "false") + job("b", "needs: a, ", "true") + job("c", "needs: b, if: failure(), ", "true"), "a=failure b=skipped c=success"},
		"always()":                    {job("a", "", "false") + job("b", "needs: a, if: always(), ", "true"), "a=failure b=success"},
		"after a job that is skipped": {job("a", "if: false, ", "true") + job("b", "needs: a, ", "true"), "a=skipped b=skipped"},
		"the chain behind always() still has the one that was skipped": {job("a", "if: false, ", "true") + job("b", "needs: a, if: always(), ", "true") + job("c", "needs: b, ", "true"), "a=skipped b=success c=skipped"},
		"by the result of a need":                                      {job("a", "if: false, ", "true") + job("b", "needs: a, if: \"!cancelled() && needs.a.result == 'skipped'\", ", "true"), "a=skipped b=success"},
		"continue-on-error lets the run pass":                          {job("a", "continue-on-error: true, ", "false") + job("b", "needs: a, ", "true"), "a=failure b=success"},
		"a condition with a matrix of a need":                          {job("a", "", "true") + job("b", "needs: a, if: needs.a.outputs.x == '', ", "true"), "a=success b=success"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newBench(t, nil).run("jobs:\n" + c.jobs)
			require.Equal(t, c.want, conclusions(r))
			if strings.Contains(c.want, "failure") && !strings.Contains(name, "continue-on-error") {
				require.Equal(t, runner.Failure, r.Conclusion)
			} else if strings.Contains(c.want, "success") {
				require.Equal(t, runner.Success, r.Conclusion)
			} else {
				require.Equal(t, runner.Skipped, r.Conclusion)
			}
		})
	}
}

func TestOneJobWithItsNeeds(t *testing.T) {
	b := newBench(t, nil)
	b.only = "b"
	text := "jobs:\n" + job("a", "", "true") + job("b", "needs: a, ", "true") + job("c", "", "false")
	require.Equal(t, "a=success b=success", conclusions(b.run(text)))
	b.only = "x"
	_, err := b.try(text)
	require.ErrorContains(t, err, `ci.yml has no job "x": its jobs are a, b, c`)
}

func TestOutputsOfJobs(t *testing.T) {
	const legs = `
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: {max-parallel: 1, matrix: {n: [1, 2, 3]}}
    outputs: {x: "${{ steps.s.outputs.x }}", only2: "${{ steps.s.outputs.two }}", secret: "${{ secrets.KEY }}", none: ""}
    steps:
      - id: s
        run: echo x=$((${{ matrix.n }} + 1)) >> $GITHUB_OUTPUT; if [ ${{ matrix.n }} = 2 ]; then echo two=it >> $GITHUB_OUTPUT; fi
`
	b := newBench(t, nil)
	b.config.Secrets = map[string]string{"KEY": "hidden-value"}
	r := b.run(legs)
	got := r.Jobs[0].Outputs
	require.Contains(t, []string{"2", "3", "4"}, got["x"])
	require.Equal(t, "it", got["only2"], "the last one that is not empty counts")
	require.NotContains(t, got, "secret")
	require.ErrorContains(t, errors.Join(r.Doubts...), "ci.yml:7:91: the output secret of the job a is not passed on, because it contains a secret or a value that a step masked")
	require.Equal(t, "a (1) a (2) a (3)", r.Jobs[0].Legs[0].Name+" "+r.Jobs[0].Legs[1].Name+" "+r.Jobs[0].Legs[2].Name)
}

// As on GitHub, a secret is neither shown nor passed on. This includes encoded secrets, and the beginning of a secret at the end of a truncated line.
func TestSecretsAreNotShown(t *testing.T) {
	b := newBench(t, nil)
	b.config.Secrets = map[string]string{"KEY": "hidden-value!"}
	r := b.run(`
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: {coded: "${{ steps.s.outputs.coded }}", other: "${{ steps.s.outputs.other }}"}
    steps:
      - id: s
        env: {KEY: "${{ secrets.KEY }}"}
        run: |
          printf 'me:%s' "$KEY" | base64 -w0; echo
          printf '%4090s%s\n' '' "$KEY" | tr ' ' x
          head -c 1048570 /dev/zero | tr '\0' y; printf '%s' "$KEY"; head -c 9000 /dev/zero | tr '\0' z; printf '%s\n' "$KEY"
          for i in $(seq 66000); do printf '%s\n' "$KEY"; done | tr -d '\n'; echo
          echo "coded=$(printf %s "$KEY" | base64)" >>$GITHUB_OUTPUT
          echo other=it >>$GITHUB_OUTPUT
          echo "::error file=$KEY.go,title=$KEY::$KEY"
`)
	step := r.Jobs[0].Legs[0].Steps[0]
	log := strings.Join(step.Log, "\n")
	require.Contains(t, log, "\nbWU6***\n")
	require.Contains(t, log, strings.Repeat("x", 4090)+"***\n")
	require.NotContains(t, log, "hid")
	require.NotContains(t, log, "aGlkZGVu")
	require.NotContains(t, log, "zz")
	require.Equal(t, map[string]string{"other": "it"}, r.Jobs[0].Outputs)
	require.NotContains(t, step.Annotations[0].File+step.Annotations[0].Title+step.Annotations[0].Message, "hid")
}

// A job can find credentials of this machine in a proxy URL or in the environment of a parent process. The logs, reports and outputs of a run must
// not contain any of them.
func TestNoCredentialOfThisMachineIsShown(t *testing.T) {
	b := newBench(t, nil)
	b.config.Runner = command.NewSystem(append(os.Environ(), "GH_TOKEN=ghp_AbCdEfGhIj", "HTTPS_PROXY=http://u:passw0rdxyz@127.0.0.1:9"), nil)
	b.config.Environ = append(b.config.Environ, "HTTPS_PROXY=http://u:passw0rdxyz@127.0.0.1:9")
	var mu sync.Mutex
	var log []string
	b.config.Log = func(_, line string) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, line)
	}
	r := b.run(`
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: {proxy: "${{ steps.s.outputs.proxy }}"}
    steps:
      - id: s
        run: |
          env | grep -i proxy | tee -a $GITHUB_STEP_SUMMARY
          echo ghp_AbCdEfGhIj; echo ::error::ghp_AbCdEfGhIj; printf 'x%sx' ghp_AbCdEfGhIj | base64
          echo "proxy=$HTTPS_PROXY" >>$GITHUB_OUTPUT
          echo ::set-output name=x::$HTTPS_PROXY
`)
	leg := r.Jobs[0].Legs[0]
	shown := strings.Join(append(log, leg.Steps[0].Log...), "\n") + leg.Summary + leg.Steps[0].Annotations[0].Message
	require.Contains(t, shown, "HTTPS_PROXY=http://u:***@127.0.0.1:9")
	require.NotContains(t, shown, "passw0rd")
	require.Contains(t, leg.Steps[0].Log, "***")
	require.NotContains(t, shown, "ghp_AbCd")
	require.NotContains(t, shown, "ocF9BYkNkRWZ")
	require.Empty(t, r.Jobs[0].Outputs)
}

// A job's tokens are revoked when the job ends, whether or not it succeeded, and not only at the end of the run.
func TestTokensEndWithTheirJob(t *testing.T) {
	b := newBench(t, nil)
	var mu sync.Mutex
	var told []string
	tell := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, what)
	}
	b.config.Token = func(of runner.Asked) (string, error) {
		tell("begin " + of.Job)
		return "token-of-" + of.Job, nil
	}
	b.config.IDToken = func(of runner.Asked) (string, string, error) { return "http://x", "id-of-" + of.Job, nil }
	b.config.Ended = func(token string) { tell("end " + token) }
	b.run("permissions: {id-token: write}\njobs:\n" + job("a", "", "false") + job("b", "needs: a, if: always(), permissions: {}, ", "true") +
		"  d: {needs: b, if: always(), env: {X: \"${{ fromJSON('') }}\"}, " + strings.Replace(runs, "%s", "x", 1) + "}\n")
	require.Equal(t, []string{
		"begin a", "end token-of-a", "end id-of-a", "begin b", "end token-of-b", "begin d", "end token-of-d", "end id-of-d",
	}, told)
}

// A process that a step leaves running is killed when its job ends, however the job ends and even if the process has left its session. The process
// cannot recreate the job's folder.
func TestOrphansOfAJobAreKilled(t *testing.T) {
	for name, c := range map[string]struct{ end, minutes string }{"well": {"true", "1"}, "badly": {"false", "1"}, "by its time": {"sleep 60", "0.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			pids := filepath.Join(t.TempDir(), "pids")
			r := b.run(`
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: ` + c.minutes + `
    steps:
      - run: |
          (setsid sh -c 'echo $$ >>` + pids + `; cd /; while :; do mkdir -p "$GITHUB_WORKSPACE"; sleep 0.01; done' >/dev/null 2>&1 &)
          (cd / && RUNNER_TRACKING_ID= setsid sh -c 'echo $$ >>` + pids + `; exec sleep 600' >/dev/null 2>&1 &)
          while [ "$(wc -l <` + pids + `)" != 2 ]; do sleep 0.01; done
      - run: for p in $(cat ` + pids + `); do kill -0 $p; done; ` + c.end + `
        env: {RUNNER_TRACKING_ID: mine}
`)
			if name == "well" {
				require.Equal(t, runner.Success, r.Conclusion, "a later step has them still")
			}
			text, err := os.ReadFile(pids)
			require.NoError(t, err)
			for _, pid := range strings.Fields(string(text)) {
				environ, _ := os.ReadFile("/proc/" + pid + "/environ")
				require.Empty(t, environ, pid)
			}
			time.Sleep(100 * time.Millisecond)
			left, err := filepath.Glob(filepath.Join(b.config.Dir, "*", "*", "*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestFailFast(t *testing.T) {
	const legs = `
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: {fail-fast: FAST, max-parallel: 2, matrix: {n: [1, 2, 3]}}
    steps:
      - run: if [ ${{ matrix.n }} = 1 ]; then exit 1; fi; sleep WAIT
      - run: echo tidied
        if: cancelled()
`
	of := func(r *runner.Result) (all []string) {
		for _, l := range r.Jobs[0].Legs {
			all = append(all, l.Conclusion)
		}
		slices.Sort(all)
		return all
	}
	r := newBench(t, nil).run(strings.NewReplacer("FAST", "true", "WAIT", "30").Replace(legs))
	require.Equal(t, []string{"cancelled", "cancelled", "failure"}, of(r))
	require.Equal(t, "a=failure", conclusions(r))
	tidied := 0
	for _, l := range r.Jobs[0].Legs {
		if strings.Contains(log(l), "tidied") {
			tidied++
		}
	}
	require.LessOrEqual(t, tidied, 1, "a leg that did not begin has nothing to tidy up")
	r = newBench(t, nil).run(strings.NewReplacer("FAST", "false", "WAIT", "0").Replace(legs))
	require.Equal(t, []string{"failure", "success", "success"}, of(r))
}

func TestTimeoutOfAJob(t *testing.T) {
	r := newBench(t, nil).run("jobs:\n  a: {runs-on: ubuntu-latest, timeout-minutes: 0.005, steps: [{run: sleep 30}, {run: 'echo no'}, {run: 'echo yes', if: always()}]}\n")
	l := r.Jobs[0].Legs[0]
	require.Equal(t, runner.Canceled, l.Conclusion)
	require.Contains(t, l.Why, "longer than timeout-minutes")
	require.Equal(t, "error: the step was canceled: the job took longer than timeout-minutes allows\nyes\n", log(l))
}

// Variables can be set in the file, the job and the step; the innermost wins. The job's `defaults` override those of the file.
func TestEnvAndDefaults(t *testing.T) {
	r := newBench(t, nil).run(`
env: {A: file, B: file, C: file}
defaults: {run: {shell: sh, working-directory: /}}
jobs:
  a:
    runs-on: ubuntu-latest
    env: {B: job, C: job, DIR: /tmp}
    defaults: {run: {working-directory: "${{ env.DIR }}"}}
    steps:
      - run: "echo $A $B $C ${{ env.A }}${{ env.B }}${{ env.C }}; pwd; ps -o comm= $$"
        env: {C: step}
`)
	require.Equal(t, "file job step filejobstep\n/tmp\nsh\n", log(r.Jobs[0].Legs[0]))
}

// The cases follow GitHub's documentation of permissions. Each is listed by the job's grant.
func TestGrants(t *testing.T) {
	for name, c := range map[string]struct {
		file, job, want string
		fork            bool
	}{
		"nothing is said":                 {want: "contents: read, packages: read"},
		"of the file":                     {file: "{contents: write}", want: "contents: write"},
		"of the job alone":                {file: "{contents: write, id-token: write}", job: "{packages: write}", want: "packages: write"},
		"none":                            {file: "write-all", job: "{}", want: "none"},
		"read-all has no ID token":        {file: "read-all", want: "actions: read, artifact-metadata: read, attestations: read, checks: read, contents: read, deployments: read, discussions: read, issues: read, models: read, packages: read, pages: read, pull-requests: read, repository-projects: read, security-events: read, statuses: read"},
		"a fork writes nothing":           {file: "{contents: write, id-token: write, packages: none}", fork: true, want: "contents: read"},
		"an ID token where it is granted": {file: "{id-token: write}", want: "id-token: write"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			var asked []runner.Asked
			b.config.IDToken = func(a runner.Asked) (string, string, error) {
				asked = append(asked, a)
				return "https://token.example", "id-token-value", nil
			}
			b.config.Token = func(a runner.Asked) (string, error) { return "token-of-" + a.Job, nil }
			b.event.Fork = c.fork
			text := "on: push\n"
			if c.file != "" {
				text += "permissions: " + c.file + "\n"
			}
			own := ""
			if c.job != "" {
				own = "permissions: " + c.job + ", "
			}
			r := b.run(text + "jobs:\n" + job("a", own, "echo url=$ACTIONS_ID_TOKEN_REQUEST_URL $ACTIONS_ID_TOKEN_REQUEST_TOKEN t=$GITHUB_TOKEN ${{ github.token }}"))
			l := r.Jobs[0].Legs[0]
			require.Equal(t, c.want, l.Grant.String())
			if strings.Contains(c.want, "id-token: write") {
				require.Equal(t, "url=https://token.example *** t= ***\n", log(l))
				require.Equal(t, "a", asked[0].Job)
				return
			}
			require.Equal(t, "url= t= ***\n", log(l))
			require.Empty(t, asked)
		})
	}
}

func TestSecrets(t *testing.T) {
	const text = "jobs:\n  a: {runs-on: ubuntu-latest, environment: ENV, steps: [{run: \"echo [$KEY] [$PROD] $(env | grep -c OTHER)\", " +
		"env: {KEY: '${{ secrets.KEY }}', PROD: '${{ secrets.PROD }}'}}, {run: \"test $KEY = $(printf of-the-environment)\", env: {KEY: '${{ secrets.KEY }}'}, continue-on-error: true}]}\n"
	b := newBench(t, nil)
	b.config.Secrets = map[string]string{"KEY": "of-the-repository", "OTHER": "not-named"}
	b.config.EnvironmentSecrets = map[string]map[string]string{"production": {"KEY": "of-the-environment", "PROD": "more"}}
	r := b.run(strings.Replace(text, "ENV", "production", 1))
	require.Contains(t, log(r.Jobs[0].Legs[0]), "[***] [***] 0\n")
	require.Equal(t, runner.Success, r.Jobs[0].Legs[0].Steps[1].Outcome)
	require.Equal(t, "production", r.Jobs[0].Legs[0].Environment)
	r = b.run(strings.Replace(text, "ENV", "staging", 1))
	require.Contains(t, log(r.Jobs[0].Legs[0]), "[***] [] 0\n", "the secrets of an environment are in its jobs alone")
	b.event.Fork = true
	r = b.run(strings.Replace(text, "ENV", "production", 1))
	require.Contains(t, log(r.Jobs[0].Legs[0]), "[] [] 0\n", "a fork has none")
}

func TestApprovals(t *testing.T) {
	b := newBench(t, nil)
	var asked []string
	b.config.Approve = func(_ context.Context, environment string) error {
		asked = append(asked, environment)
		return errors.New("octocat said no")
	}
	r := b.run("jobs:\n" + job("a", "environment: {name: \"${{ github.ref_name }}-env\", url: 'https://x'}, ", "true") + job("b", "", "true"))
	require.Equal(t, "a=failure b=success", conclusions(r))
	require.Equal(t, "the environment main-env was not approved: octocat said no", r.Jobs[0].Legs[0].Why)
	require.Equal(t, []string{"main-env"}, asked)
}

const called = `
on:
  workflow_call:
    inputs: {n: {type: number, required: true}, deep: {type: boolean, default: true}}
    secrets: {KEY: {required: true}}
    outputs: {sum: {value: "${{ jobs.b.outputs.s }}"}}
PERMISSIONS
jobs:
  b:
    runs-on: ubuntu-latest
    outputs: {s: "${{ steps.x.outputs.s }}"}
    steps:
      - id: x
        run: "echo s=$(( ${{ inputs.n }} + 1 ))-${{ inputs.deep }}-${{ secrets.KEY != '' }}-${{ secrets.OTHER != '' }} >> $GITHUB_OUTPUT"
`

func TestCalledWorkflows(t *testing.T) {
	const with = "uses: ./.github/workflows/called.yml, with: {n: 3}, "
	for name, c := range map[string]struct{ caller, permissions, want, problem string }{
		"secrets by name":            {caller: with + "secrets: {KEY: '${{ secrets.REAL }}'}", want: "4-true-true-false"},
		"secrets are inherited":      {caller: with + "secrets: inherit", want: "4-true-true-true"},
		"an input that there is not": {caller: "uses: ./.github/workflows/called.yml, with: {n: 3, m: 4}, secrets: inherit", problem: `called.yml:4 does not declare "m", which the caller passes (with)`},
		"an input that is missing":   {caller: "uses: ./.github/workflows/called.yml, secrets: inherit", problem: `the job a does not pass "n", which .github/workflows/called.yml:4 requires (with)`},
		"a secret that is missing":   {caller: with + "secrets: {}", problem: `the job a does not pass "KEY"`},
		"no file":                    {caller: "uses: ./.github/workflows/other.yml", problem: "ci.yml:3:13: there is no file .github/workflows/other.yml in the commit"},
		"another repository":         {caller: "uses: octo/x/.github/workflows/y.yml@v1", problem: "a workflow of another repository is not run here"},
		"it asks for more":           {caller: with + "secrets: inherit, permissions: {contents: read}", permissions: "permissions: {contents: read, packages: write}", problem: "called.yml:10:5: the job b requests the permissions packages: write, but the job that calls this file has contents: read (ci.yml:3), so GitHub does not start the run"},
		"it asks for what there is":  {caller: with + "secrets: inherit, permissions: {contents: read}", permissions: "permissions: {contents: read}", want: "4-true-true-true"},
		"a number that is none":      {caller: "uses: ./.github/workflows/called.yml, with: {n: three}, secrets: inherit", want: "the input n must be a number, but is \"three\""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, map[string]string{".github/workflows/called.yml": strings.Replace(called, "PERMISSIONS", c.permissions, 1)})
			b.config.Secrets = map[string]string{"REAL": "real-value", "KEY": "key-value", "OTHER": "other-value"}
			if strings.Contains(c.caller, "inherit") {
				b.config.Secrets["OTHER"] = "x-other"
			}
			r, err := b.try("jobs:\n  a: {" + c.caller + "}\n" + job("z", "needs: a, if: always(), ", "echo got=${{ needs.a.outputs.sum }}"))
			if c.problem != "" {
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			if strings.HasPrefix(c.want, "the input") {
				require.Contains(t, r.Jobs[0].Legs[0].Why, c.want)
				return
			}
			require.Equal(t, "got="+c.want+"\n", log(r.Jobs[1].Legs[0]))
			require.Equal(t, "a / b", r.Jobs[0].Legs[0].Jobs[0].Legs[0].Name)
		})
	}
}

// A job in a called file gets the secrets of its environment only if the caller passes on all secrets.
func TestSecretsOfAnEnvironmentInACall(t *testing.T) {
	const deploy = "on: workflow_call\njobs:\n  d: {runs-on: ubuntu-latest, environment: live, steps: [{run: '[ -n \"$KEY\" ]', env: {KEY: '${{ secrets.KEY }}'}}]}\n"
	for secrets, want := range map[string]string{", secrets: inherit": "", "": "deploy.yml:3: the step \"Run [ -n \\\"$KEY\\\" ]\" of the job a / d ended with failure; the job may: contents: read, packages: read (the file sets no permissions); " +
		"environment live (line 3); ci.yml:3 calls this file, and passes no secrets"} {
		b := newBench(t, map[string]string{".github/workflows/deploy.yml": deploy})
		b.config.EnvironmentSecrets = map[string]map[string]string{"live": {"KEY": "x-key"}}
		r := b.run("jobs:\n  a: {uses: ./.github/workflows/deploy.yml" + secrets + "}\n")
		if err := verdict.Of(r); want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}

// A called file without permissions inherits the permissions of the calling job, and the verdict names the line of those permissions.
func TestTheVerdictNamesTheCallersPermissions(t *testing.T) {
	b := newBench(t, map[string]string{".github/workflows/d.yml": "on: workflow_call\njobs:\n  d: {runs-on: ubuntu-latest, steps: [{run: exit 1}]}\n"})
	r := b.run("permissions: {contents: read}\njobs:\n  a: {uses: ./.github/workflows/d.yml}\n")
	require.ErrorContains(t, verdict.Of(r), "d.yml:3: the step \"Run exit 1\" of the job a / d ended with failure; the job may: contents: read (permissions of the job that calls it, ")
	require.ErrorContains(t, verdict.Of(r), "ci.yml:2)")
}

// A step may fail because the matrix of a needed job no longer has some leg, so the verdict lists the legs that ran.
func TestTheVerdictNamesLegs(t *testing.T) {
	r := newBench(t, nil).run("jobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix: {x: [1, 2]}\n    steps: [{run: 'true'}]\n" + job("b", "needs: a, ", "exit 1"))
	require.ErrorContains(t, verdict.Of(r), "no environment (the job is in line 8); a ran for a (1), a (2) (matrix in line 6)")
}

// An empty matrix list is reported at the line of the list, and an input at the line of the input.
func TestPlaces(t *testing.T) {
	r := newBench(t, nil).run("jobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        x: [1]\n        y: ${{ fromJSON('[]') }}\n    steps: [{run: 'true'}]\n")
	require.Contains(t, r.Jobs[0].Why, `ci.yml:8:12: the list "y" of the matrix has no values`)
	b := newBench(t, nil)
	b.event.Name = "workflow_dispatch"
	const text = "on:\n  workflow_dispatch:\n    inputs:\n      to:\n        type: choice\n        options: [one]\njobs:\n"
	b.event.Inputs = map[string]string{"to": "two"}
	_, err := b.try(text + job("a", "", "true"))
	require.ErrorContains(t, err, `ci.yml:6:18: the input to cannot be "two"`)
	b.event.Inputs = map[string]string{"of": "two"}
	_, err = b.try(text + job("a", "", "true"))
	require.ErrorContains(t, err, `ci.yml:4:7: there is no input "of"`)
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"jobs:\n  a: {runs-on: ubuntu-latest, container: x, steps: [{run: x}]}":                        "ci.yml:3:42: container is not supported here",
		"jobs:\n  a: {runs-on: ubuntu-latest, services: {x: {image: y}}, steps: [{run: x}]}":           "ci.yml:3:41: services is not supported here",
		"jobs:\n  a: {runs-on: [self-hosted, linux], steps: [{run: x}]}":                               `"self-hosted" is not one of GitHub's own runners`,
		"jobs:\n  a: {runs-on: ubuntu-latest, steps: [{uses: octo/x@v1}]}":                             "ci.yml:3:46: there is no stand-in for the action octo/x",
		"jobs:\n  a: {runs-on: ubuntu-latest, steps: [{uses: 'docker://x'}]}":                          "an action that runs in a container is not run here",
		"jobs:\n  a: {runs-on: ubuntu-latest, steps: [{uses: actions/checkout}]}":                      "has no version after an @",
		"on: [pull_request, release]\njobs:\n" + job("a", "", "true"):                                  "ci.yml does not start for push, but for pull_request, release",
		"on:\n  workflow_dispatch:\n    inputs: {x: {required: true}}\njobs:\n" + job("a", "", "true"): "ci.yml does not start for push",
	} {
		_, err := newBench(t, nil).try(text)
		require.ErrorContains(t, err, want, text)
	}
	b := newBench(t, nil)
	for _, name := range []string{"release", "workflow_run"} {
		b.event.Name = name
		on := "on:\n  push:\n  " + name + ":\n"
		if name == "workflow_run" {
			on += "    workflows: [x]\n"
		}
		_, err := b.try(on + "jobs:\n" + job("a", "", "true"))
		require.ErrorContains(t, err, "ci.yml:3: the event "+name+" is not run here")
	}
	_, err := file.Read("ci.yml", []byte("on: push\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: x, background: true}]}\n"))
	require.ErrorContains(t, err, "steps that run in parallel (background) are not supported here")
}

func TestDispatch(t *testing.T) {
	const on = "on:\n  workflow_dispatch:\n    inputs:\n      level: {type: choice, options: [low, high]}\n      dry: {type: boolean}\n      n: {type: number, default: 2}\n      who: {required: True}\n      yes: {type: boolean, default: True}\n      release: {default: 3.10}\n"
	for name, c := range map[string]struct {
		inputs map[string]string
		want   string
	}{
		"defaults":     {map[string]string{"who": "me"}, "low false 2 me true true true 3.1\n"},
		"given":        {map[string]string{"who": "me", "LEVEL": "high", "dry": "true", "n": "3"}, "high true 3 me false true true 3.1\n"},
		"missing":      {nil, "the input who is required"},
		"no option":    {map[string]string{"who": "me", "level": "mid"}, `the input level cannot be "mid"`},
		"no boolean":   {map[string]string{"who": "me", "dry": "yes"}, `the input dry must be a boolean, but is "yes"`},
		"no number":    {map[string]string{"who": "me", "n": "x"}, `the input n must be a number, but is "x"`},
		"not declared": {map[string]string{"who": "me", "x": "x"}, `there is no input "x"`},
	} {
		b := newBench(t, nil)
		b.event.Name, b.event.Inputs = "workflow_dispatch", c.inputs
		r, err := b.try(on + "jobs:\n" + job("a", "", "echo ${{ inputs.level }} ${{ inputs.dry }} ${{ inputs.n }} ${{ inputs.who }} ${{ inputs.dry == false }} ${{ github.event.inputs.dry != '' }} ${{ inputs.yes == true }} ${{ inputs.release }}"))
		if err != nil {
			require.ErrorContains(t, err, c.want, name)
			continue
		}
		require.Equal(t, c.want, log(r.Jobs[0].Legs[0]), name)
	}
}

// A second run cancels the first run if cancel-in-progress is set, and otherwise waits for it. turns.TestGroups covers the other rules.
func TestConcurrency(t *testing.T) {
	for how, want := range map[string]string{
		"":                           "success success",
		"cancel-in-progress: true, ": "cancelled success",
	} {
		t.Run(how, func(t *testing.T) {
			b := newBench(t, nil)
			started, proceed := filepath.Join(t.TempDir(), "started"), filepath.Join(t.TempDir(), "proceed")
			text := "on: push\nconcurrency: {" + how + "group: 'g-${{ github.ref }}'}\njobs:\n" +
				job("a", "", "touch "+started+"-$$; while [ ! -e "+proceed+" ]; do sleep 0.05; done")
			w, err := file.Read("ci.yml", []byte(text))
			require.NoError(t, err)
			r := runner.New(b.config)
			results := make([]string, 2)
			var all sync.WaitGroup
			for i := range results {
				all.Go(func() {
					result, err := r.Run(t.Context(), w, b.event, "")
					if err == nil {
						results[i] = result.Conclusion
					}
				})
				require.Eventually(t, func() bool {
					if i == 1 && how == "" {
						_, err := os.Stat(filepath.Join(b.config.Dir, "run-2")) // run-2 is waiting
						return err == nil
					}
					found, _ := filepath.Glob(started + "-*")
					return len(found) == i+1
				}, 10*time.Second, 10*time.Millisecond)
			}
			require.NoError(t, os.WriteFile(proceed, nil, 0o644))
			all.Wait()
			require.Equal(t, want, strings.Join(results, " "))
		})
	}
}

func TestContextsOfAnEvent(t *testing.T) {
	b := newBench(t, nil)
	b.event.Ref = "refs/tags/v1"
	b.event.Payload = expression.NewObject("ref", "refs/tags/v1", "n", 1.0)
	r := b.run("jobs:\n" + job("a", "", "echo ${{ github.ref_type }} $GITHUB_REF_NAME ${{ github.event.n }} $GITHUB_REPOSITORY_OWNER ${{ github.event_name }}; cat $GITHUB_EVENT_PATH"))
	require.Equal(t, "tag v1 1 octo push\n{\n  \"ref\": \"refs/tags/v1\",\n  \"n\": 1\n}\n", log(r.Jobs[0].Legs[0]))
}

func TestCompositeActions(t *testing.T) {
	const action = `
inputs: {who: {default: world}, must: {required: true}}
outputs: {said: {value: "${{ steps.s.outputs.t }}"}}
runs:
  using: composite
  steps:
    - id: s
      shell: bash
      run: 'echo "t=$GREETING ${{ inputs.who }} $(basename ${{ github.action_path }})" >> $GITHUB_OUTPUT; echo X=set >> $GITHUB_ENV'
    - run: 'echo "${{ env.X }} ${{ steps.s.outputs.t }}"'
      shell: bash
`
	b := newBench(t, map[string]string{".github/actions/hello/action.yml": action, "js/action.yaml": "runs: {using: node20, main: x.js}\n"})
	l := b.job("- uses: actions/checkout@v4\n- uses: ./.github/actions/hello\n  id: h\n  env: {GREETING: hi}\n- run: echo ${{ steps.h.outputs.said }} $X [$GREETING]\n- uses: ./js\n")
	require.Equal(t, "warning: the input must of ./.github/actions/hello is required, but the step does not set this input\nset hi world hello\nhi world hello set []\n"+
		"error: js/action.yaml:1:7: an action that runs with \"node20\" is not run here: only composite actions are\n", strings.SplitN(log(l), "\n", 2)[1])
	_, err := file.ReadAction("action.yml", []byte("runs: {using: composite, steps: [{run: x}]}"))
	require.ErrorContains(t, err, "needs shell")
	_, err = file.ReadAction("action.yml", []byte("runs: {using: composite, steps: [{run: '${{ secrets.X }}', shell: sh}]}"))
	require.ErrorContains(t, err, `the context "secrets" does not exist or is not available here`)
}

func TestAnnotations(t *testing.T) {
	l := newBench(t, nil).job("- run: for i in $(seq 12); do echo \"::warning file=a.py,line=$i,endLine=9,col=2,title=T::m$i\"; done\n- run: echo '# Head' >> $GITHUB_STEP_SUMMARY")
	require.Len(t, l.Steps[0].Annotations, 10)
	require.Equal(t, runner.Annotation{
		Level:   "warning",
		File:    "a.py",
		Line:    1,
		EndLine: 9,
		Column:  2,
		Title:   "T",
		Message: "m1",
	}, l.Steps[0].Annotations[0])
	require.Equal(t, "# Head\n", l.Summary)
}

func TestHashFiles(t *testing.T) {
	l := newBench(t, map[string]string{"a/x.lock": "1", "b/x.lock": "2"}).job("- uses: actions/checkout@v4\n- run: echo ${{ hashFiles('**/x.lock') }} ${{ hashFiles('none') }} ${{ hashFiles('a/*', '!a/x.lock') }}.")
	// the SHA-256 of the concatenated SHA-256 sums of "1" and "2", as bytes
	require.Contains(t, log(l), "\n4295f72eeb1e3507b8461e240e3b8d18c1e7bd2f1122b11fc9ec40a65894031a .\n")
}

func TestFilesOfTheCommit(t *testing.T) {
	b := newBench(t, nil)
	b.config.Files = fstest.MapFS{}
	r := b.run("jobs:\n" + job("a", "", "ls -A | wc -l"))
	require.Equal(t, "0\n", strings.ReplaceAll(log(r.Jobs[0].Legs[0]), " ", ""), "a job without a checkout has an empty folder")
	entries, err := filepath.Glob(filepath.Join(b.config.Dir, "run-1", "job-*"))
	require.NoError(t, err)
	require.Empty(t, entries, "what a job wrote is removed")
}

// The last text that an action prints is logged, even if the line is not terminated.
func TestUnterminatedLastLineOfAnAction(t *testing.T) {
	b := newBench(t, nil)
	says := func(text string) func(context.Context, *runner.Call) error {
		return func(_ context.Context, c *runner.Call) error {
			_, err := fmt.Fprint(c, text)
			return err
		}
	}
	b.config.Actions = map[string]runner.StandIn{"me/x": {Run: says("one\ntwo"), Post: says("three\nfour")}}
	l := b.job("- uses: me/x@v1\n")
	require.Equal(t, []string{"one", "two"}, l.Steps[0].Log)
	require.Equal(t, []string{"three", "four"}, l.Steps[1].Log)
}
