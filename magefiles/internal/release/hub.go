package release

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
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
		return r.describeHub(ctx, planned.Get(), commit.Get().Hash, sent.Get().Items, shop)
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
func (r *Release) describeHub(ctx context.Context, p *plan.Plan, commit string, items []publish.Published, shop *workshop) (all []github.Release, err error) {
	files, err := download(ctx, items, shop)
	if err != nil {
		return nil, err
	}
	notes, file := readNotes(ctx, p, shop)
	for _, tag := range p.Tags {
		all = append(all, Show(r.GitHub, tag, commit, items, files, notes, file))
	}
	return all, nil
}

// IsOf reports whether a package is released by a tag: one of its own, or one of all packages.
func IsOf(tag, name string) bool {
	owner, _, own := strings.Cut(tag, "/v")
	return !own || owner == name
}

// Show describes the GitHub release of one tag. files are the paths of the items' files by their names; file is where all of the notes are, in the
// repository.
func Show(hub forge.Hub, tag, commit string, items []publish.Published, files map[string]string, notes, file string) github.Release {
	one := github.Release{Tag: tag, Commit: commit, Name: tag}
	var rows []string
	for _, i := range items {
		if !IsOf(tag, i.Name) {
			continue
		}
		one.Files = append(one.Files, github.Asset{Path: files[i.File], Name: i.File, SHA256: i.SHA256, Size: i.Size})
		rows = append(rows, fmt.Sprintf("| `%s` | `%s` |\n", i.File, i.SHA256))
		if v, err := version.Parse(i.Version); err == nil && v.Prerelease() {
			one.Prerelease = true
		}
	}
	one.Notes = github.Notes(notes, rows, hub.Client.FilePage(tag, file))
	return one
}

// readNotes returns the changelog's section about this release, as the commit has it, without its heading; "" where there is none. file is
// the changelog.
func readNotes(ctx context.Context, p *plan.Plan, shop *workshop) (text, file string) {
	c, err := shop.checkout(ctx)
	if err != nil {
		return "", ""
	}
	return NotesOf(c.w, shop.Repo.Prefix, p.Tags)
}

// NotesOf returns the section of a workspace's changelog about the release of tags, without its heading; "" where there is none. prefix is the workspace's
// root in its repository, and file the changelog there.
func NotesOf(w *workspace.Workspace, prefix string, tags []string) (text, file string) {
	at, err := bump.Changelog(w)
	if err != nil || !at.There {
		return "", ""
	}
	src, err := beneath.ReadFile(w.Root, filepath.Join(w.Root, filepath.FromSlash(at.File)))
	if err != nil {
		return "", ""
	}
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	return changelog.Section(src, func(title string) bool { return isHeading(tags, title) }), path.Join(prefix, at.File)
}

// isHeading recognizes the heading of the section of a release of one tag: "## [1.2.0] - 2026-01-02", "## v1.2.0".
func isHeading(tags []string, line string) bool {
	if len(tags) != 1 {
		return false
	}
	v := bump.VersionOf(tags[0])
	for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" []()#,", c) }) {
		if word == v || word == "v"+v {
			return true
		}
	}
	return false
}
