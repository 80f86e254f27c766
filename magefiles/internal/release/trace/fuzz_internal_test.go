package trace

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// FuzzPast checks that any journal text yields either a release with a plan, or an operr.Stopped error with a next step.
func FuzzPast(f *testing.F) {
	p := &plan.Plan{Format: plan.Format, Tags: []string{"v1"}, Packages: []plan.Package{{Name: "a", Version: "1"}}, Bump: &bump.Plan{}}
	path := filepath.Join(f.TempDir(), "j.jsonl")
	require.NoError(f, Kind("").Copy(&session.Past[*plan.Plan]{
		Plan: p,
		Events: []workflow.Event{
			{Step: StepCommit, Kind: workflow.Done, Result: json.RawMessage(`{"hash":"abc"}`)},
		},
		Times: []time.Time{time.Now()},
	}, path, p))
	j, _, err := journal.Open(path, "1", "")
	require.NoError(f, err)
	require.NoError(f, j.Append("end", Released))
	require.NoError(f, j.Close())
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	_, err = Kind("").Read(path)
	require.NoError(f, err, "the starting point is fine")
	f.Add(good)
	for _, text := range []string{
		"", "{}\n", `{"seq":1,"kind":"plan","body":null}` + "\n", `{"seq":1,"kind":"plan","body":{"format":99}}` + "\n", `{"seq":1,"kind":"step","body":7}` + "\n" + `{"seq":2,"kind":"end","body":[]}` + "\n",
		`{"seq":1,"kind":"plan","plan":"x","body":{"format":1,"bump":null}}` + "\n", `{"seq":1,"kind":"plan"}` + "\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "j.jsonl")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		past, err := Kind("").Read(path)
		if err != nil {
			require.Equal(t, operr.Stopped, operr.ExitStatus(err), "%v", err)
			require.NotEmpty(t, operr.NextOf(err))
			return
		}
		require.NotNil(t, past.Plan)
		require.Equal(t, plan.Format, past.Plan.Format)
		require.Len(t, past.Times, len(past.Events))
	})
}
