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

// HubRelease is the release on GitHub.
type HubRelease struct {
	URL    string   `json:"url"`
	Assets []string `json:"assets"`
}

func (h HubRelease) String() string {
	return fmt.Sprintf("%s with %s", h.URL, operr.Count(len(h.Assets), "file"))
}

// defineHub defines the step that creates a GitHub release for each tag.
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

// isOnHub reports whether all GitHub releases exist. It returns the last one.
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

// putOnHub creates a GitHub release for each tag: a draft first, which is published once all files are uploaded. It returns the last one.
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

// describeHub describes the GitHub release for each tag. If there is one tag, it gets all files; if packages have separate tags, each gets the files
// of its package.
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

// IsOf reports whether a tag releases a package. A tag releases one package, or all of them.
func IsOf(tag, name string) bool {
	owner, _, own := strings.Cut(tag, "/v")
	return !own || owner == name
}

// Show describes the GitHub release of a tag. files maps file names to local paths. file is the path of the changelog in the repository, for a link
// to the full notes.
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

// readNotes returns this release's section of the changelog at the commit, without its heading, and the changelog's path; "" if there is none.
func readNotes(ctx context.Context, p *plan.Plan, shop *workshop) (text, file string) {
	c, err := shop.checkout(ctx)
	if err != nil {
		return "", ""
	}
	return NotesOf(c.w, shop.Repo.Prefix, p.Tags)
}

// NotesOf returns the changelog section of the release with the given tags, without its heading; "" if there is none. prefix is the path of the
// workspace root in the repository. file is the changelog's path in the repository.
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

// isHeading reports whether a line is the heading of a changelog section for a single tag, such as "## [1.2.0] - 2026-01-02" or "## v1.2.0".
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
