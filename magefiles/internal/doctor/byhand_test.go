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

// What is set by hand on GitHub is asked for: an environment that is not there, one that is for everybody, one that no tag may use, and one as it should be.
func TestByHand(t *testing.T) {
	const at = "/repos/acme/acme/"
	const environment, policies, jobs = at + "environments/release", at + "environments/release/deployment-branch-policies", at + "actions/permissions/workflow"
	for name, c := range map[string]struct {
		answers      map[string]string
		found, opens string
		careful      bool
		unknown      string
	}{
		"nothing":    {map[string]string{jobs: `{"can_approve_pull_request_reviews": false}`}, "", "", false, ""},
		"for all":    {map[string]string{environment: `{"name": "release"}`, jobs: `{}`}, "every branch may deploy to it", "", true, ""},
		"as it is":   {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "v*"}, {"name": "*/v*"}]}`, jobs: `{"can_approve_pull_request_reviews": true}`}, "for v*, */v*", "ticked", false, ""},
		"for main":   {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "main"}]}`, jobs: `{}`}, "for main alone, and no tag of a release", "", true, ""},
		"for any":    {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "*"}]}`, jobs: `{}`}, "for *, which every branch is like", "", true, ""},
		"for dev*":   {map[string]string{environment: `{"deployment_branch_policy": {"custom_branch_policies": true}}`, policies: `{"branch_policies": [{"name": "dev*"}]}`, jobs: `{}`}, "for dev* alone, and no tag of a release", "", true, ""},
		"protected":  {map[string]string{environment: `{"deployment_branch_policy": {"protected_branches": true}}`, jobs: `{}`}, "for protected branches alone, and no tag of a release", "", true, ""},
		"not for us": {nil, "", "", false, "what its jobs may do"},
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
			require.False(t, said(d.Examine(t.Context()), "pull requests"), "no job opens any")
		})
	}
	require.False(t, said(machine(t, map[string]string{"pixi.toml": root}, nil).Examine(t.Context()), "the environment"), "nobody can be asked")
	require.Nil(t, doctor.Missing(nil))
}

// The branch of releases is asked for the check of ci.yml, where that has the job which ci:write writes.
func TestTheRequiredCheck(t *testing.T) {
	const ci = "on: {pull_request: {}}\njobs:\n  ci:\n    runs-on: ubuntu-24.04\n    steps: [{run: 'true'}]\n"
	for name, c := range map[string]struct {
		rules   *server.Rules // nil is no answer
		file    string
		found   string
		careful bool
		unknown string
		get     string
	}{
		"required":       {rules: &server.Rules{Pulls: true, Check: "ci"}, file: ci, found: "of main: ci", get: "on main"},
		"another one":    {rules: &server.Rules{Check: "tests", Classic: true}, file: ci, found: "main requires tests alone", careful: true, get: "require the status check ci on main"},
		"none":           {rules: &server.Rules{}, file: ci, get: "require the status check ci on main"},
		"not told":       {rules: &server.Rules{Classic: true}, file: ci, unknown: "only to those who administer", get: "on main"},
		"not reached":    {file: ci, unknown: "Not Found"},
		"another name":   {rules: &server.Rules{}, file: "on: push\njobs: {ci: {name: tests, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"},
		"a matrix":       {rules: &server.Rules{}, file: "on: push\njobs: {ci: {strategy: {matrix: {os: [a, b]}}, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"},
		"a call":         {rules: &server.Rules{}, file: "on: push\njobs: {ci: {uses: ./.github/workflows/all.yml}}\n"},
		"by its name":    {rules: &server.Rules{Check: "ci"}, file: "on: push\njobs: {all: {name: ci, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n", found: "of main: ci", get: "on main"},
		"their own file": {rules: &server.Rules{}, file: "on: push\njobs: {mine: {runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"},
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
