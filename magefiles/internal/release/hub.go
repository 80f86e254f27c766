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
	"github.com/foopack/foopack/magefiles/internal/version"
)

// HubRelease is the GitHub release.
type HubRelease struct {
	URL    string   `json:"url"`
	Assets []string `json:"assets"`
}

func (h HubRelease) String() string {
	return fmt.Sprintf("%s with %s", h.URL, operr.Count(len(h.Assets), "file"))
}

func (r *Release) isOnHub(ctx context.Context, _ *HubRelease) (HubRelease, bool, error) {
	want, err := r.describeHub(ctx)
	if err != nil {
		return HubRelease{}, false, err
	}
	for _, one := range want {
		if result, done, err := r.GitHub.Client.Check(ctx, one); err != nil || !done {
			return HubRelease{}, false, err
		} else if one.Tag == r.plan.Tags[len(r.plan.Tags)-1] {
			return hubResult(result), true, nil
		}
	}
	return HubRelease{}, false, nil
}

// putOnHub makes a draft, attaches every file, and publishes once; for each tag.
func (r *Release) putOnHub(ctx context.Context) (done HubRelease, err error) {
	want, err := r.describeHub(ctx)
	if err != nil {
		return done, err
	}
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
func (r *Release) describeHub(ctx context.Context) (all []github.Release, err error) {
	files, err := r.download(ctx)
	if err != nil {
		return nil, err
	}
	notes := r.readNotes(ctx)
	for _, tag := range r.plan.Tags {
		one := github.Release{Tag: tag, Commit: r.commit.Get().Hash, Name: tag}
		owner, _, own := strings.Cut(tag, "/v")
		var table strings.Builder
		for _, i := range r.sent.Get().Items {
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
func (r *Release) readNotes(ctx context.Context) string {
	c, err := r.checkout(ctx)
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
		if !r.isHeading(string(text[at[0]:at[1]])) {
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
func (r *Release) isHeading(line string) bool {
	if len(r.plan.Tags) != 1 {
		return false
	}
	v := r.plan.Tags[0][strings.LastIndex(r.plan.Tags[0], "v")+1:]
	for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" []()#,", c) }) {
		if word == v || word == "v"+v {
			return true
		}
	}
	return false
}
