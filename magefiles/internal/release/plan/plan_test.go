package plan_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

func example() *plan.Plan {
	return &plan.Plan{
		Format:   plan.Format,
		Title:    "a/v1.1, b/v2.0",
		Packages: []plan.Package{{Name: "a", Version: "1.1"}, {Name: "b", Version: "2.0"}, {Name: "c", Version: "3.0"}},
		Tags:     []string{"a/v1.1", "b/v2.0"},
		Bump:     &bump.Plan{Request: bump.Request{To: "minor"}},
		Base:     "0123",
		Remote:   "origin",
		Branch:   "main",
		Channel:  "https://prefix.dev/ours",
		Publish:  settings.PublishCI,
		Along:    []plan.Package{{Name: "c", Version: "3.0"}},
	}
}

func TestPlanSurvivesJSON(t *testing.T) {
	p := example()
	data, err := json.Marshal(p)
	require.NoError(t, err)
	var again plan.Plan
	require.NoError(t, json.Unmarshal(data, &again))
	second, err := json.Marshal(&again)
	require.NoError(t, err)
	require.Equal(t, string(data), string(second))
	require.NoError(t, again.Readable("v1"))
	again.Format++
	require.Equal(t, operr.Stopped, operr.ExitStatus(again.Readable("v1")))
}

// If packages have separate tags, a request may name one of them.
func TestPackagesOfARequest(t *testing.T) {
	p := example()
	for _, c := range []struct {
		to, only string
		answers  bool
	}{
		{"1.1", "", true}, {"a/v1.1", "", true}, {"2.0", "b", true}, {"2.0", "c", false}, {"3.0", "", false}, {"minor", "", false}, {"", "", false},
	} {
		require.Equal(t, c.answers, p.Answers(bump.Request{To: c.to, Only: c.only}), "-to=%s -only=%s", c.to, c.only)
	}
	for _, c := range []struct {
		tag, to string
		is      bool
	}{
		{"v0.1.1.dev1", "0.1.1.dev1", true},
		{"v0.1.1.dev1", "v0.1.1.dev1", true},
		{"v0.1.1.dev1", "1", false},
		{"a/v0.1.1.dev2", "0.1.1.dev2", true},
		{"dev/v1.0", "1.0", true},
		{"dev/v1.0", "1.0.0", true},
		{"v1", "1", true},
		{"v11", "1", false},
		{"v1.0.post1", "1.0.post1", true},
		{"v1.0.post1", "1.0", false},
	} {
		require.Equal(t, c.is, (&plan.Plan{Tags: []string{c.tag}}).Is(c.to), "%s is %s", c.tag, c.to)
	}
	require.True(t, p.Releases("a"))
	require.False(t, p.Releases("c"), "it is published along")
	require.Equal(t, "b/v2.0", p.FindTag(map[string]string{"b/v2.0": "0123", "v9": "4567"}))
	require.Empty(t, p.FindTag(nil))
}

// The error for a request for another release says how to continue and how to undo the unfinished one. If that release's state is unknown, it says
// how to find out.
func TestAnotherReleaseIsRefused(t *testing.T) {
	p := example()
	err := p.RefuseOther("patch")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.Contains(t, operr.NextOf(err), "`mage undo`")
	p.Unseen = errors.New("no credential")
	err = p.RefuseOther("patch")
	require.ErrorContains(t, err, "no credential")
	require.Contains(t, operr.NextOf(err), "PREFIX_API_KEY")
	require.True(t, operr.HasWayOn(err))
}
