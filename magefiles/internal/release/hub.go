package release

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// HubRelease is the GitHub release.
type HubRelease struct {
	URL    string   `json:"url"`
	Assets []string `json:"assets"`
}

func (h HubRelease) String() string {
	return fmt.Sprintf("%s with %s", h.URL, operr.Count(len(h.Assets), "file"))
}

// defineHub shows the release on GitHub, for each tag.
func (r *Release) defineHub(planned given[*plan.Plan], commit given[trace.Commit], sent given[Sent], shop *workshop) workflow.Step[HubRelease] {
	describe := func(ctx context.Context) ([]github.Release, error) {
		return describeHub(ctx, planned.Get(), commit.Get().Hash, sent.Get().Items, shop)
	}
	return workflow.Step[HubRelease]{
		Name: trace.StepHub,
		Skip: r.GitHub.Refuse,
		Check: func(ctx context.Context, _ *HubRelease) (HubRelease, bool, error) {
			want, err := describe(ctx)
			if err != nil {
				return HubRelease{}, false, err
			}
			return r.isOnHub(ctx, want)
		},
		Do: func(ctx context.Context) (HubRelease, error) {
			want, err := describe(ctx)
			if err != nil {
				return HubRelease{}, err
			}
			return r.putOnHub(ctx, want)
		},
		Say: HubRelease.String,
	}
}

// isOnHub looks for each of them. The last one's address is the release's.
func (r *Release) isOnHub(ctx context.Context, want []github.Release) (HubRelease, bool, error) {
	for n, one := range want {
		result, done, err := r.GitHub.Client.Check(ctx, one)
		if err != nil || !done {
			return HubRelease{}, false, err
		}
		if n == len(want)-1 {
			return hubResult(result), true, nil
		}
	}
	return HubRelease{}, false, nil
}

// putOnHub makes a draft, attaches every file, and publishes once; for each tag.
func (r *Release) putOnHub(ctx context.Context, want []github.Release) (done HubRelease, err error) {
	for _, one := range want {
		result, err := r.GitHub.Client.Ensure(ctx, one)
		if err != nil {
			return done, err
		}
		done = hubResult(result)
	}
	return done, nil
}

func hubResult(result github.Result) HubRelease {
	h := HubRelease{URL: result.URL, Assets: []string{}}
	for _, a := range result.Assets {
		h.Assets = append(h.Assets, a.Name)
	}
	return h
}

// describeHub describes the GitHub release of each tag: all files of the release, where there is one tag, and those of its
// package where packages have tags of their own.
func describeHub(ctx context.Context, p *plan.Plan, commit string, items []publish.Published, shop *workshop) (all []github.Release, err error) {
	files, err := download(ctx, items, shop)
	if err != nil {
		return nil, err
	}
	notes := readNotes(ctx, p, shop)
	for _, tag := range p.Tags {
		one := github.Release{Tag: tag, Commit: commit, Name: tag}
		owner, _, own := strings.Cut(tag, "/v")
		var table strings.Builder
		for _, i := range items {
			if own && i.Name != owner {
				continue
			}
			one.Files = append(one.Files, github.Asset{Path: files[i.File], Name: i.File, SHA256: i.SHA256, Size: i.Size})
			fmt.Fprintf(&table, "| `%s` | `%s` |\n", i.File, i.SHA256)
			if v, err := version.Parse(i.Version); err == nil && v.Prerelease() {
				one.Prerelease = true
			}
		}
		one.Notes = strings.TrimSpace(notes+"\n\n| file | sha256 |\n|---|---|\n"+table.String()) + "\n"
		all = append(all, one)
	}
	return all, nil
}

var heading = regexp.MustCompile(`(?m)^## .*$`)

// readNotes returns the changelog's section about this release, as the commit has it, without its heading; "" where there is none.
func readNotes(ctx context.Context, p *plan.Plan, shop *workshop) string {
	c, err := shop.checkout(ctx)
	if err != nil {
		return ""
	}
	text, err := beneath.ReadFile(c.w.Root, filepath.Join(c.w.Root, bump.ChangelogFile))
	if err != nil {
		return ""
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	all := heading.FindAllIndex(text, -1)
	for n, at := range all {
		if !isHeading(p, string(text[at[0]:at[1]])) {
			continue
		}
		end := len(text)
		if n+1 < len(all) {
			end = all[n+1][0]
		}
		return strings.TrimSpace(string(text[at[1]:end]))
	}
	return ""
}

// isHeading recognizes the heading of this release's section: "## [1.2.0] - 2026-01-02", "## v1.2.0".
func isHeading(p *plan.Plan, line string) bool {
	if len(p.Tags) != 1 {
		return false
	}
	v := bump.VersionOf(p.Tags[0])
	for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" []()#,", c) }) {
		if word == v || word == "v"+v {
			return true
		}
	}
	return false
}
