package github_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
)

// The embedded GitHub server enforces GitHub's limits, with the same messages, so that rehearsed releases run into them.
func TestLimits(t *testing.T) {
	w := start(t, server.Options{})
	call := func(path, kind, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, bytes.NewBufferString(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", kind)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(answer)
	}
	long := func(n int) string { return strings.Repeat("ä", n) }
	releases := "/repos/" + repository + "/releases"
	for i, c := range []struct {
		wish map[string]any
		said string // "" if the release is accepted
	}{
		{map[string]any{"body": long(github.MaxNotes)}, ""},
		{map[string]any{"body": long(github.MaxNotes + 1)}, "body is too long (maximum is 125000 characters)"},
		{map[string]any{"name": long(github.MaxName)}, ""},
		{map[string]any{"name": long(github.MaxName + 1)}, "name is too long (maximum is 256 characters)"},
		{map[string]any{"tag_name": "v" + long(github.MaxTag-1)}, ""},
		{map[string]any{"tag_name": "v" + long(github.MaxTag)}, "tag_name is too long (maximum is 255 characters)"},
		{map[string]any{"tag_name": "v 1"}, "tag_name is not a valid tag"},
		{map[string]any{"tag_name": "v1..2"}, "tag_name is not a valid tag"},
		{map[string]any{"tag_name": "v1.lock"}, "tag_name is not a valid tag"},
		{map[string]any{"tag_name": ""}, "missing_field"},
		{map[string]any{"make_latest": "true"}, "Latest release cannot be draft or prerelease."},
		{map[string]any{"make_latest": "true", "draft": false, "prerelease": true}, "Latest release cannot be draft or prerelease."},
		{map[string]any{"make_latest": "legacy"}, ""},
		{map[string]any{"make_latest": "yes"}, "make_latest"},
	} {
		wish := map[string]any{"tag_name": fmt.Sprintf("v%d", i), "draft": true}
		for key, value := range c.wish {
			wish[key] = value
		}
		body, err := json.Marshal(wish)
		require.NoError(t, err)
		status, said := call(releases, "application/json", string(body))
		if c.said == "" {
			require.Equal(t, http.StatusCreated, status, said)
			continue
		}
		require.Equal(t, http.StatusUnprocessableEntity, status, "%v", c.said)
		require.Contains(t, said, c.said)
	}

	status, said := call(releases, "application/json", `{"tag_name": "v99", "draft": true}`)
	require.Equal(t, http.StatusCreated, status)
	var made struct{ ID int64 }
	require.NoError(t, json.Unmarshal([]byte(said), &made))
	uploads := fmt.Sprintf("/uploads/repos/%s/releases/%d/assets?name=", repository, made.ID)
	for i := range github.MaxAssets {
		status, said = call(uploads+fmt.Sprint(i), "application/octet-stream", "x")
		require.Equal(t, http.StatusCreated, status, said)
		for name, want := range map[string]string{"0": "already_exists", "empty": "size must be greater than or equal to 1"} {
			if i > 0 {
				break
			}
			body := map[string]string{"0": "y", "empty": ""}[name]
			status, said = call(uploads+name, "application/octet-stream", body)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, said, want)
		}
	}
	status, said = call(uploads+"more", "application/octet-stream", "x")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, said, "more than 1000 assets")
}
