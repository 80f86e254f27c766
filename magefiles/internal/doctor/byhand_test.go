package doctor_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/doctor"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/httpserver"
)

// Doctor asks GitHub for the settings made by hand. The environment is missing, open to every branch, closed to tags of releases, or right.
func TestByHand(t *testing.T) {
	const at = "/repos/acme/acme/"
	const environment, policies, jobs = at + "environments/release", at + "environments/release/deployment-branch-policies", at + "actions/permissions/workflow"
	for name, c := range map[string]struct {
		answers      map[string]string
		found, opens string
		careful      bool
		unknown      string
	}{
		"nothing":      {map[string]string{jobs: `{"can_approve_pull_request_reviews": false}`}, "", "", false, ""},
		"for all":      {map[string]string{environment: `{"name": "release"}`, jobs: `{}`}, "allows every branch to deploy", "", true, ""},
		"as it is":     {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "v*"}, {"name": "*/v*"}]}`, jobs: `{"can_approve_pull_request_reviews": true}`}, "allows these refs to deploy: v*, */v*", "ticked", false, ""},
		"for main":     {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "main"}]}`, jobs: `{}`}, "allows only main to deploy, but no tag of a release", "", true, ""},
		"for any":      {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "*"}]}`, jobs: `{}`}, "allows *, and so every branch, to deploy", "", true, ""},
		"for dev*":     {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "dev*"}]}`, jobs: `{}`}, "allows only dev* to deploy, but no tag of a release", "", true, ""},
		"protected":    {map[string]string{environment: `{"deployment_branch_policy": {"protected_branches": true}}`, jobs: `{}`}, "allows only protected branches to deploy, but no tag of a release", "", true, ""},
		"not readable": {nil, "", "", false, "for the permissions of its jobs"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(nil)
			s.Config = httpserver.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if answer, ok := c.answers[r.URL.Path]; ok {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(answer))
					return
				}
				http.Error(w, `{"message": "Not Found"}`, http.StatusNotFound)
			}), httpserver.Hosts{})
			s.Start()
			t.Cleanup(s.Close)
			client, err := github.New(github.Options{API: s.URL, Repository: "acme/acme", Token: "ghp_something"})
			require.NoError(t, err)
			d := machine(t, map[string]string{"pixi.toml": root + "[tool.release]\nland = \"pull-request\"\n"}, nil)
			d.Hub = client
			findings := d.Examine(t.Context())
			release := of(t, findings, "the environment release on GitHub")
			require.Equal(t, c.found, release.Found)
			require.Equal(t, c.careful, release.Careful)
			opens := of(t, findings, "\"Allow GitHub Actions to create pull requests\"")
			require.Equal(t, c.opens, opens.Found)
			require.Contains(t, opens.Unknown, c.unknown)

			d = machine(t, map[string]string{"pixi.toml": root}, nil)
			d.Hub = client
			require.False(t, said(d.Examine(t.Context()), "pull requests"), "no job opens a pull request")
		})
	}
	require.False(t, said(machine(t, map[string]string{"pixi.toml": root}, nil).Examine(t.Context()), "the environment"), "there is no GitHub to ask")
	require.Nil(t, doctor.Missing(nil))
}

// Doctor asks whether the branch of releases requires the check ci, if ci.yml has a job with that name.
func TestRequiredCheck(t *testing.T) {
	const ci = "on: {pull_request: {}}\njobs:\n  ci:\n    runs-on: ubuntu-24.04\n    steps: [{run: 'true'}]\n"
	for name, c := range map[string]struct {
		rules   *server.Rules // nil: GitHub does not answer
		file    string
		found   string
		careful bool
		unknown string
		get     string
	}{
		"required":             {rules: &server.Rules{Pulls: true, Check: "ci"}, file: ci, found: "required by main: ci", get: "on main"},
		"another one":          {rules: &server.Rules{Check: "tests", Classic: true}, file: ci, found: "main requires tests and no other check", careful: true, get: "require the status check ci on main"},
		"none":                 {rules: &server.Rules{}, file: ci, get: "require the status check ci on main"},
		"not told":             {rules: &server.Rules{Classic: true}, file: ci, unknown: "only to administrators of the repository", get: "on main"},
		"not reached":          {file: ci, unknown: "Not Found"},
		"another name":         {rules: &server.Rules{}, file: "on: push\njobs: {ci: {name: tests, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"},
		"a matrix":             {rules: &server.Rules{}, file: "on: push\njobs: {ci: {strategy: {matrix: {os: [a, b]}}, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"},
		"a call":               {rules: &server.Rules{}, file: "on: push\njobs: {ci: {uses: ./.github/workflows/all.yml}}\n"},
		"a job with this name": {rules: &server.Rules{Check: "ci"}, file: "on: push\njobs: {all: {name: ci, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n", found: "required by main: ci", get: "on main"},
		"their own file":       {rules: &server.Rules{}, file: "on: push\njobs: {mine: {runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			hub, err := server.New(server.Options{Repository: "acme/acme", Reader: "ghp_reader", Branch: func(string) (string, bool) { return "aaaa", c.rules != nil }})
			require.NoError(t, err)
			if c.rules != nil {
				hub.Protect("main", *c.rules)
			}
			s := httptest.NewServer(hub)
			t.Cleanup(s.Close)
			client, err := github.New(github.Options{API: s.URL, Repository: "acme/acme", Token: "ghp_reader"})
			require.NoError(t, err)
			d := machine(t, map[string]string{"pixi.toml": root + "[tool.release]\npublish = \"here\"\n", ".github/workflows/ci.yml": c.file}, nil)
			d.Hub = client
			if c.found+c.unknown+c.get == "" { // nothing is called ci
				require.False(t, said(d.Examine(t.Context()), "required check"))
				return
			}
			f := of(t, d.Examine(t.Context()), "the required check ci")
			require.Equal(t, c.found, f.Found)
			require.Equal(t, c.careful, f.Careful)
			require.Contains(t, f.Unknown, c.unknown)
			require.Contains(t, f.Get, c.get)
		})
	}
}
