package deploy

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/view"
)

var (
	first  = "registry.example.org/app@sha256:1111111111112222"
	second = "registry.example.org/app@sha256:3333333333334444"
	since  = time.Date(2026, 11, 30, 2, 41, 7, 0, time.UTC)
)

func runs(image string) *survey.Running {
	return &survey.Running{Image: image, Revision: "0123456789abcdef", Since: since, Healthy: true}
}

// The table of a fleet has one line for each host. A host that does not answer, or has changed since the last deployment, is marked.
func TestAFleetIsOneTable(t *testing.T) {
	var out bytes.Buffer
	v := &view.View{Out: &out, Err: &out}
	sick := runs(second)
	sick.Healthy, sick.Says = false, "status 503"
	hosts := []survey.Host{
		{Name: "op@one.example.org", Running: runs(first)},
		{Name: "two", Running: sick, Drift: []string{"requests go elsewhere"}, Holder: &hoststate.Holder{Who: "jane", From: "desk", Since: since}, Left: time.Minute},
		{Name: "three", Trouble: "three does not answer", Next: "see that it is up"},
		{Name: "four", Trouble: "it is not set up", Setup: []string{"start the proxy"}},
		{Name: "five"},
		{Name: "six", Waiting: true},
	}
	showStatus(v, reportedStatus{App: "app", Environment: "staging", Hosts: hosts})
	require.Equal(t, `staging of app
  HOST                DIGEST               REVISION      SINCE              HEALTH                   LOCK
  op@one.example.org  sha256:111111111111  0123456789ab  2026-11-30 02:41Z  healthy                  free
○ two                 sha256:333333333333  0123456789ab  2026-11-30 02:41Z  not healthy: status 503  jane
✗ three                                                                     cannot be asked
✗ four                                                                      not set up
  five                                                                      nothing answers          free
  six                                                                       waits for secrets        free
`, out.String()[:strings.Index(out.String(), "  ○ two")])
	out.Reset()
	plans := []survey.HostPlan{
		{Host: "one", Running: runs(first), Changes: []string{"a → b"}, Free: 2e9, Drift: []string{"it was renamed"}},
		{Host: "two", Running: runs(second), Same: true, Free: 3e9, Holder: &hoststate.Holder{Who: "jane"}},
		{Host: "three", Silent: true},
		{Host: "four", Changes: []string{"nothing → b"}}, // it answers: it runs nothing yet, and its disk is full
	}
	showPlan(v, &survey.Plan{
		App:         "app",
		Environment: config.Environment{Name: "staging"},
		Image:       survey.Image{Repository: "r", Digest: "sha256:3"},
		Hosts:       plans,
	})
	require.Equal(t, `staging of app: r@sha256:3
  HOST   DIGEST               REVISION      SINCE              HEALTH           LOCK  WILL            FREE
○ one    sha256:111111111111  0123456789ab  2026-11-30 02:41Z  healthy          free  a → b           2000 MB
  two    sha256:333333333333  0123456789ab  2026-11-30 02:41Z  healthy          jane  stays as it is  3000 MB
✗ three                                                        not known
  four                                                         nothing answers  free  nothing → b     0 B
`, out.String()[:strings.Index(out.String(), "  ○ one")])
}

// While a fleet is changed, the table shows for each host the version that gets requests, and the work in progress.
func TestTableDuringADeployment(t *testing.T) {
	b := &board{}
	doing := func(host, step string, over bool, err error) {
		b.doing(deploying.Doing{Host: host, Step: step, Over: over, Err: err})
	}
	row := func(n int) string { return strings.Join(b.rows()[n+1], " ") }
	doing("one", "gate", false, nil) // called before it is known which hosts exist
	b.begin(&survey.Plan{Hosts: []survey.HostPlan{
		{Host: "one", Running: runs(first), Will: survey.Version{Image: second, Revision: "2222"}},
		{Host: "two", Running: runs(second), Same: true},
		{Host: "three", Will: survey.Version{Image: second, Revision: "2222"}},
	}})
	require.Equal(t, "  one sha256:111111111111 0123456789ab waits for its turn", row(0))
	require.Equal(t, "  two sha256:333333333333 0123456789ab stays as it is", row(1))
	doing("one", "gate", false, nil)
	require.Equal(t, "  one sha256:111111111111 0123456789ab ▸ gate", row(0))
	doing("one", deploying.StepSwitch, true, nil)
	require.Equal(t, "  one sha256:333333333333 2222 ✓ switch", row(0))
	doing("three", deploying.StepSwitch, true, errors.New("it is gone"))
	require.Equal(t, "  three   ✗ switch", row(2))
	doing("one", deploying.StepBack, false, nil)
	require.Equal(t, "  one sha256:333333333333 2222 ▸ back", row(0))
	doing("one", deploying.StepBack, true, nil)
	require.Equal(t, "  one sha256:111111111111 0123456789ab ✓ back", row(0))
}
