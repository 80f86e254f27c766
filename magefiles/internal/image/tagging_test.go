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

// Where git cannot say which commit is the newer one, the tags stay, and it is said how to move them; -tag does it.
func TestTagsStayWhereGitCannotSay(t *testing.T) {
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
			j.Plan.named, j.Plan.Tags = true, []Tag{{Name: "latest", Moves: true, Why: "was asked for"}}
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

// A tag that another job moved between the plan and the end is told of, with the reason.
func TestWhatStaysAgainstThePlanIsTold(t *testing.T) {
	y := newYard(t, aPlan(t), past{{nil, "1.2.3"}, {[]int{0}, "1.2.3"}})
	j := y.job(0, y.past.history())
	_, err := y.job(1, y.past.history()).tag(t.Context())
	require.NoError(t, err)
	said, err := j.tag(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "sha-000000000001; 1.2.3, 1.2, 1, latest stay; 1.2.3, 1.2, 1, latest stay, each since it has 1.2.3 of a later commit, 000000000002; -tag=1.2.3,1.2,1,latest moves them")
	require.Equal(t, state{"1.2.3": 1, "1.2": 1, "1": 1, "latest": 1}, y.tags())
}

// Registries that keep a tag say so in words and by statuses of their own. The other tags go on, and the version is to be raised.
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
			require.ErrorContains(t, err, "the registry keeps 1.2.3 of 127.0.0.1:1/someone/theapp where it is: ")
			require.Contains(t, fmt.Sprintf("%+v", err), "\n  moved all the same: sha-000000000002, 1.2, 1, latest\n→ raise the version")
			require.Equal(t, state{"1.2.3": 0, "1.2": 1, "1": 1, "latest": 1}, y.tags())
		})
	}
}

// A tag that the registry did not let go is known before the next build, until it lets it go.
func TestKeptTagsAreForeseen(t *testing.T) {
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
		require.Empty(t, j.Plan.Warnings, "nobody knows yet")
		_, err = j.tag(t.Context())
		require.ErrorIs(t, err, registry.ErrImmutable)
		j = job(2)
		require.Len(t, j.Plan.Warnings, 1)
		for _, tag := range keeps {
			require.Contains(t, j.Plan.Warnings[0], tag)
		}
		require.Contains(t, j.Plan.Warnings[0], "raise the version")
		require.Empty(t, job(0).Plan.Warnings, "what stands for the commit does not go")
		require.Empty(t, ReadKept(records, j.Plan.Repository+"2"), "another repository's tags are another matter")

		y.handler = inner // the registry lets them go
		_, err = j.tag(t.Context())
		require.NoError(t, err)
		require.Empty(t, job(3).Plan.Warnings)
	}
}

// A registry that takes a tag and shows it where it was, for a moment or for ever, is not another job that moves tags.
func TestTagsThatAreShownLater(t *testing.T) {
	for stale, says := range map[int]string{3: "", 12: "", 1 << 30: "the registry took 1.2.3, 1.2, 1, latest for 127.0.0.1:1/someone/theapp, and shows them where they were before"} {
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
		require.Contains(t, fmt.Sprintf("%+v", err), "→ see whether a cache stands before the registry")
	}
}

// git is asked about commits that labels name, and not about our own.
func TestWhatGitIsAsked(t *testing.T) {
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
