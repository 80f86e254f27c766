package image

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// If git cannot tell which commit is newer, the tags do not move, and the evidence mentions -tag.
func TestTagsStayIfTheOrderIsUnknown(t *testing.T) {
	plan := aPlan(t)
	p := past{{nil, "1.2.3"}, {nil, "1.2.3"}, {nil, "1.2.4"}}
	for what, h := range map[string]History{
		"a shallow clone": func(context.Context, string, string) (Order, error) { return Unknown, nil },
		"no history":      nil,
		"another branch":  p.history(),
	} {
		t.Run(what, func(t *testing.T) {
			y := newYard(t, plan, p)
			_, err := y.job(0, h).tag(t.Context())
			require.NoError(t, err)
			j := y.job(1, h)
			said, err := j.tag(t.Context())
			require.NoError(t, err)
			require.Equal(t, state{"1.2.3": 0, "1.2": 0, "1": 0, "latest": 0}, y.tags())
			require.Equal(t, "sha-000000000002; 1.2.3, 1.2, 1, latest stay", said)
			for _, tag := range j.Result.Tags[1:] {
				require.False(t, tag.Moves)
				require.Contains(t, tag.Why, "; -tag="+tag.Name+" moves it")
			}

			j = y.job(1, h)
			j.Plan.named, j.Plan.Tags = true, []Tag{{Name: "latest", Moves: true, Why: "was requested"}}
			said, err = j.tag(t.Context())
			require.NoError(t, err)
			require.Equal(t, "latest", said)
			require.Equal(t, state{"1.2.3": 0, "1.2": 0, "1": 0, "latest": 1}, y.tags())
			said, err = j.tag(t.Context())
			require.NoError(t, err)
			require.Equal(t, "no tag moved: latest stay", said)

			_, err = y.job(2, h).tag(t.Context())
			require.NoError(t, err)
			require.Equal(t, state{"1.2.3": 0, "1.2.4": 2, "1.2": 2, "1": 2, "latest": 2}, y.tags(), "a higher version needs no history")
		})
	}
}

// The evidence reports each tag that another job moved after the plan was made, with the reason.
func TestTagsMovedByAnotherJobAreReported(t *testing.T) {
	y := newYard(t, aPlan(t), past{{nil, "1.2.3"}, {[]int{0}, "1.2.3"}})
	j := y.job(0, y.past.history())
	_, err := y.job(1, y.past.history()).tag(t.Context())
	require.NoError(t, err)
	said, err := j.tag(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "sha-000000000001; 1.2.3, 1.2, 1, latest stay; 1.2.3, 1.2, 1, latest stay, each because it points to 1.2.3 of a later commit, 000000000002; -tag=1.2.3,1.2,1,latest moves them")
	require.Equal(t, state{"1.2.3": 1, "1.2": 1, "1": 1, "latest": 1}, y.tags())
}

// Registries refuse to move a tag with different messages and statuses. The other tags still move, and the next step is to raise the version.
func TestImmutableTags(t *testing.T) {
	for _, c := range []struct {
		status        int
		code, message string
		keeps         bool
	}{
		{400, "TAG_INVALID", "The image tag 'x' already exists in the repository and cannot be overwritten because the tag is immutable.", true},
		{412, "PRECONDITION", "Failed to process request due to x configured as immutable.", true},
		{403, "DENIED", "this tag is immutable", true},
		{409, "CONFLICT", "tag x already exists", true},
		{403, "DENIED", "requested access to the resource is denied", false},
		{400, "MANIFEST_INVALID", "manifest invalid", false},
		{404, "NAME_UNKNOWN", "immutable is not known", false},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.code), func(t *testing.T) {
			y := newYard(t, aPlan(t), past{{nil, "1.2.3"}, {[]int{0}, "1.2.3"}})
			_, err := y.job(0, y.past.history()).tag(t.Context())
			require.NoError(t, err)
			j := y.job(1, y.past.history())
			inner := y.handler
			y.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/manifests/1.2.3") {
					w.WriteHeader(c.status)
					fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, c.code, c.message)
					return
				}
				inner.ServeHTTP(w, r)
			})
			_, err = j.tag(t.Context())
			if !c.keeps {
				require.NotErrorIs(t, err, registry.ErrImmutable)
				require.Error(t, err)
				return
			}
			require.ErrorIs(t, err, registry.ErrImmutable)
			require.ErrorContains(t, err, "the registry refused to move the tags 1.2.3 of 127.0.0.1:1/someone/theapp: ")
			require.Contains(t, fmt.Sprintf("%+v", err), "\n  other tags moved: sha-000000000002, 1.2, 1, latest\n→ raise the version")
			require.Equal(t, state{"1.2.3": 0, "1.2": 1, "1": 1, "latest": 1}, y.tags())
		})
	}
}

// After a registry refuses to move a tag, plans warn about it until the registry moves the tag.
func TestPlanWarnsOfImmutableTags(t *testing.T) {
	for _, keeps := range [][]string{{"1.2.3"}, {"1.2.3", "1.2"}, {"latest"}} {
		y := newYard(t, aPlan(t), past{{nil, "1.2.3"}, {[]int{0}, "1.2.3"}, {[]int{1}, "1.2.3"}, {[]int{2}, "1.2.4"}})
		y.plan.Warnings = nil
		records := t.TempDir()
		job := func(n int) *Job {
			j := y.job(n, y.past.history())
			j.Records = records
			j.Plan.foresee(ReadKept(records, j.Plan.Repository))
			return j
		}
		j := job(0)
		require.Empty(t, j.Plan.Warnings)
		_, err := j.tag(t.Context())
		require.NoError(t, err)
		inner := y.handler
		y.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, tag := range keeps {
				if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/manifests/"+tag) {
					http.Error(w, "the tag is immutable", http.StatusConflict)
					return
				}
			}
			inner.ServeHTTP(w, r)
		})
		j = job(1)
		require.Empty(t, j.Plan.Warnings, "no refusal is recorded yet")
		_, err = j.tag(t.Context())
		require.ErrorIs(t, err, registry.ErrImmutable)
		j = job(2)
		require.Len(t, j.Plan.Warnings, 1)
		for _, tag := range keeps {
			require.Contains(t, j.Plan.Warnings[0], tag)
		}
		require.Contains(t, j.Plan.Warnings[0], "raise the version")
		require.Empty(t, job(0).Plan.Warnings, "the tag of the commit does not move")
		require.Empty(t, ReadKept(records, j.Plan.Repository+"2"), "the records of another repository are separate")

		y.handler = inner // now the registry moves them
		_, err = j.tag(t.Context())
		require.NoError(t, err)
		require.Empty(t, job(3).Plan.Warnings)
	}
}

// If a registry accepts a tag but still shows the old image, briefly or forever, the job does not blame other jobs.
func TestTagsThatAppearLate(t *testing.T) {
	for stale, says := range map[int]string{3: "", 12: "", 1 << 30: "the registry accepted the tags 1.2.3, 1.2, 1, latest for 127.0.0.1:1/someone/theapp, but still shows their old images"} {
		y := newYard(t, aPlan(t), past{{nil, "1.2.3"}, {[]int{0}, "1.2.3"}})
		_, err := y.job(0, y.past.history()).tag(t.Context())
		require.NoError(t, err)
		j, inner, puts := y.job(1, y.past.history()), y.handler, 0
		old := map[string]*httptest.ResponseRecorder{}
		for _, tag := range j.Plan.Candidates() {
			old[tag] = httptest.NewRecorder()
			inner.ServeHTTP(old[tag], httptest.NewRequest(http.MethodGet, "/v2/someone/theapp/manifests/"+tag, nil))
		}
		y.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, tag, _ := strings.Cut(r.URL.Path, "/manifests/")
			if was := old[tag]; was != nil && r.Method != http.MethodPut && puts <= stale {
				puts++
				for key := range was.Header() {
					w.Header().Set(key, was.Header().Get(key))
				}
				_, _ = w.Write(was.Body.Bytes())
				return
			}
			inner.ServeHTTP(w, r)
		})
		_, err = j.tag(t.Context())
		if says == "" {
			require.NoError(t, err)
			require.Equal(t, state{"1.2.3": 1, "1.2": 1, "1": 1, "latest": 1}, y.tags())
			continue
		}
		require.ErrorContains(t, err, says)
		require.Contains(t, fmt.Sprintf("%+v", err), "→ check whether a cache between you and the registry")
	}
}

// git gets queries about commits in labels, but not about our own commit.
func TestQueriesOfGit(t *testing.T) {
	var asked []string
	h := History(func(_ context.Context, ours, theirs string) (Order, error) {
		asked = append(asked, ours+" "+theirs)
		return Behind, nil
	})
	held := map[string]Held{"1": {Revision: "b"}, "1.2": {Revision: "a"}, "latest": {}}
	require.NoError(t, h.Order(t.Context(), "a", held))
	require.Equal(t, map[string]Held{"1": {Revision: "b", Order: Behind}, "1.2": {Revision: "a", Order: Same}, "latest": {Order: Unknown}}, held)
	require.Equal(t, []string{"a b"}, asked)
}
